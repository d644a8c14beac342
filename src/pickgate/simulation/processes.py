"""The shipped commands as processes: started in a session of their own, ended by their number and no other way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pickgate.http import HttpRequest, NothingSent, OutcomeUnknown, Transport


class NotStarted(Exception):
    """A command ended, or was not ready in time. The text ends with the last lines of its log."""


@dataclass(slots=True, kw_only=True)
class Running:
    """One command that runs. Its log is a file, so that no pipe fills up and no dead process keeps one open."""

    command: str
    pid: int
    ended: asyncio.Future[int]
    log: Path

    @property
    def is_over(self) -> bool:
        return self.ended.done()

    async def wait(self, seconds: float) -> int | None:
        """Wait for its end, at most so long. Returns the exit code; a signal's is negative; None: it still runs."""
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(self.ended), seconds)
        return None

    async def kill(self) -> None:
        """kill -9: no handler runs, nothing is flushed."""
        self.signal(signal.SIGKILL)
        await self.ended

    async def stop(self) -> int:
        """Ask it to stop, as a supervisor would, and force it after half a minute. Returns the exit code."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if await self.wait(30) is None:
            await self.kill()
        return await self.ended

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if not self.is_over:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def until_logged(self, word: str, *, seconds: float = 30.0) -> None:
        """Wait for a word in its log. Raises NotStarted when it ends before, or is not in time."""
        deadline = asyncio.get_running_loop().time() + seconds
        while word not in self.read_log():
            if self.is_over or asyncio.get_running_loop().time() > deadline:
                raise NotStarted(f"`pickgate {self.command}`: no {word!r}. Its log ends: {self.read_log()[-1500:]}")
            await asyncio.sleep(0.02)

    def read_log(self) -> str:
        return self.log.read_text("utf-8", "replace")


async def start_command(
    command: str, config: Path, *, number: int = 0, environment: Mapping[str, str] | None = None
) -> Running:
    """Start `pickgate COMMAND --config FILE` in its own session. Does not wait for anything.

    `environment`: all of it; None: this process's own.
    """
    log = config.parent / f"{command.replace(' ', '-')}-{number}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pickgate.cli", *command.split(), "--config", str(config),
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            env=environment,
        )  # fmt: skip
    ended = asyncio.ensure_future(process.wait())
    return Running(command=command, pid=process.pid, ended=ended, log=log)


async def until_ready(running: Running, base: str, transport: Transport, *, seconds: float = 60.0) -> None:
    """Wait until `/readyz` says yes. Raises NotStarted when the command ends before, or is not in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    request = HttpRequest(method="GET", url=f"{base}/readyz", timeout_seconds=2)
    while True:
        if running.is_over:
            raise NotStarted(f"`pickgate {running.command}` ended at once. Its log ends: {running.read_log()[-1500:]}")
        with contextlib.suppress(NothingSent, OutcomeUnknown):
            if (await transport.send(request)).status == 200:
                return
        if loop.time() > deadline:
            raise NotStarted(f"`pickgate {running.command}` is not ready after {seconds:.0f} s; see {running.log}")
        await asyncio.sleep(0.01)


async def run_command(config: Path, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Run a command to its end. Returns the exit code, what it printed, and what it complained."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pickgate.cli", *arguments, "--config", str(config),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate(stdin.encode())
    return process.returncode or 0, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
