"""Both stores: what is due, a ledger that only grows, exceptions of their own scope, months that stay closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

import cast
from contracts.keeping import NOON, Kept, after, decision, finding
from decisions.ledger_cast import agreed, money, paid, sale
from flows.money_kit import money_store
from pickgate.domain.ledger import build_ledger
from pickgate.domain.ledger_check import reconcile
from pickgate.domain.ledger_facts import OrderMoney, Unusable
from pickgate.domain.money import Money
from pickgate.domain.money_report import Report
from pickgate.domain.money_sheets import Sheet
from pickgate.domain.shop import Fulfilment
from pickgate.flows.money_ports import DueMoney, MoneyStore
from pickgate.store.postgres import PostgresStore

PLACED = money(agreed("1", sale("1", 2400, tax=400, units=2)), paid("1", 2400))


async def look(kept: Kept, order_id: str = "5001", *, now: Any = NOON, **more: Any) -> int:
    """What a look of an order leaves behind. Returns its row."""
    lease = await kept.lease(order_id, at=now)
    await kept.decide(lease, decision(), order=cast.order(id=order_id, **more), now=now)
    await kept.store.end_look(lease, next_look_at=None, failed=None, now=now)
    return lease.order


async def claim(store: MoneyStore, now: Any = NOON) -> list[DueMoney]:
    return list(await store.claim_money(now=now, limit=10, lease_seconds=60))


async def record(store: MoneyStore, due: DueMoney, said: OrderMoney, now: Any = NOON, **more: Any) -> list[str]:
    ledger = build_ledger(said)
    assert not isinstance(ledger, Unusable)
    values = {"findings": (), "compare_again_at": None} | more
    posted = await store.record_money(
        due, money=said, transactions=ledger, differences=reconcile(ledger, said), now=now, **values
    )
    return [f"{one.source} v{one.version}" for one in posted]


async def test_an_order_is_due_once_for_each_change_of_its_money(kept: Kept) -> None:
    store = money_store(kept)
    row = await look(kept)
    (due,) = await claim(store)
    assert (due.order, due.shop, due.order_id, due.name, due.since, due.tries) == (
        row, "uk", "5001", "#1001", NOON, 0,
    )  # fmt: skip
    assert await claim(store, after(59)) == []
    await record(store, due, PLACED, after(1))
    await look(kept, now=after(100), tags=("new",), note="a new note")
    assert await claim(store, after(200)) == []
    await look(kept, now=after(300), totals=cast.totals(outstanding=1))
    assert [one.order for one in await claim(store, after(300))] == [row]


@pytest.mark.parametrize(
    "change",
    [
        {"totals": cast.totals(refunded=1)},
        {"lines": (cast.line("A", 2),)},
        {"lines": (cast.line("A", 1, unit_price=Money(5, "GBP")),)},
        {"cancelled_at": NOON},
        {"fulfilments": (Fulfilment(id="9", lines=(("A", 1),)),)},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_whatever_money_hangs_on_makes_it_due(kept: Kept, change: dict[str, Any]) -> None:
    store = money_store(kept)
    await look(kept)
    (due,) = await claim(store)
    await record(store, due, PLACED)
    await look(kept, now=after(60), **change)
    assert len(await claim(store, after(60))) == 1


async def test_test_orders_have_no_books(kept: Kept) -> None:
    store = money_store(kept)
    row = await look(kept, test=True)
    assert await claim(store) == []
    assert await store.claim_money_of(order=row, now=NOON, lease_seconds=60) is None


async def test_a_claim_that_is_not_answered_is_due_again(kept: Kept) -> None:
    store = money_store(kept)
    await look(kept)
    assert len(await claim(store)) == 1
    assert len(await claim(store, after(60))) == 1


async def test_one_order_can_be_asked_for_before_it_is_due(kept: Kept) -> None:
    store = money_store(kept)
    row = await look(kept)
    (due,) = await claim(store)
    await record(store, due, PLACED)
    again = await store.claim_money_of(order=row, now=after(5), lease_seconds=60)
    assert again is not None
    assert (again.order, again.since) == (row, after(5))
    assert await record(store, again, PLACED, after(6)) == []
    assert await claim(store, after(999)) == []


async def test_the_ledger_grows_and_keeps_every_booking(kept: Kept) -> None:
    store = money_store(kept)
    row = await look(kept)
    (due,) = await claim(store)
    assert await record(store, due, PLACED) == ["agreement:1 v1", "payment:1 v1"]
    assert await record(store, due, PLACED, after(1)) == []
    corrected = money(agreed("1", sale("1", 2400, tax=401, units=2)), paid("1", 2400))
    assert await record(store, due, corrected, after(2)) == ["agreement:1 v2", "agreement:1 v3"]
    booked = await store.load_transactions(row)
    assert [(b.transaction.source, b.transaction.version, b.booked_at, b.first_at) for b in booked] == [
        ("agreement:1", 1, NOON, NOON), ("payment:1", 1, NOON, NOON),
        ("agreement:1", 2, after(2), NOON), ("agreement:1", 3, after(2), NOON),
    ]  # fmt: skip
    assert booked[0].transaction == build_ledger(PLACED)[0]  # type: ignore[index]  # it is usable


async def test_an_older_answer_changes_nothing(kept: Kept) -> None:
    store = money_store(kept)
    row = await look(kept)
    (due,) = await claim(store)
    await record(store, due, PLACED)
    older = money(agreed("1", sale("1", 999)))
    older = OrderMoney(**{name: getattr(older, name) for name in OrderMoney.__slots__} | {"read_at": NOON})
    assert await record(store, due, older, after(1), findings=[finding("MONEY_UNEXPLAINED")]) == []
    assert len(await store.load_transactions(row)) == 2
    assert await kept.exceptions() == []


async def test_a_change_that_comes_meanwhile_keeps_it_due(kept: Kept) -> None:
    store = money_store(kept)
    await look(kept)
    (due,) = await claim(store)
    await look(kept, now=after(5), totals=cast.totals(outstanding=7))
    await record(store, due, PLACED, after(6))
    assert len(await claim(store, after(6))) == 1


async def test_money_exceptions_are_the_orders_and_not_the_looks(kept: Kept) -> None:
    store = money_store(kept)
    row = await look(kept)
    (due,) = await claim(store)
    unexplained = finding("MONEY_UNEXPLAINED", fingerprint="m1")
    await record(store, due, PLACED, findings=[unexplained], compare_again_at=after(60))
    await look(kept, now=after(5))  # a look that finds nothing leaves it alone
    (open_one,) = await kept.exceptions()
    assert (open_one["code"], open_one["owner"], open_one["order_name"], open_one["resolved_at"]) == (
        "MONEY_UNEXPLAINED", "finance", "#1001", None,
    )  # fmt: skip
    (due,) = await claim(store, after(60))
    assert due.tries == 1
    await record(store, due, PLACED, after(61))
    (closed,) = await kept.exceptions()
    assert (closed["resolved_at"], closed["resolution"]) == (after(61), "cause gone")
    told = [(kind, detail["code"]) for kind, detail in await kept.journal(row) if "exception" in kind]
    assert told == [("exception_opened", "MONEY_UNEXPLAINED"), ("exception_closed", "MONEY_UNEXPLAINED")]


async def test_what_could_not_be_read_is_put_off_and_said(kept: Kept) -> None:
    store = money_store(kept)
    await look(kept)
    (due,) = await claim(store)
    await store.put_off_money(due, why="Down.", again_at=after(60), findings=None, now=NOON)
    assert await kept.exceptions() == []
    (again,) = await claim(store, after(60))
    assert (again.since, again.tries) == (NOON, 1)
    (books,) = await store.load_books(first=NOON - timedelta(days=1), after=after(1), shops=None)
    assert (books.unusable, books.reconciled_at, books.transactions) == ("Down.", None, ())
    found = [finding("MONEY_UNEXPLAINED", fingerprint="unread")]
    await store.put_off_money(again, why="Still down.", again_at=None, findings=found, now=after(60))
    assert [row["fingerprint"] for row in await kept.exceptions()] == ["unread"]
    assert await claim(store, after(9999)) == []


async def test_books_come_with_the_whole_family_and_within_shops(kept: Kept) -> None:
    store = money_store(kept)
    old, new = NOON - timedelta(days=40), NOON
    lease = await kept.lease("1")
    await kept.decide(lease, decision(superseded_by="#2"), order=cast.order(id="1", name="#1", created_at=old))
    lease = await kept.lease("2")
    await kept.decide(lease, decision(supersedes=("#1",)), order=cast.order(id="2", name="#2", created_at=new))
    await claim(store)
    for first, until in ((old, old), (new, new)):
        span = {"first": first, "after": until + timedelta(hours=1)}
        assert [one.name for one in await store.load_books(**span, shops=None)] == ["#1", "#2"]
        assert await store.load_books(**span, shops=frozenset({"us"})) == []


async def test_a_month_is_closed_once_and_stays(kept: Kept) -> None:
    store = money_store(kept)
    sheet = Sheet(name="summary", title="t", columns=("a", "b"), rows=(("x", Money(5, "GBP")),), totals=((None, 3),))
    report = Report(month="2026-10", zone="UTC", made_at=NOON, sheets=(sheet,), ties=True)
    assert await store.find_close("2026-10", shop="uk") is None
    assert await store.record_close(report, shop="uk", by="ann", reason="done", now=after(1))
    assert not await store.record_close(report, shop="uk", by="bo", reason="", now=after(2))
    frozen = await store.find_close("2026-10", shop="uk")
    assert frozen is not None
    assert (frozen.closed_at, frozen.closed_by, frozen.sheets) == (after(1), "ann", (sheet,))
    assert await store.list_closes(shops=None) == {("uk", "2026-10"): after(1)}
    assert await store.list_closes(shops=frozenset({"us"})) == {}


# ── the database itself ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.postgres
@pytest.mark.parametrize("change", ["UPDATE {} SET shop = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", ["ledger_transactions", "money_months"])
async def test_the_database_refuses_to_change_what_is_booked(
    kept_in_postgres: Kept, postgres_store: PostgresStore, change: str, table: str
) -> None:
    store = money_store(kept_in_postgres)
    await look(kept_in_postgres)
    (due,) = await claim(store)
    await record(store, due, PLACED)
    report = Report(month="2026-10", zone="UTC", made_at=NOON, sheets=(), ties=True)
    await store.record_close(report, shop="uk", by="ann", reason="", now=NOON)
    async with postgres_store.database.session() as session:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.connection.execute(change.format(table))


@pytest.mark.postgres
@pytest.mark.parametrize(
    "entries",
    [
        "[]",
        '[{"minor": 1, "currency": "GBP", "customer_minor": 0, "customer_currency": "GBP"}]',
        '[{"minor": 1, "currency": "GBP", "customer_minor": 1, "customer_currency": "GBP"},'
        ' {"minor": -1, "currency": "EUR", "customer_minor": -1, "customer_currency": "GBP"}]',
        '[{"minor": 1, "currency": "GBP", "customer_minor": 1, "customer_currency": "EUR"},'
        ' {"minor": -1, "currency": "GBP", "customer_minor": -2, "customer_currency": "EUR"}]',
    ],
)
async def test_the_database_refuses_what_does_not_balance(
    kept_in_postgres: Kept, postgres_store: PostgresStore, entries: str
) -> None:
    row = await look(kept_in_postgres)
    async with postgres_store.database.session() as session:
        with pytest.raises(asyncpg.CheckViolationError):
            await session.connection.execute(
                "INSERT INTO ledger_transactions"
                " (order_row, shop, source, version, kind, at, first_at, booked_at, entries)"
                " VALUES ($1, 'uk', 'x', 1, 'sale', now(), now(), now(), $2::text::jsonb)",
                row,
                entries,
            )


@pytest.mark.postgres
async def test_entries_can_be_asked_for_as_a_table(kept_in_postgres: Kept, postgres_store: PostgresStore) -> None:
    store = money_store(kept_in_postgres)
    await look(kept_in_postgres)
    (due,) = await claim(store)
    await record(store, due, PLACED)
    async with postgres_store.database.session() as session:
        rows = await session.connection.fetch(
            "SELECT account, sum(minor)::bigint AS minor FROM ledger_entries GROUP BY account ORDER BY account"
        )
    assert [tuple(row) for row in rows] == [("goods", -2000), ("receivable", 0), ("received", 2400), ("tax", -400)]


@pytest.mark.postgres
async def test_closing_a_month_is_audited(kept_in_postgres: Kept, postgres_store: PostgresStore) -> None:
    report = Report(month="2026-10", zone="UTC", made_at=NOON, sheets=(), ties=True)
    await money_store(kept_in_postgres).record_close(report, shop="uk", by="ann", reason="done", now=NOON)
    async with postgres_store.database.session() as session:
        rows = await session.connection.fetch("SELECT at, actor, action, subject, shop, reason FROM audit")
    assert [tuple(row) for row in rows] == [(NOON, "ann", "close_month", "month 2026-10", "uk", "done")]
