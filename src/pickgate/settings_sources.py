"""Where settings come from beside the file: the environment, and files that hold secrets."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def lay_environment_over(raw: dict[str, Any], environment: Mapping[str, str]) -> list[str]:
    """Lay `PICKGATE__SECTION__KEY` variables over the file's values, in place. Returns what names no setting."""
    problems = []
    for name, value in sorted(environment.items()):
        if not name.startswith("PICKGATE__"):
            continue
        steps = [step.lower() for step in name.removeprefix("PICKGATE__").split("__")]
        target: Any = raw
        try:
            for step, following in itertools.pairwise(steps):
                if isinstance(target, list):
                    target = target[int(step)]
                else:
                    target = target.setdefault(step, [] if following.isdigit() else {})
            last: Any = int(steps[-1]) if isinstance(target, list) else steps[-1]
            target[last] = _typed(value)
        except (ValueError, IndexError, TypeError, AttributeError):
            problems.append(f"{name}: does not name a setting. Write PICKGATE__SECTION__KEY, PICKGATE__SHOPS__0__KEY.")
    return problems


def _typed(value: str) -> Any:
    """Read a value from the environment as TOML would, else as the plain string it is."""
    if value[:1] in "[{" or value in ("true", "false") or re.fullmatch(r"-?\d+(\.\d+)?", value):
        try:
            return tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            return value
    return value


def read_secret_files(node: Any, where: str) -> list[str]:
    """Replace every `…_file` by what the file holds, in place. Returns what could not be read."""
    problems: list[str] = []
    if isinstance(node, list):
        for number, item in enumerate(node):
            problems += read_secret_files(item, f"{where}[{number}]")
    elif isinstance(node, dict):
        for key in list(node):
            place = f"{where}.{key}" if where else key
            if key.endswith("_file") and isinstance(node[key], str):
                try:
                    text = Path(node.pop(key)).read_text("utf-8").strip()
                except (OSError, UnicodeDecodeError) as error:
                    problems.append(f"{place}: the file cannot be read ({error}). Check the path and its permissions.")
                    continue
                name = key.removesuffix("_file")
                node[name] = text.split() if name == "client_secrets" else text
            else:
                problems += read_secret_files(node[key], place)
    return problems
