"""The command line: a skin over operations and flows.

Exit codes: 0 done, 1 the answer is "no", 2 wrong use or settings.

Each command has a module; they share `runtime.py`. Nothing here decides anything.
"""

from __future__ import annotations

import importlib
import sys

import click

from pickgate import __version__

# Commands by module, loaded when they are used: `pickgate serve` need not import the simulator.
_COMMANDS = {
    "serve": "serve",
    "api": "serve",
    "worker": "serve",
    "migrate": "serve",
    "secret": "serve",
    "look": "orders",
    "order": "orders",
    "exceptions": "exceptions",
    "token": "people",
    "user": "people",
    "rulebook": "rulebook",
    "sweep": "sweep",
    "twins": "twins",
    "demo": "demo",
    "simulate": "simulate",
    "stock": "stock",
    "money": "money",
    "doctor": "doctor",
    "bench": "bench",
    "prove": "prove",
    "retool": "retool",
    "audit": "audit",
    "do": "do",
}


class LazyGroup(click.Group):
    """Finds a command in its module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in _COMMANDS if self.get_command(ctx, name) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        try:
            found = getattr(importlib.import_module(f"pickgate.cli.{module}"), cmd_name)
        except ModuleNotFoundError as error:
            if error.name == f"pickgate.cli.{module}":
                return None
            raise
        assert isinstance(found, click.Command)
        return found


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pickgate")
def cli() -> None:
    """Pickgate: the warehouse only ever picks the customer's final order."""


def main() -> None:
    """Run the command line."""
    cli.main(args=sys.argv[1:], prog_name="pickgate")
