"""A scratch installation for a measurement: its own data folder, its own process, ended when the measurement is."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pickgate.connectors.transport import AiohttpTransport
from pickgate.rulebook.tables import Tables
from pickgate.simulation.installation import clarus_section, shop_section, write_installation
from pickgate.simulation.processes import Running, run_command, start_command, until_ready
from pickgate.simulation.world import Timing

PORT = 18_080
NOBODY = "http://127.0.0.1:9"


def write_config(folder: Path, *, shop_url: str = NOBODY, warehouse_url: str = NOBODY, window_seconds: float = 6.0,
                 tables: Tables | None = None, **sections: Any) -> Path:  # fmt: skip
    """Write a configuration for one shop and one warehouse; the default addresses answer nobody."""
    timing = Timing(edit_window=window_seconds, guard=1.0, min_age=1.0, quiet=1.0)
    laid_over: dict[str, Any] = {
        "server": {"hint_delay": "3s"},
        "shops": [{**shop_section(timing, shop_url), "subscribe_webhooks": shop_url != NOBODY}],
        "clarus": {
            **clarus_section(warehouse_url, webhook_token="bench"),
            "requests_per_second": 500,
            "poll_open_orders_every": "5s",
        },
        **sections,
    }
    return write_installation(folder, data_dir=folder / "data", port=PORT, sections=laid_over, tables=tables)


@asynccontextmanager
async def scratch() -> AsyncIterator[Path]:
    """A folder that the embedded database's user may enter, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="pickgate-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@asynccontextmanager
async def running(command: str, config: Path) -> AsyncIterator[tuple[Running, float]]:
    """Run a command until it is ready; yields the process and the seconds that took."""
    began = time.perf_counter()
    process = await start_command(command, config)
    try:
        async with AiohttpTransport() as transport:
            await until_ready(process, f"http://127.0.0.1:{PORT}", transport)
        yield process, time.perf_counter() - began
    finally:
        await process.stop()


async def cli(config: Path, *arguments: str) -> str:
    """Run another command of the same installation; return what it printed."""
    code, out, err = await run_command(config, *arguments)
    if code:
        raise RuntimeError(err)
    return out


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process now, from the kernel's accounts."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
