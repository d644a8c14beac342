"""Every figure that `/metrics` shows, named once. One `Metrics` per process; bootstrap hands it to whoever counts.

Counters are counted where the thing happens; gauges are set from one reading of the store when they are asked for.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The process's counters, gauges and histograms, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.intake = Counter(
            "pickgate_intake_webhooks",
            "Webhooks by source and result: stored, duplicate, forged, unknown, too_large, encoded, method, unstored",
            ("source", "result"),
            registry=registry,
        )
        self.intake_seconds = Histogram(
            "pickgate_intake_seconds",
            "Seconds from the first byte of a stored webhook to its answer",
            ("source",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.intake_batch_size = Histogram(
            "pickgate_intake_batch_size",
            "Webhooks that shared one commit",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200),
            registry=registry,
        )
        self.looks = Counter(
            "pickgate_looks",
            "Looks by result: settled, look_again, try_again, stopped, lost",
            ("result",),
            registry=registry,
        )
        self.look_seconds = Histogram("pickgate_look_seconds", "Seconds per look", buckets=_SECONDS, registry=registry)
        self.effects = Counter(
            "pickgate_effects",
            "Effects by kind and outcome: confirmed, refused, unknown, not_sent, lost",
            ("kind", "outcome"),
            registry=registry,
        )
        self.vendor_calls = Counter(
            "pickgate_vendor_calls",
            "Requests that left, by vendor, operation and outcome",
            ("vendor", "operation", "outcome"),
            registry=registry,
        )
        self.vendor_seconds = Histogram(
            "pickgate_vendor_seconds", "Seconds per request that left", ("vendor",), buckets=_SECONDS, registry=registry
        )
        self.operations = Counter(
            "pickgate_operations",
            "Operations asked for, by skin and result: done, previewed, or the code of the refusal",
            ("operation", "result"),
            registry=registry,
        )
        self.logins = Counter(
            "pickgate_logins", "Log-ins by result: done, refused, limited", ("result",), registry=registry
        )
        self.http = Counter(
            "pickgate_http_requests", "Answers by route and status", ("route", "status"), registry=registry
        )
        self.open_exceptions = Gauge(
            "pickgate_open_exceptions", "Open exceptions by owning team", ("team",), registry=registry
        )
        self.inbox_pending = Gauge(
            "pickgate_inbox_pending", "Webhooks stored and not yet turned into looks", registry=registry
        )
        self.inbox_oldest_seconds = Gauge(
            "pickgate_inbox_oldest_seconds", "Age of the oldest pending webhook", registry=registry
        )
        self.inbox_unaccounted = Gauge(
            "pickgate_inbox_unaccounted", "Webhooks received minus every verdict and the pending; 0", registry=registry
        )
        self.looks_due = Gauge("pickgate_looks_due", "Orders whose next look is due", registry=registry)
        self.looks_oldest_seconds = Gauge(
            "pickgate_looks_oldest_seconds", "How long the most overdue look has waited", registry=registry
        )
        self.effects_unknown = Gauge(
            "pickgate_effects_unknown", "Effects whose outcome nobody knows yet", registry=registry
        )

        self.orders = Gauge("pickgate_orders", "Orders by state", ("state",), registry=registry)
        self.gauges_fresh = Gauge(
            "pickgate_gauges_fresh", "1: the gauges were just read; 0: the database was away", registry=registry
        )

    def render(self) -> bytes:
        """Render everything in the Prometheus text format."""
        return generate_latest(self.registry)
