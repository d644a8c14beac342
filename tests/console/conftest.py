"""A desk for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from console.desk import Desk, open_desk


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with open_desk(database) as opened:
        yield opened
