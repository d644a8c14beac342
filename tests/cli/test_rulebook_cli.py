"""`pickgate rulebook …`: CSV and workbooks in and out, check, back-test, publication, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pickgate.cli.rulebook import rulebook
from pickgate.rulebook.csv_files import parse_folder, render_files
from pickgate.rulebook.tables import Tables
from pickgate.rulebook.workbook import parse_workbook, render_workbook

pytestmark = pytest.mark.postgres
SETTINGS = """
database_url = "{dsn}"
secret_key = "{key}"
[[shops]]
key = "uk"
domain = "example-uk.myshopify.com"
api_base = "https://example-uk.myshopify.com"
access_token = "token"
client_secrets = ["hush"]
[clarus]
base_url = "http://127.0.0.1:9"
token_url = "http://127.0.0.1:9/oauth/token"
subdomain = "acme"
client_id = "x"
client_secret = "y"
webhook_token = "{key}"
"""
FIRST = Tables(
    locations=(("uk", "1", "", "ACME", "LEEDS", ""),),
    services=(("", "Standard", "", "", "DPD", "ND"), ("", "*", "", "", "", "")),
)
UNREACHABLE = Tables(services=(("", "*", "", "", "", ""), ("", "Standard", "", "", "DPD", "ND")))


@pytest.fixture
def config(tmp_path: Path, database: str) -> Path:
    path = tmp_path / "pickgate.toml"
    path.write_text(SETTINGS.format(dsn=database, key="k" * 32))
    return path


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(rulebook, [*words, "--config", str(config)])


def folder(place: Path, tables: Tables) -> Path:
    place.mkdir()
    for name, body in render_files(tables).items():
        (place / name).write_bytes(body)
    return place


def test_a_folder_goes_in_is_published_and_comes_out_as_a_workbook(config: Path, tmp_path: Path) -> None:
    done = run(config, "import", str(folder(tmp_path / "in", FIRST)), "--publish")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "Saved as draft 1.",
        "Version 1 decides from now on; there was none before. Of the newest 0 orders, 0 come out differently. "
        "0 stopped orders are decided again.",
    ]
    assert "Not asked of the warehouse: accounts: " in done.stderr
    assert run(config, "export", str(tmp_path / "out")).exit_code == 0
    assert parse_folder(tmp_path / "out") == FIRST
    done = run(config, "export", str(tmp_path / "deep" / "all.xlsx"))
    assert (done.exit_code, done.output) == (0, f"Wrote version 1 to {tmp_path / 'deep' / 'all.xlsx'}.\n")
    assert parse_workbook((tmp_path / "deep" / "all.xlsx").read_bytes()) == FIRST


def test_a_workbook_goes_in_is_checked_and_tried(config: Path, tmp_path: Path) -> None:
    run(config, "import", str(folder(tmp_path / "in", FIRST)), "--publish")
    (tmp_path / "next.XLSX").write_bytes(render_workbook(UNREACHABLE))
    done = run(config, "import", str(tmp_path / "next.XLSX"), "--note", "spring tariffs")
    assert (done.exit_code, done.output) == (
        0,
        "Saved as draft 2.\nCheck it with `pickgate rulebook check 2`, then `pickgate rulebook publish 2`.\n",
    )
    done = run(config, "check", "2", "--json")
    assert done.exit_code == 1
    answer = json.loads(done.stdout)
    assert [(found["severity"], found["row"]) for found in answer["findings"]] == [("error", 2)]
    done = run(config, "backtest", "--orders", "10")
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [
            "Version 2 against version 1, on the newest 0 orders:",
            "Every order comes out alike.",
            "0 differ, 0 of them in the warehouse; 0 alike; 0 not the warehouse's; 0 not tried.",
        ],
    )
    done = run(config, "publish", "2")
    assert (done.exit_code, "Version 2 has 1 errors and is not published" in done.output) == (1, True)
    listed = json.loads(run(config, "list", "--json").stdout)["items"]
    assert [(row["number"], row["note"], row["decides"]) for row in listed] == [
        (2, "spring tariffs", False),
        (1, "", True),
    ]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("check",), 1, "No rulebook is published yet."),
        (("export", "somewhere"), 1, "No rulebook is published yet."),
        (("backtest",), 1, "No rulebook is published yet."),
        (("publish", "3"), 1, "There is no rulebook version 3."),
        (("backtest", "--orders", "0"), 2, "0 is not in the range"),
    ],
)
def test_what_cannot_be_done_says_why(config: Path, words: tuple[str, ...], code: int, says: str) -> None:
    done = run(config, *words)
    assert (done.exit_code, says in done.output) == (code, True), done.output


def test_files_that_cannot_be_used_are_refused_with_every_fault(config: Path, tmp_path: Path) -> None:
    place = folder(tmp_path / "in", FIRST)
    (place / "holds.csv").write_text("shop,tag,country,total_over,reason\n,,UK,x,stop\n")
    done = run(config, "import", str(place))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[1:] == [
        '  holds.csv, row 1 (line 2), column "country": "UK" is not a country of ISO 3166 alpha-2. Write GB.',
        '  holds.csv, row 1 (line 2), column "total_over": "x" is not an amount. Write digits with a full stop for '
        "decimals, such as 1000.50.",
    ]
    (tmp_path / "notes.txt").write_text("not a workbook")
    done = run(config, "import", str(tmp_path / "notes.txt"))
    assert (done.exit_code, done.stderr) == (
        2, f"pickgate: {tmp_path / 'notes.txt'} is neither a folder of CSV files nor an .xlsx workbook\n",
    )  # fmt: skip
