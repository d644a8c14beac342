"""Small connecting pieces that `bootstrap.py` fits between the concrete things."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any

from pickgate import __version__
from pickgate.api.parts import AppParts
from pickgate.api.tokens import find_actor
from pickgate.flows.nets import NetFlows
from pickgate.flows.ports import Confirmed, NotSent, Outcome, OutcomeNotKnown
from pickgate.mcp.server import McpServer
from pickgate.settings import Settings


def freshening(nets: NetFlows) -> Callable[[Sequence[str]], Awaitable[str | None]]:
    """Before stock is counted, wake what changed in both systems: a sale that nobody has seen must count."""

    async def freshen(keys: Sequence[str]) -> str | None:
        for key in keys:
            report = await nets.sweep_shop(key)
            if report.unreadable is not None:
                return report.unreadable
        return (await nets.poll_warehouse()).unreadable

    return freshen


def mcp_server(parts: AppParts, settings: Settings) -> McpServer:
    """The MCP skin over the same parts; its preview tokens are signed with a key derived from the newest secret."""
    newest_key = settings.secret_key.get_secret_value().partition(",")[0].strip()
    return McpServer(
        find_actor=functools.partial(find_actor, parts),
        context=parts.context,
        secret=sha256(b"preview tokens\0" + newest_key.encode()).digest(),
        public_url=parts.public_url,
        version=__version__,
    )


def outcome_word(outcome: Outcome) -> str:
    """The outcome in one word, for the counters."""
    match outcome:
        case Confirmed():
            return "confirmed"
        case NotSent():
            return "not_sent"
        case OutcomeNotKnown():
            return "unknown"
        case _:
            return "refused"


def call(function: Callable[[Any], Any], argument: Any) -> Callable[[], Any]:
    """A job without arguments, of a function with one."""
    return lambda: function(argument)
