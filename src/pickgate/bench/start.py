"""How long from the command to "ready", the embedded database included."""

from __future__ import annotations

import statistics

from pickgate.bench.stage import running, scratch, write_config


async def bench_start(*, rounds: int = 3) -> list[tuple[str, str]]:
    """Cold: an empty data folder. Warm: the folder is there, nothing runs. Medians."""
    cold: list[float] = []
    warm: list[float] = []
    for _ in range(rounds):
        async with scratch() as folder:
            config = write_config(folder)
            for figures in (cold, warm):
                async with running("serve", config) as (_, seconds):
                    figures.append(seconds)
    return [
        ("start to ready, cold, seconds", f"{statistics.median(cold):.2f}"),
        ("start to ready, warm, seconds", f"{statistics.median(warm):.2f}"),
    ]
