"""Bulk reads: the operation, and the file of its result. How a query becomes lines is in `graph/bulk_lines.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pickgate.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from pickgate.twins.shopify.state import ShopState

RESULTS = "/bulk-results/"
KEPT = timedelta(days=7)
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(slots=True)
class BulkOperation:
    """One bulk read. `body` is the file: a line for each object."""

    TYPENAME = "BulkOperation"

    id: str
    query: str
    created_at: datetime
    status: str = "CREATED"
    type: str = "QUERY"
    error_code: str | None = None
    completed_at: datetime | None = None
    object_count: int = 0
    root_object_count: int = 0
    file_size: int | None = None
    url: str | None = None
    partial_data_url: str | None = None
    body: bytes = b""

    @property
    def is_running(self) -> bool:
        return self.status in ("CREATED", "RUNNING")


def result_of(shop: ShopState, path: str, request: HttpRequest) -> HttpResponse:
    """Answer for a result file, whole or a range of it. It needs no token: whoever has the address may read it."""
    number = path.removeprefix(RESULTS).removesuffix(".jsonl")
    operation = shop.things.get(f"gid://shopify/BulkOperation/{number}")
    if request.method != "GET":
        return HttpResponse(status=405)
    if not isinstance(operation, BulkOperation) or operation.completed_at is None or not operation.body:
        return HttpResponse(status=404)
    if shop.now() - operation.completed_at > KEPT:
        return HttpResponse(status=403, body=b"<Error><Code>ExpiredToken</Code></Error>")
    size = len(operation.body)
    asked = _RANGE.fullmatch(request.header("Range") or "")
    if asked is None:
        return HttpResponse(status=200, headers={"Content-Type": "application/jsonl"}, body=operation.body)
    first, last = int(asked[1]), min(int(asked[2]) if asked[2] else size - 1, size - 1)
    if first >= size or last < first:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    headers = {"Content-Type": "application/jsonl", "Content-Range": f"bytes {first}-{last}/{size}"}
    return HttpResponse(status=206, headers=headers, body=operation.body[first : last + 1])
