"""What people record: holds, approvals, cancel requests, and their work on exceptions.

Each change and its audit row are one transaction. `expected` is the version of the order that the person saw
(`version_of`); a newer one changes nothing and answers False: the loser of two sees what happened first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from pickgate.store.codec import clean_text, encode
from pickgate.store.connection import Database, Session
from pickgate.store.rows import JournalEntry, append_journal


def version_of(digest: str, people: int) -> str:
    """Name the version of an order that a person sees: the last decision, and what people have recorded since."""
    return f"{digest[:12] or 'new'}-{people}"


class OperatorActions:
    """Every change counts as a hint: the order is looked at next, and a release that is under way is called off."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set_hold(
        self, order: int, *, actor: str, reason: str, until: datetime | None, expected: str | None, now: datetime
    ) -> bool:
        """Hold the order; replaces an earlier hold, and ends an approval."""
        return await self._change(
            order, "hold_order", "hold", ["hold", "approval"], actor, reason, expected, now, until=until
        )

    async def unset_hold(self, order: int, *, actor: str, reason: str, expected: str | None, now: datetime) -> bool:
        """End the hold, and a request to take it back. False, too, when there is neither."""
        return await self._change(order, "unhold_order", None, ["hold", "cancel"], actor, reason, expected, now)

    async def approve_release(
        self, order: int, *, actor: str, reason: str, expected: str | None, now: datetime
    ) -> bool:
        """Approve the content of the last decision, and that alone; ends a request to take it back.

        False, too, when nothing has been decided yet: there is no content to approve.
        """
        return await self._change(
            order, "release_order", "approval", ["approval", "cancel"], actor, reason, expected, now
        )

    async def request_cancel(self, order: int, *, actor: str, reason: str, expected: str | None, now: datetime) -> bool:
        """Ask to take it back from the warehouse and keep it; ends an approval."""
        return await self._change(
            order, "cancel_in_warehouse", "cancel", ["cancel", "approval"], actor, reason, expected, now
        )

    async def assign_exceptions(
        self, ids: Sequence[int], *, actor: str, reason: str, assignee: str | None, now: datetime
    ) -> Sequence[int]:
        """Give open exceptions to somebody; None takes them off everybody. Returns the ones that were changed."""
        values = {"assignee": clean_text(assignee) if assignee is not None else None}
        return await self._change_exceptions(ids, "assign_exception", "assign_exceptions", values, actor, reason, now)

    async def snooze_exceptions(
        self, ids: Sequence[int], *, actor: str, reason: str, until: datetime, now: datetime
    ) -> Sequence[int]:
        """Put open exceptions aside until a time. Returns the ones that were changed."""
        return await self._change_exceptions(
            ids, "snooze_exception", "snooze_exceptions", {"until": until}, actor, reason, now
        )

    async def resolve_exceptions(self, ids: Sequence[int], *, actor: str, reason: str, now: datetime) -> Sequence[int]:
        """Close open exceptions by hand; they stay closed while their cause holds. Returns those that were closed."""
        values = {"now": now, "resolution": clean_text(reason) or "resolved", "by": actor}
        return await self._change_exceptions(
            ids, "resolve_exceptions", "resolve_exceptions", values, actor, reason, now
        )

    async def _change(
        self,
        order: int,
        action: str,
        kind: str | None,
        ends: Sequence[str],
        actor: str,
        reason: str,
        expected: str | None,
        now: datetime,
        *,
        until: datetime | None = None,
    ) -> bool:
        async def change(session: Session) -> bool:
            row = await session.fetchrow("lock_order_for_person", order_row=order)
            if row is None or expected not in (None, version_of(row["digest"], row["people"])):
                return False
            if kind == "approval" and not row["fingerprint"]:
                return False
            before = _by_kind(await session.fetch("open_operator_records", order_row=order))
            ended = await session.execute("end_operator_records", order_row=order, kinds=list(ends), by=actor, now=now)
            if kind is None and not ended:
                return False
            if kind is not None:
                await session.execute(
                    "add_operator_record",
                    order_row=order,
                    kind=kind,
                    by=clean_text(actor),
                    reason=clean_text(reason),
                    until=until,
                    fingerprint=row["fingerprint"] if kind == "approval" else "",
                    now=now,
                )
            after = _by_kind(await session.fetch("open_operator_records", order_row=order))
            await record_audit(
                session,
                at=now,
                actor=actor,
                action=action,
                subject=f"order {order} {row['name'] or row['order_id']}",
                shop=row["shop"],
                reason=reason,
                before=before,
                after=after,
            )
            said = {"by": actor, "reason": reason, "until": encode(until)}
            detail = {key: value for key, value in said.items() if value}
            entry = JournalEntry(order_row=order, shop=row["shop"], at=now, kind=action, detail=detail)
            await append_journal(session, [entry])
            await session.execute("wake_row", order_row=order, now=now, because=f"{action} by {clean_text(actor)}")
            return True

        return await self._database.transact(change)

    async def _change_exceptions(
        self,
        ids: Sequence[int],
        action: str,
        query: str,
        values: Mapping[str, Any],
        actor: str,
        reason: str,
        now: datetime,
    ) -> Sequence[int]:
        async def change(session: Session) -> list[int]:
            rows = await session.fetch("lock_open_exceptions", ids=list(ids))
            found = [row["id"] for row in rows]
            if found:
                await session.execute(query, ids=found, **values)
            for row in rows:
                await record_audit(
                    session,
                    at=now,
                    actor=actor,
                    action=action,
                    subject=f"exception {row['id']} {row['code']} {row['order_name']}".strip(),
                    shop=row["shop"],
                    reason=reason,
                    before={
                        "state": "open",
                        "assignee": row["assignee"],
                        "snoozed_until": encode(row["snoozed_until"]),
                    },
                    after=encode({name: value for name, value in values.items() if name not in ("now", "by")}),
                )
            return found

        return await self._database.transact(change)


async def record_audit(
    session: Session,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    shop: str = "",
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Append to the audit, in the transaction of the change."""
    await session.execute(
        "append_audit",
        at=at,
        actor=clean_text(actor),
        action=action,
        subject=clean_text(subject),
        shop=shop,
        reason=clean_text(reason),
        before=encode(before or {}),
        after=encode(after or {}),
    )


def _by_kind(rows: Sequence[asyncpg.Record]) -> dict[str, Any]:
    return {
        row["kind"]: {"by": row["by"], "reason": row["reason"], "at": row["at"], "until": row["until"]} for row in rows
    }
