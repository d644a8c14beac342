"""Everything the vendor does not promise, as settings of the twin. The README has the same list with its grounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopifyKnobs:
    """Behaviour of one simulated shop. Seconds, probabilities from 0 to 1, points for query cost."""

    # time
    routing_seconds: float = 2.0
    """Fulfilment orders appear so long after their order."""
    webhook_delay_seconds: tuple[float, float] = (0.1, 1.0)
    """Each webhook leaves after a delay drawn evenly from this range."""
    cancel_job_seconds: float = 0.0
    """orderCancel over the API takes effect so much later (it is a job)."""
    token_seconds: int = 86_400
    """Life of a token from the client-credentials grant."""

    # order edits
    added_line_joins: float = 0.25
    """Chance that an added unit joins an open fulfilment order instead of a new one."""
    increase_as_new_line: float = 0.0
    """Chance that raising a quantity adds a line instead of raising the old one."""
    empty_line_vanishes: float = 0.0
    """Chance that a fulfilment order line lowered to nothing disappears instead of staying with zero."""
    edit_in_progress: bool = True
    """Units of a fulfilment order in progress can still be edited away."""
    app_orders_closed_to_others: bool = True
    """An order that an app created can be edited by that app alone."""
    no_restock_lowers_fulfillment_order: bool = False
    """A NO_RESTOCK refund of unfulfilled units takes them off their fulfilment order too."""

    # fulfilment orders
    hold_in_progress: bool = True
    """A fulfilment order in progress accepts a hold."""
    partial_fulfillment_status: str = ""
    """Status after a part fulfilment; empty: the status it had."""
    merge_closes_originals: bool = True

    # reads
    stale_read_seconds: float = 0.0
    stale_read_probability: float = 0.0
    """This share of order reads shows the order as it was `stale_read_seconds` ago."""
    denied_fields: frozenset[str] = frozenset({"FulfillmentHold.heldByApp"})
    """`Type.field`s that answer null with ACCESS_DENIED beside good data."""
    read_all_orders: bool = True
    """False: orders older than 60 days read as null."""
    fulfillment_orders_visible: bool = True
    """False: as with a missing scope, orders show no fulfilment orders."""

    # bulk reads
    bulk_seconds: float = 5.0
    """A bulk operation runs for so long; it shows the shop as it is at its end."""
    bulk_at_once: int = 5
    bulk_fails_with: str = ""
    """Every bulk operation ends as FAILED with this code; empty: none does."""

    # limits
    bucket_size: float = 2000.0
    restore_rate: float = 100.0
    max_query_cost: int = 1000
    idempotency_hours: float = 24.0

    # webhooks
    api_version: str = "2026-07"
    full_bodies: bool = True
    """False: order webhooks carry the head of the order only (quicker for long simulations)."""
    retry_seconds: tuple[float, ...] = (10, 60, 300, 600, 1200, 2400, 4200, 5600)
    """Waits before each of the retries: eight, over about four hours."""
    failures_until_deleted: int = 8

    # money and ids
    currency: str = "GBP"
    taxes_included: bool = True
    tax_rate: str = "0.20"
    large_ids: frozenset[str] = frozenset({"LineItem", "FulfillmentOrderLineItem"})
    """Kinds whose numbers exceed 2**53, so that a client that goes through floats is caught."""
