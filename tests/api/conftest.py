"""A desk, and a program that asks it, for each test that wants them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from api.client import Client
from console.desk import Desk, open_desk


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with open_desk(database) as opened:
        yield opened


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as http:
        yield Client(desk, http)
