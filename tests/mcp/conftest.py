"""A desk, and an MCP client that asks it, for each test that wants them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from console.desk import Desk, open_desk
from mcp.asking import Mcp


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with open_desk(database) as opened:
        yield opened


@pytest.fixture
async def mcp(desk: Desk) -> AsyncIterator[Mcp]:
    async with aiohttp.ClientSession() as http:
        yield Mcp(desk, http)
