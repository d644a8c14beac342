"""`pickgate simulate` as it is used: the last line, the exit code, the command that replays, the story."""

from __future__ import annotations

import json
import re

from click.testing import CliRunner, Result

from pickgate.cli.simulate import replay_command, simulate
from pickgate.simulation.recipe import Recipe, parse_troubles
from pickgate.twins.faults import Fault


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(simulate, arguments)


def test_the_last_line_and_the_exit_code() -> None:
    result = _run("--seed", "5", "--orders", "8")
    last = result.output.splitlines()[-1]
    assert re.fullmatch(r"8 orders, \d+ looks, \d+ faults, 0 violations", last)
    assert result.exit_code == 0


def test_two_seeds_are_summed_up() -> None:
    result = _run("--seed", "5", "--seeds", "2", "--orders", "4", "--faults", "none")
    lines = result.output.splitlines()
    assert [line.split(":")[0] for line in lines[:-1]] == ["seed 5", "seed 6"]
    assert re.fullmatch(r"8 orders, \d+ looks, 0 faults, 0 violations", lines[-1])


def test_json_for_programs() -> None:
    result = _run("--seed", "5", "--orders", "4", "--json")
    report = json.loads(result.output.splitlines()[0])
    assert (report["seed"], report["orders"], report["violations"]) == (5, 4, [])
    assert result.output.splitlines()[-1].endswith("0 violations")


def test_a_failure_prints_the_replay_and_the_story() -> None:
    result = _run("--seed", "1", "--orders", "30", "--faults", "webhook_lost", "--without", "sweep,hints")
    assert result.exit_code == 1
    assert "replay: pickgate simulate --seed 1 --orders 30 --faults webhook_lost --without sweep,hints" in result.output
    assert "the story of #" in result.output
    assert "shop       order_created" in result.output
    assert not result.output.splitlines()[-1].endswith(" 0 violations")


def test_one_story() -> None:
    result = _run("--seed", "5", "--orders", "4", "--story", "1001")
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "  the story of 1001:"
    assert "pickgate   decided" in result.output


def test_wrong_use() -> None:
    for arguments in (("--faults", "gremlins"), ("--without", "luck"), ("--orders", "2", "--story", "9999")):
        assert _run(*arguments).exit_code == 2


def test_the_replay_names_every_fault() -> None:
    troubles = parse_troubles("webhook_lost,crashes")
    assert replay_command(Recipe(seed=3, orders=9, faults=troubles)) == (
        "pickgate simulate --seed 3 --orders 9 --faults webhook_lost,crashes"
    )
    assert replay_command(Recipe(seed=3, orders=9)).endswith("--faults all")
    assert replay_command(Recipe(seed=3, orders=9, faults=())).endswith("--faults none")
    assert parse_troubles("lost_after") == (Fault.LOST_AFTER,)
