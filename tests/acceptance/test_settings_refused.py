"""A wrong setting stops the start: the key, the reason and the remedy are said, all at once, with exit code 2."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from pickgate.settings import SettingsRefused, load_settings
from pickgate.simulation.processes import run_command

GOOD = """
secret_key = "0123456789012345678901234567890123456789"
[[shops]]
key = "uk"
domain = "example-uk.myshopify.com"
api_base = "https://example-uk.myshopify.com"
access_token = "t"
client_secrets = ["s"]
[clarus]
work_begins_at = ["PICK"]
"""


def with_value(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(tree: dict[str, Any]) -> None:
        *sections, last = path.split(".")
        node = tree
        for section in sections:
            found = node.setdefault(section, {})
            node = found[0] if isinstance(found, list) else found
        node[last] = value

    return change


CASES = [
    ("secret_key", "short", "secret_key: each key needs at least 32 characters; make one with `pickgate secret`."),
    ("server.port", 70000, "server.port: Input should be less than or equal to 65535."),
    ("server.prot", 1, "server.prot: unknown setting. Did you mean 'port'?"),
    ("worker.lease", "1s", "worker.lease: give between 2s and 10m; 20s is right for nearly everybody."),
    ("shops.window.quiet", "20", "shops[0].window.quiet: '20' is not a duration; write it as"),
    ("shops.api_base", "example.com", "shops[0].api_base: 'example.com' is not an http(s) address; write it whole"),
    ("clarus.work_begins_at", ["PICKING"], "clarus.work_begins_at: 'PICKING' is not a status code; known: DRAFT"),
    ("shops.mode", "watch", "shops[0].mode: Input should be 'act' or 'observe'."),
]


@pytest.mark.parametrize(("key", "value", "said"), CASES, ids=[case[0] for case in CASES])
def test_each_wrong_setting_is_named_with_its_remedy(tmp_path: Path, key: str, value: Any, said: str) -> None:
    tree = tomllib.loads(GOOD)
    with_value(key, value)(tree)
    file = tmp_path / "pickgate.toml"
    file.write_text(tomli_w.dumps(tree), "utf-8")
    with pytest.raises(SettingsRefused) as refused:
        load_settings(file, {})
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].startswith(said)


async def test_the_command_refuses_to_start_and_says_everything_at_once(tmp_path: Path) -> None:
    tree = tomllib.loads(GOOD)
    for key, value, _ in CASES:
        with_value(key, value)(tree)
    file = tmp_path / "pickgate.toml"
    file.write_text(tomli_w.dumps(tree), "utf-8")
    code, out, err = await run_command(file, "serve")
    assert (code, out) == (2, "")
    assert [said for _, _, said in CASES if said not in err] == []
    assert "Traceback" not in err
