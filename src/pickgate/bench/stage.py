"""A scratch installation for a measurement: its own data folder, its own process, ended when the measurement is."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import tomli_w

from pickgate.connectors.transport import AiohttpTransport
from pickgate.http import HttpRequest, NothingSent, OutcomeUnknown
from pickgate.simulation.world import ACCESS_TOKEN, CLARUS_ID, CLARUS_SECRET, CLIENT_SECRET, DOMAIN, SHOP, SUBDOMAIN

PORT = 18_080


def write_config(folder: Path, *, shop_url: str = "http://127.0.0.1:9", warehouse_url: str = "http://127.0.0.1:9",
                 window_seconds: float = 6.0, **sections: Any) -> Path:  # fmt: skip
    """Write a configuration for one shop and one warehouse; the default addresses answer nobody."""
    settings: dict[str, Any] = {
        "data_dir": str(folder / "data"),
        "secret_key": secrets.token_urlsafe(48),
        "server": {"port": PORT, "public_url": f"http://127.0.0.1:{PORT}", "hint_delay": "3s"},
        "shops": [
            {
                "key": SHOP,
                "domain": DOMAIN,
                "api_base": shop_url,
                "access_token": ACCESS_TOKEN,
                "client_secrets": [CLIENT_SECRET],
                "subscribe_webhooks": shop_url != "http://127.0.0.1:9",
                "window": {
                    "edit_window": f"{window_seconds}s",
                    "guard": "1s",
                    "min_age": "1s",
                    "quiet": "1s",
                },
            }
        ],
        "clarus": {
            "base_url": warehouse_url,
            "token_url": f"{warehouse_url}/oauth/token",
            "subdomain": SUBDOMAIN,
            "client_id": CLARUS_ID,
            "client_secret": CLARUS_SECRET,
            "webhook_token": "bench",
            "requests_per_second": 500,
            "poll_open_orders_every": "5s",
        },
        **sections,
    }
    config = folder / "pickgate.toml"
    config.write_text(tomli_w.dumps(settings), "utf-8")
    return config


@asynccontextmanager
async def scratch() -> AsyncIterator[Path]:
    """A folder that the embedded database's user may enter, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="pickgate-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@asynccontextmanager
async def running(command: str, config: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, float]]:
    """Run a command until it is ready; yields the process and the seconds that took."""
    began = time.perf_counter()
    log = (config.parent / "log").open("ab")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pickgate.cli", command, "--config", str(config), stdout=log, stderr=log,
        start_new_session=True,
    )  # fmt: skip
    try:
        async with AiohttpTransport() as transport:
            while True:
                if process.returncode is not None:
                    raise RuntimeError((config.parent / "log").read_text("utf-8", "replace")[-2000:])
                with contextlib.suppress(NothingSent, OutcomeUnknown):
                    url = f"http://127.0.0.1:{PORT}/readyz"
                    answer = await transport.send(HttpRequest(method="GET", url=url, timeout_seconds=2))
                    if answer.status == 200:
                        break
                await asyncio.sleep(0.01)
        yield process, time.perf_counter() - began
    finally:
        log.close()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def cli(config: Path, *arguments: str) -> str:
    """Run another command of the same installation; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pickgate.cli", *arguments, "--config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    if process.returncode:
        raise RuntimeError(err.decode("utf-8", "replace"))
    return out.decode()


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process now, from the kernel's accounts."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
