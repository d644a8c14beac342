"""Time, chance and the environment are passed in, so that the same facts give the same decision on any clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tidy.source import SOURCE, name_of, names_used, python_files

TIME = {
    "datetime.datetime.now": "take `now` or a Clock",
    "datetime.datetime.utcnow": "take `now` or a Clock",
    "datetime.datetime.today": "take `now` or a Clock",
    "datetime.date.today": "take `now` or a Clock",
    "time.time": "take `now` or a Clock",
    "time.time_ns": "take `now` or a Clock",
    "time.sleep": "await clock.sleep",
}
ENVIRONMENT = {
    "os.environ": "read it in settings.py, once",
    "os.getenv": "read it in settings.py, once",
}
CHANCE = {
    "uuid.uuid1": "take the id as an argument",
    "uuid.uuid4": "take the id as an argument",
    "os.urandom": "take it as an argument",
    "random.SystemRandom": "take a seeded random.Random",
}
# `random.Random` itself is the generator that is passed in; every other name of the module is the shared one.
RANDOM_ALLOWED = {"random", "random.Random"}

REPEATABLE = {"domain", "rulebook", "flows", "connectors", "twins"}
MAY_READ_THE_CLOCK = {"clock"}
MAY_READ_THE_ENVIRONMENT = {"bootstrap", "cli", "__main__", "proofs"}


def find_banned(layer: str, text: str) -> list[str]:
    """Return each use, called or only named, of something that a layer must be given instead."""
    tree = ast.parse(text)
    banned: dict[str, str] = {}
    if layer not in MAY_READ_THE_CLOCK:
        banned |= TIME
    if layer not in MAY_READ_THE_ENVIRONMENT:
        banned |= ENVIRONMENT
    if layer in REPEATABLE:
        banned |= CHANCE
    problems = []
    for line, name in names_used(tree):
        if name in banned:
            problems.append(f"line {line}: {name}: {banned[name]}")
        elif layer in REPEATABLE and name.split(".")[0] == "secrets":
            problems.append(f"line {line}: {name}: take it as an argument")
        elif layer in REPEATABLE and name.split(".")[0] == "random" and not _is_passed_in(name):
            problems.append(f"line {line}: {name}: take a seeded random.Random")
    if layer in REPEATABLE:
        problems += [f"line {line}: random.Random() without a seed" for line in _unseeded(tree)]
    return sorted(set(problems))


def _is_passed_in(name: str) -> bool:
    return name in RANDOM_ALLOWED or name.startswith("random.Random.")


def _unseeded(tree: ast.AST) -> list[int]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and not node.args and not node.keywords)
    return [call.lineno for call in calls if ast.unparse(call.func) in {"random.Random", "Random"}]


@pytest.mark.parametrize("file", python_files(), ids=name_of)
def test_time_chance_and_environment_are_passed_in(file: Path) -> None:
    layer = file.relative_to(SOURCE).parts[0].removesuffix(".py")
    assert find_banned(layer, file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("layer", "text", "problem"),
    [
        ("domain", "from datetime import datetime\nx = datetime.now()", "line 2: datetime.datetime.now: take `now` or a Clock"),  # noqa: E501
        ("console", "import datetime as dt\nx = dt.datetime.now(dt.UTC)", "line 2: datetime.datetime.now: take `now` or a Clock"),  # noqa: E501
        ("flows", "from uuid import uuid4\nmake = uuid4", "line 2: uuid.uuid4: take the id as an argument"),
        ("twins", "import random\nx = random.choice([1])", "line 2: random.choice: take a seeded random.Random"),
        ("twins", "import random\nx = random.Random()", "line 2: random.Random() without a seed"),
        ("connectors", "import secrets\nx = secrets.token_hex()", "line 2: secrets: take it as an argument"),
        ("store", "import os\nx = os.environ.get('A')", "line 2: os.environ: read it in settings.py, once"),
    ],
)  # fmt: skip
def test_a_banned_use_is_found(layer: str, text: str, problem: str) -> None:
    assert problem in find_banned(layer, text)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        ("clock", "from datetime import UTC, datetime\nx = datetime.now(UTC)"),
        ("twins", "import random\ndef draw(rng: random.Random) -> float:\n    return rng.random()"),
        ("twins", "import random\nx = random.Random(7)"),
        ("cli", "import os\nx = os.environ"),
        ("api", "import secrets\nx = secrets.token_urlsafe(32)"),
    ],
)
def test_what_is_passed_in_is_not_found(layer: str, text: str) -> None:
    assert find_banned(layer, text) == []
