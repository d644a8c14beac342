"""`pickgate money …`: files, frozen months, exit codes."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from contracts.keeping import keep_in_postgres
from flows.money_kit import Desk
from pickgate.cli.money import money
from pickgate.crypto import Sealer
from pickgate.domain.money_sheets import SHEETS
from pickgate.store.operators import OperatorActions
from pickgate.store.postgres import PostgresStore
from twins.shopify_kit import Kit

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


@pytest.fixture
def config(tmp_path: Path, database: str) -> Path:
    """Settings of an installation whose shop placed two orders in November 2026."""

    async def fill() -> None:
        store = await PostgresStore.open(database, Sealer(["k" * 32]), max_size=2)
        async with store.database.session() as session:
            desk = Desk(keep_in_postgres(store, OperatorActions(store.database), session.connection), Kit())
            await desk.settle(desk.kit.place(1), desk.kit.place(2))
        await store.aclose()

    asyncio.run(fill())
    path = tmp_path / "pickgate.toml"
    path.write_text(SETTINGS.format(dsn=database, key="k" * 32))
    return path


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(money, [*words, "--config", str(config)])


def test_the_months_orders_as_csv_on_the_screen(config: Path) -> None:
    result = run(config, "report", "--month", "2026-11")
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout, newline="")))
    assert [(row["order"], row["current"], row["ties"]) for row in rows] == [
        ("#1001", "20.00", "yes"), ("#1002", "40.00", "yes"), ("", "60.00", ""),
    ]  # fmt: skip


def test_every_sheet_in_a_folder_and_all_in_a_workbook(config: Path, tmp_path: Path) -> None:
    assert run(config, "report", "--month", "2026-11", "--out", str(tmp_path / "out")).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        f"money-2026-11-{s}.csv" for s in SHEETS
    )
    book = tmp_path / "november.xlsx"
    assert run(config, "report", "--month", "2026-11", "--format", "xlsx", "--out", str(book)).exit_code == 0
    assert load_workbook(book).sheetnames == ["report", *SHEETS]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["report", "--month", "November"], 2, "is not a month. Write it as 2026-11."),
        (["report", "--month", "2026-11", "--zone", "Nowhere"], 2, "is not a time zone"),
        (["report", "--month", "2026-11", "--shop", "de"], 2, "there is no shop 'de'; the settings have uk."),
        (["report", "--month", "2026-11", "--out", "/nowhere/x.csv"], 2, "cannot be written"),
        (["close", "--month", "9998-01"], 1, "9998-01 is not over in UTC."),
    ],
)
def test_what_cannot_be_done_is_said(config: Path, words: list[str], code: int, says: str) -> None:
    result = run(config, *words)
    assert (result.exit_code, says in result.output) == (code, True), result.output


def test_a_month_is_closed_once(config: Path) -> None:
    # A month without orders that is over by any clock.
    first = run(config, "close", "--month", "2020-01", "--reason", "month end")
    assert (first.exit_code, first.stdout.splitlines()[0]) == (0, "2020-01 of uk is closed.")
    again = run(config, "close", "--month", "2020-01")
    assert (again.exit_code, "closed already" in again.output) == (1, True)
