"""A program with an API token, as tests use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from console.desk import Desk
from pickgate.api.rest import PREFIX


class Client:
    def __init__(self, desk: Desk, http: aiohttp.ClientSession) -> None:
        self.desk, self.http = desk, http

    async def ask(
        self, method: str, path: str, *, token: str = "admin", body: Any = None, **params: Any
    ) -> tuple[int, Any, Mapping[str, str]]:
        secret = self.desk.tokens.get(token, token)
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        values = {name: str(value) for name, value in params.items()}
        async with self.http.request(
            method, self.desk.address + PREFIX + path, headers=headers, json=body, params=values
        ) as answer:
            return answer.status, await answer.json(content_type=None), answer.headers

    async def get(self, path: str, *, token: str = "admin", **params: Any) -> Any:
        status, found, _ = await self.ask("GET", path, token=token, **params)
        assert status == 200, found
        return found

    async def post(self, path: str, body: Any, *, token: str = "admin") -> tuple[int, Any]:
        status, found, _ = await self.ask("POST", path, token=token, body=body)
        return status, found
