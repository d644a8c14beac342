"""Starts commands quickly: one process has imported everything, and forks a child for each command it is told of.

What runs in a child is `pickgate COMMAND --config FILE`, entered where the console script enters it. Only the time for
importing is saved: many crash points in little time. Run as `python -m pickgate.proofs.nursery`, told of commands by
JSON lines on its standard input; it answers with lines of its own (`started`, `ended`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pickgate.simulation.processes import Running


class Nursery:
    """The other side of that process. Use `open`; `close` ends it, but none of its children: they are their stage's."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._started: asyncio.Queue[int] = asyncio.Queue()
        self._turn = asyncio.Lock()
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def open(cls) -> Nursery:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        return cls(process)

    async def start(self, command: str, config: Path, *, number: int, environment: Mapping[str, str]) -> Running:
        """Start a command, as `processes.start_command` does."""
        log = config.parent / f"{command.replace(' ', '-')}-{number}.log"
        told = {
            "arguments": [*command.split(), "--config", str(config)], "log": str(log), "environment": {**environment},
        }  # fmt: skip
        log.touch()
        assert self._process.stdin is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(told).encode() + b"\n")
            await self._process.stdin.drain()
            pid = await self._started.get()
        return Running(command=command, pid=pid, ended=self._ends[pid], log=log)

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), 5)
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        loop = asyncio.get_running_loop()
        while line := await self._process.stdout.readline():
            told = json.loads(line)
            if "started" in told:
                self._ends[told["started"]] = loop.create_future()
                self._started.put_nowait(told["started"])
            elif not self._ends[told["ended"]].done():
                self._ends[told["ended"]].set_result(told["code"])


def main() -> None:
    """Fork for each line until the input ends, and tell of each child that has ended."""
    import pickgate.cli.demo
    import pickgate.cli.serve  # noqa: F401 - the point of it all

    waiting = b""
    children: set[int] = set()
    open_input = True
    while open_input or children:
        ready, _, _ = select.select([0] if open_input else [], [], [], 0.01)
        if ready:
            chunk = os.read(0, 65536)
            open_input = bool(chunk)
            *lines, waiting = (waiting + chunk).split(b"\n")
            for line in lines:
                children.add(_fork(json.loads(line)))
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                children.discard(pid)
                _say({"ended": pid, "code": os.waitstatus_to_exitcode(status)})
        if not open_input:
            return


def _fork(told: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        _say({"started": pid})
        return pid
    code = 70
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        log = os.open(told["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.environ.update(told["environment"])
        from pickgate.cli import cli

        try:
            cli.main(args=told["arguments"], prog_name="pickgate")
            code = 0
        except SystemExit as done:
            code = done.code if isinstance(done.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _say(answer: dict[str, int]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
