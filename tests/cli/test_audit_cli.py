"""`pickgate audit` as it is typed: settings, twins behind loopback, files that are written, notes that go away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from pickgate.cli.audit import audit
from pickgate.cli.audit_notebook import FolderNotebook
from pickgate.clock import RealClock
from pickgate.crypto import Sealer
from pickgate.rulebook.csv_files import render_files
from pickgate.simulation.naive import DAYS, Month, month_tables, play_month
from pickgate.simulation.world import ACCESS_TOKEN, CLARUS_ID, CLARUS_SECRET, DOMAIN, SHOP, SUBDOMAIN
from pickgate.twins.server import serve_twin


@dataclass(slots=True)
class Stand:
    month: Month
    folder: Path

    async def run(self, *arguments: str) -> Result:
        """Run the command in a thread of its own, as a process would."""
        whole = ["--config", str(self.folder / "pickgate.toml"), "--rulebook", str(self.folder / "rules"), *arguments]
        return await asyncio.to_thread(CliRunner().invoke, audit, whole)


@asynccontextmanager
async def stand(folder: Path) -> AsyncIterator[Stand]:
    now = RealClock().now()
    month = play_month(1, orders=12, begin=now - timedelta(days=DAYS))
    month.world.shop.knobs = replace(month.world.shop.knobs, bulk_seconds=0.0, bucket_size=1e6, restore_rate=1e5)
    shop, warehouse = await serve_twin(month.world.shop.handle), await serve_twin(month.world.warehouse.handle)
    (folder / "rules").mkdir()
    for name, body in render_files(month_tables(month)).items():
        (folder / "rules" / name).write_bytes(body)
    (folder / "pickgate.toml").write_text(
        f"""
data_dir = "{folder / "data"}"
secret_key = "{"k" * 40}"
[[shops]]
key = "{SHOP}"
domain = "{DOMAIN}"
api_base = "{shop.url}"
access_token = "{ACCESS_TOKEN}"
[clarus]
base_url = "{warehouse.url}"
token_url = "{warehouse.url}/oauth/token"
subdomain = "{SUBDOMAIN}"
client_id = "{CLARUS_ID}"
client_secret = "{CLARUS_SECRET}"
requests_per_second = 500
"""
    )
    try:
        yield Stand(month, folder)
    finally:
        await shop.aclose()
        await warehouse.aclose()


async def test_it_writes_the_report_and_leaves_no_notes(tmp_path: Path) -> None:
    async with stand(tmp_path) as here:
        page, tables = tmp_path / "out" / "report.html", tmp_path / "csv"
        result = await here.run("--since", "32d", "--html", str(page), "--csv", str(tables), "--json")
        assert result.exit_code == 0, result.output
        said = json.loads(result.stdout)
        found = {(f["order"], f["charge"]) for f in said["findings"] if f["order"]}
        assert found == here.month.planted
        assert "orders went wrong" in page.read_text("utf-8")
        assert sorted(file.name for file in tables.iterdir()) == [
            "findings.csv", "stock.csv", "summary.csv", "weeks.csv",
        ]  # fmt: skip
        assert {file.stat().st_mode & 0o777 for file in (page, *tables.iterdir())} == {0o600}
        assert list((tmp_path / "data").iterdir()) == []


async def test_an_audit_that_could_not_be_finished_says_so_and_goes_on(tmp_path: Path) -> None:
    async with stand(tmp_path) as here:
        here.month.world.shop.knobs = replace(here.month.world.shop.knobs, bulk_fails_with="TIMEOUT")
        result = await here.run("--since", "32d")
        assert result.exit_code == 1
        assert "the same command goes on from there" in result.stderr
        until = notes(tmp_path)["until"]
        here.month.world.shop.knobs = replace(here.month.world.shop.knobs, bulk_fails_with="")
        again = await here.run("--since", "32d", "--json")
        assert again.exit_code == 0, again.output
        assert "Going on with the audit begun" in again.stderr
        assert json.loads(again.stdout)["until"] == until


def notes(folder: Path) -> dict[str, Any]:
    subject = f"32d|{{name}}|reference|['{DOMAIN}']|{SUBDOMAIN}"
    return FolderNotebook(folder / "data", Sealer.from_setting("k" * 40), subject=subject).load()


async def test_wrong_use_is_refused_with_the_remedy(tmp_path: Path) -> None:
    async with stand(tmp_path) as here:
        pattern = await here.run("--reference", "SH-")
        assert (pattern.exit_code, "must hold {name} or {id}" in pattern.stderr) == (2, True)
        span = await here.run("--since", "a month")
        assert (span.exit_code, "is not a duration" in span.stderr) == (2, True)
