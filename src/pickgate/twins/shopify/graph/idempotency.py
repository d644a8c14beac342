"""The @idempotent directive: mandatory at run time on some mutations, remembered for a day."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pickgate.twins.shopify.graph.answers import Answer, failed
from pickgate.twins.shopify.graph.plan import Args, Reader, Request
from pickgate.twins.shopify.model import Refused, TopLevelError


class Replays:
    """Answers by key, with the variables that made them."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], tuple[datetime, str, Answer]] = {}

    def find(self, app_id: str, key: str, since: datetime) -> tuple[str, Answer] | None:
        found = self._answers.get((app_id, key))
        return found[1:] if found and found[0] >= since else None

    def put(self, app_id: str, key: str, at: datetime, asked: str, answer: Answer) -> None:
        self._answers[app_id, key] = (at, asked, answer)


def idempotent(name: str, do: Callable[[Request, Args], Answer]) -> Reader:
    """Wrap a mutation: no key is a top-level error, a known key replays, other variables are a mismatch."""

    def reader(_: Any, request: Request, args: Args) -> Answer:
        shop = request.shop
        if request.key is None or not request.key.strip():
            raise TopLevelError("BAD_REQUEST", f"The @idempotent directive is required for this mutation: {name}")
        asked = json.dumps([name, args], sort_keys=True, default=str)
        since = shop.now() - timedelta(hours=shop.knobs.idempotency_hours)
        replays: Replays = shop.things.setdefault("replays", Replays())
        known = replays.find(request.app.id, request.key, since)
        if known is not None:
            if known[0] == asked:
                return known[1]
            return failed(
                Refused(
                    "The same idempotency key cannot be used with different parameters.",
                    code="IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
                )
            )
        answer = do(request, args)
        replays.put(request.app.id, request.key, shop.now(), asked, answer)
        return answer

    return reader
