"""The long crash proof: 150 places, 15 kills of the intake, PostgreSQL killed 30 times, at the real lease."""

from __future__ import annotations

import pytest

from pickgate.proofs.prove import prove_crashes

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(1800)]


async def test_nothing_is_lost_and_nothing_is_doubled_at_any_place() -> None:
    figures = dict(await prove_crashes(150, 30))
    assert figures["webhooks lost, effects doubled, orders stuck"] == "0"
    assert figures["workers killed"].startswith("150 ")
    assert (figures["intake killed"], figures["PostgreSQL killed"]) == ("15", "30")
