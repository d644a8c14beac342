"""The memory twin's exceptions and what people record: the same rules as in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pickgate.domain.facts import Approval, CancelRequest, OperatorHold
from pickgate.domain.findings import Finding
from pickgate.store.codec import encode, without_personal
from pickgate.store.decision_rules import ExceptionChanges, HeldException, book_of, decide_exceptions
from pickgate.store.memory_rows import MemoryException, MemoryOrder

if TYPE_CHECKING:
    from pickgate.store.memory import MemoryStore


class MemoryExceptions:
    def __init__(self) -> None:
        self.all: list[MemoryException] = []
        self._held: dict[str, dict[str, MemoryException]] = {}  # those whose cause holds, by scope and fingerprint

    def open(self) -> list[MemoryException]:
        return [item for item in self.all if item.is_open]

    def reconcile_order(
        self, order: MemoryOrder, findings: Sequence[Finding], now: datetime
    ) -> list[tuple[str, str, str]]:
        """Returns (journal kind, code, why) for each that opened or closed."""
        return self._reconcile(f"order:{order.row}", order.shop, findings, now, order)

    def reconcile_shop(self, shop: str, scope: str, findings: Sequence[Finding], now: datetime) -> None:
        self._reconcile(f"shop:{shop}:{scope}", shop, findings, now, None)

    def open_from_inbox(self, shop: str, finding: Finding, now: datetime) -> None:
        scope = f"inbox:{shop}"
        known = self._held.get(scope, {}).get(finding.fingerprint)
        if known is None:
            self._open(scope, shop, finding, now, None)
            return
        known.summary, known.detail, known.actions = finding.summary, without_personal(finding.detail), finding.actions
        known.count += 1
        known.last_found_at = now

    def let_go(self, item: MemoryException) -> None:
        """Forget that the cause holds: the same fingerprint opens anew."""
        item.cause_holds = False
        self._held.get(item.scope, {}).pop(item.fingerprint, None)

    def _reconcile(
        self, scope: str, shop: str, findings: Sequence[Finding], now: datetime, order: MemoryOrder | None
    ) -> list[tuple[str, str, str]]:
        held = self._held.get(scope)
        if not held and not findings:
            return []
        by_id = {item.id: item for item in (held or {}).values()}
        changes = decide_exceptions([_as_held(item) for item in by_id.values()], findings, now)
        return self._apply(changes, by_id, scope, shop, now, order)

    def _apply(
        self,
        changes: ExceptionChanges,
        by_id: dict[int, MemoryException],
        scope: str,
        shop: str,
        now: datetime,
        order: MemoryOrder | None,
    ) -> list[tuple[str, str, str]]:
        told = []
        for finding in changes.opened:
            self._open(scope, shop, finding, now, order)
            told.append(("exception_opened", finding.code, finding.summary))
        for again in changes.kept:
            item = by_id[again.id]
            item.summary, item.detail, item.actions = again.summary, again.detail, again.actions
            item.count += int(again.counts)
            item.last_found_at = now
        for gone in changes.gone:
            item = by_id[gone.id]
            if item.is_open:
                item.resolved_at, item.resolution, item.closed_by = now, "cause gone", "pickgate"
                told.append(("exception_closed", item.code, "cause gone"))
            self.let_go(item)
        return told

    def _open(self, scope: str, shop: str, finding: Finding, now: datetime, order: MemoryOrder | None) -> None:
        book = book_of(finding.code)
        item = MemoryException(
            id=len(self.all) + 1,
            scope=scope,
            shop=shop,
            code=finding.code,
            fingerprint=finding.fingerprint,
            summary=finding.summary,
            detail=without_personal(finding.detail),
            actions=finding.actions,
            owner=book.team.value,
            severity=book.severity.value,
            opened_at=now,
            last_found_at=now,
            due_at=now + book.due_in,
            order=order.row if order else None,
            order_name=order.name if order else "",
        )
        self.all.append(item)
        self._held.setdefault(scope, {})[finding.fingerprint] = item


def _as_held(item: MemoryException) -> HeldException:
    return HeldException(
        id=item.id,
        fingerprint=item.fingerprint,
        is_open=item.is_open,
        summary=item.summary,
        detail=item.detail,
        actions=item.actions,
        last_found_at=item.last_found_at,
    )


class MemoryOperators:
    """What people record, on a `MemoryStore`. Same signatures and rules as `OperatorActions`; no audit rows."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def set_hold(
        self, order: int, *, actor: str, reason: str, until: datetime | None, expected: str | None, now: datetime
    ) -> bool:
        row = self._expected(order, expected)
        if row is None:
            return False
        row.hold, row.approval = OperatorHold(by=actor, reason=reason, at=now, until=until), None
        return self._changed(row, now, "hold_order", by=actor, reason=reason, until=until)

    async def unset_hold(self, order: int, *, actor: str, reason: str, expected: str | None, now: datetime) -> bool:
        row = self._expected(order, expected)
        if row is None or (row.hold is None and row.cancel_request is None):
            return False
        row.hold = row.cancel_request = None
        return self._changed(row, now, "unhold_order", by=actor, reason=reason)

    async def approve_release(
        self, order: int, *, actor: str, reason: str, expected: str | None, now: datetime
    ) -> bool:
        row = self._expected(order, expected)
        if row is None or row.decision is None or not row.decision.fingerprint:
            return False
        row.approval = Approval(by=actor, reason=reason, at=now, fingerprint=row.decision.fingerprint)
        row.cancel_request = None
        return self._changed(row, now, "release_order", by=actor, reason=reason)

    async def request_cancel(self, order: int, *, actor: str, reason: str, expected: str | None, now: datetime) -> bool:
        row = self._expected(order, expected)
        if row is None:
            return False
        row.cancel_request, row.approval = CancelRequest(by=actor, reason=reason, at=now), None
        return self._changed(row, now, "cancel_in_warehouse", by=actor, reason=reason)

    async def assign_exceptions(
        self, ids: Sequence[int], *, actor: str, reason: str, assignee: str | None, now: datetime
    ) -> Sequence[int]:
        found = self._open(ids)
        for item in found:
            item.assignee = assignee
        return [item.id for item in found]

    async def snooze_exceptions(
        self, ids: Sequence[int], *, actor: str, reason: str, until: datetime, now: datetime
    ) -> Sequence[int]:
        found = self._open(ids)
        for item in found:
            item.snoozed_until = until
        return [item.id for item in found]

    async def resolve_exceptions(self, ids: Sequence[int], *, actor: str, reason: str, now: datetime) -> Sequence[int]:
        found = self._open(ids)
        for item in found:
            item.resolved_at, item.resolution, item.closed_by = now, reason or "resolved", actor
            if item.scope.startswith("inbox:"):
                self._store.exceptions.let_go(item)
        return [item.id for item in found]

    def version_of(self, order: int) -> str:
        """The version that `expected` is compared with."""
        row = self._store.orders[order]
        return f"{row.digest[:12] or 'new'}-{row.people}"

    def _expected(self, order: int, expected: str | None) -> MemoryOrder | None:
        row = self._store.orders.get(order)
        return row if row is not None and expected in (None, self.version_of(order)) else None

    def _open(self, ids: Sequence[int]) -> list[MemoryException]:
        wanted = set(ids)
        return [item for item in self._store.exceptions.all if item.id in wanted and item.is_open]

    def _changed(self, row: MemoryOrder, now: datetime, action: str, **detail: Any) -> bool:
        self._store.record_person(row, action, {key: encode(value) for key, value in detail.items() if value}, now)
        return True
