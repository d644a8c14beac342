"""bulkOperationRunQuery: a mutation by name that only reads. It changes nothing but the list of operations."""

from __future__ import annotations

from typing import Any

from pickgate.twins.shopify.bulk import RESULTS, BulkOperation
from pickgate.twins.shopify.graph.answers import Answer, failed, payload
from pickgate.twins.shopify.graph.paging import Args
from pickgate.twins.shopify.graph.plan import Reader, Request
from pickgate.twins.shopify.ids import number_of
from pickgate.twins.shopify.model import Refused, TopLevelError


def _run_query(_: Any, request: Request, args: Args) -> Answer:
    # Both need every other reader, which this one is part of.
    from pickgate.twins.shopify.graph.bulk_lines import BulkPlan
    from pickgate.twins.shopify.graph.readers import READERS

    shop = request.shop
    try:
        plan = BulkPlan(args["query"], READERS)
        running = [one for one in shop.things.values() if isinstance(one, BulkOperation) and one.is_running]
        if len(running) >= shop.knobs.bulk_at_once:
            raise Refused("A bulk query operation for this app and shop is already in progress.",
                          code="OPERATION_IN_PROGRESS", field=None)  # fmt: skip
    except Refused as refused:
        return failed(refused, bulk_operation=None)
    made = BulkOperation(id=shop.mint.gid("BulkOperation"), query=args["query"], created_at=shop.stamp())
    shop.things[made.id] = made
    app = request.app

    def finish() -> None:
        made.completed_at = shop.stamp()
        if shop.knobs.bulk_fails_with:
            made.status, made.error_code = "FAILED", shop.knobs.bulk_fails_with
            return
        reading = Request(shop, app, {})
        try:
            lines = list(plan.lines(reading))
        except TopLevelError:
            made.status, made.error_code = "FAILED", "INTERNAL_SERVER_ERROR"
            return
        made.status = "COMPLETED"
        made.object_count = len(lines)
        made.root_object_count = sum(is_root for is_root, _ in lines)
        made.body = "".join(f"{line}\n" for _, line in lines).encode()
        if made.body:
            made.file_size = len(made.body)
            made.url = f"{shop.seen_at}{RESULTS}{number_of(made.id)}.jsonl"

    shop.later(shop.knobs.bulk_seconds, finish)
    return payload(bulk_operation=made)


MUTATIONS: dict[str, Reader] = {"bulkOperationRunQuery": _run_query}
