"""The @idempotent directive: mandatory at run time on some mutations, remembered for a day."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pickgate.twins.shopify.graph.answers import Answer, failed
from pickgate.twins.shopify.graph.paging import Args
from pickgate.twins.shopify.graph.plan import Reader, Request
from pickgate.twins.shopify.model import Refused, TopLevelError
from pickgate.twins.shopify.state import Replay


def idempotent(name: str, do: Callable[[Request, Args], Answer]) -> Reader:
    """Wrap a mutation: no key is a top-level error, a known key replays, other variables are a mismatch."""

    def reader(_: Any, request: Request, args: Args) -> Answer:
        shop = request.shop
        if request.key is None or not request.key.strip():
            raise TopLevelError("BAD_REQUEST", f"The @idempotent directive is required for this mutation: {name}")
        asked = json.dumps([name, args], sort_keys=True, default=str)
        since = shop.now() - timedelta(hours=shop.knobs.idempotency_hours)
        known = shop.replays.get((request.app.id, request.key))
        if known is not None and known.at >= since:
            if known.asked == asked:
                answer: Answer = known.answer
                return answer
            return failed(
                Refused(
                    "The same idempotency key cannot be used with different parameters.",
                    code="IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
                )
            )
        made = do(request, args)
        shop.replays[request.app.id, request.key] = Replay(shop.now(), asked, made)
        return made

    return reader
