"""What people see: lists with filters, whole orders, raw bodies, health; and the audit of what they did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

import cast
from contracts.keeping import NOON, after, decision, finding, webhook
from pickgate.domain.commands import CreateGoodsOut
from pickgate.domain.decision import ComparisonRow, Gate, OrderState
from pickgate.domain.facts import RecordState
from pickgate.domain.warehouse import Stage
from pickgate.flows.ports import InboxVerdict, Lease, OutcomeNotKnown
from pickgate.store.operators import OperatorActions
from pickgate.store.postgres import PostgresStore
from pickgate.store.reads import Reads

pytestmark = pytest.mark.postgres


@dataclass(frozen=True)
class Orders:
    q: str = ""
    shops: frozenset[str] | None = None
    states: tuple[str, ...] = ()
    gate: str = ""
    held: bool = False
    differs: bool = False
    sort: str = "-created_at"
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class Exceptions:
    q: str = ""
    shops: frozenset[str] | None = None
    state: str = "open"
    codes: tuple[str, ...] = ()
    owner: str = ""
    assignee: str = ""
    order: int | None = None
    sort: str = "due_at"
    limit: int = 50
    offset: int = 0


WINDOW = Gate(code="edit_window", detail="may be edited", until=after(hours=1))
UNPAID = Gate(code="unpaid", detail="owes 3.00")
DIFFERENT = ComparisonRow(
    line_id="A", title="Thing A", sku="SKU-A", shop_units=1, decided_units=1, warehouse_units=2, picked=0, despatched=0,
    fulfilled=0, differs=True,
)  # fmt: skip


@pytest.fixture
def reads(postgres_store: PostgresStore) -> Reads:
    return Reads(postgres_store.database, postgres_store.sealer)


@pytest.fixture
def operators(postgres_store: PostgresStore) -> OperatorActions:
    return OperatorActions(postgres_store.database)


@pytest.fixture
async def day(postgres_store: PostgresStore) -> dict[str, Lease]:
    """Four orders: #1 waits for time, #2 for money, #3 is picked and differs, #4 (of another shop) is despatched."""
    store, leases = postgres_store, {}
    picked = replace(cast.goods_out(1, {"A": 2}, stage=Stage.PICKING, picked={"A": 1}), reference="3-1")
    for number, shop, decided in (
        (1, "uk", decision(gates=(WINDOW,))),
        (2, "uk", decision(OrderState.WAITING, gates=(WINDOW, UNPAID), findings=(finding("EDIT_UNPAID"),))),
        (
            3,
            "uk",
            decision(
                OrderState.PICKING,
                records=(cast.record(1, {"A": 2}, reference="3-1", stage_code="PICK"),),
                comparison=(DIFFERENT,),
                locked=True,
                findings=(
                    finding("LATE_EDIT", fingerprint="a"),
                    finding("PUT_BACK", fingerprint="b", summary="50%_off"),
                ),
            ),
        ),
        (4, "us", decision(OrderState.DESPATCHED)),
    ):
        await store.wake(shop=shop, order_id=f"500{number}", at=NOON, because="x")
        (lease,) = await store.claim(worker="w", now=NOON, lease_seconds=600, limit=1)
        order = cast.order(
            name=f"#{number}", id=f"500{number}", tags=("Gift",), created_at=NOON - timedelta(hours=9 - number)
        )
        await store.record_decision(
            lease, decision=decided, order=order, goods_outs=(picked,) if number == 3 else (), read_at=NOON, now=NOON,
            rulebook_version=7,
        )  # fmt: skip
        leases[f"#{number}"] = lease
    return leases


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (Orders(), ["#4", "#3", "#2", "#1"]),
        (Orders(sort="created_at"), ["#1", "#2", "#3", "#4"]),
        (Orders(sort="name", limit=2, offset=1), ["#2", "#3"]),
        (Orders(sort="-state"), ["#2", "#1", "#3", "#4"]),
        (Orders(sort="next_look_at"), ["#1", "#2", "#3", "#4"]),
        (Orders(q="#3"), ["#3"]),
        (Orders(q=" 5002 "), ["#2"]),
        (Orders(q="3-1"), ["#3"]),
        (Orders(q="SKU-a"), ["#4", "#3", "#2", "#1"]),
        (Orders(q="%"), []),
        (Orders(q="Ada"), []),
        (Orders(shops=frozenset({"us"})), ["#4"]),
        (Orders(shops=frozenset()), []),
        (Orders(states=("picking", "despatched")), ["#4", "#3"]),
        (Orders(gate="unpaid"), ["#2"]),
        (Orders(held=True), ["#2", "#1"]),
        (Orders(differs=True), ["#3"]),
    ],
)
async def test_orders_are_listed(reads: Reads, day: dict[str, Lease], query: Orders, names: list[str]) -> None:
    rows = await reads.list_orders(query)
    assert [row["name"] for row in rows.items] == names
    assert rows.total == (4 if query.limit == 2 else len(names))


async def test_an_order_in_a_list(reads: Reads, day: dict[str, Lease]) -> None:
    (row,) = (await reads.list_orders(Orders(q="5002"))).items
    assert row == {
        "id": day["#2"].order, "shop": "uk", "name": "#2", "shopify_id": "5002", "state": "waiting", "locked": False,
        "created_at": after(hours=-7), "looked_at": None, "next_look_at": None, "differs": False, "open_exceptions": 1,
        "held_by": None,
        "gates": [
            {
                "code": gate.code, "detail": gate.detail, "until": gate.until.isoformat() if gate.until else None,
                "opens_when": "", "by_person": True, "fulfilment_order_id": None, "since": NOON.isoformat(),
            }
            for gate in (WINDOW, UNPAID)
        ],
    }  # fmt: skip


async def test_an_unknown_sort_is_refused(reads: Reads) -> None:
    with pytest.raises(KeyError):
        await reads.list_orders(Orders(sort="name; DROP TABLE orders"))


async def test_an_order_is_found_by_any_of_its_names(reads: Reads, day: dict[str, Lease]) -> None:
    for ref in ("#3", "3", "5003", str(day["#3"].order)):
        assert [row["name"] for row in await reads.find_orders(ref, shops=None)] == ["#3"]
    assert await reads.find_orders("#3", shops=frozenset({"us"})) == []
    for ref in ("#9", "", "x\x00", "9" * 40, "²"):
        assert await reads.find_orders(ref, shops=None) == []


async def test_a_whole_order(reads: Reads, operators: OperatorActions, day: dict[str, Lease]) -> None:
    order = day["#3"].order
    (row,) = await reads.find_orders("#3", shops=None)
    assert row["goods_outs"] == [
        {
            "reference": "3-1", "number": 1, "clarus_id": "301", "fulfilment_order_id": "F1", "group": "",
            "generation": 1, "state": "live", "stage": "PICK", "account": "ACME", "warehouse": "LEEDS",
            "carrier": "DPD", "service": "ND", "priority": None, "created_at": after(hours=-1).isoformat(),
            "lines": [{"product_code": "SKU-A", "quantity": 2, "picked": 1, "despatched": 0}],
        }
    ]  # fmt: skip
    assert [(item["code"], item["state"]) for item in row["exceptions"]] == [
        ("LATE_EDIT", "open"),
        ("PUT_BACK", "open"),
    ]
    assert (row["open_exceptions"], row["tags"], row["locked"], row["differs"]) == (2, ["Gift"], True, True)
    assert row["comparison"][0]["warehouse_units"] == 2
    assert (row["hold"], row["approval"], row["cancel_request"]) == (None, None, None)
    # Acting on the version that was seen works once; the second of two is told by the answer False.
    ask = {"actor": "Ann", "reason": "stop", "expected": row["version"], "now": after(1)}
    assert await operators.set_hold(order, until=None, **ask)
    assert not await operators.set_hold(order, until=None, **ask)
    (row,) = await reads.find_orders("#3", shops=None)
    assert (row["hold"], row["held_by"]) == ({"by": "Ann", "reason": "stop", "at": after(1), "until": None}, "Ann")


async def test_the_timeline_shows_the_newest_first_with_its_body(reads: Reads, postgres_store: PostgresStore) -> None:
    await postgres_store.record_inbox([webhook(body=b"raw")])
    (item,) = await postgres_store.claim_inbox(now=NOON, limit=1)
    wake = InboxVerdict(id=item.id, verdict="hinted", wake=(("uk", "1"),))
    await postgres_store.settle_inbox([wake], now=NOON, delay_seconds=0)
    (lease,) = await postgres_store.claim(worker="w", now=NOON, lease_seconds=30, limit=1)
    await postgres_store.note(lease, kind="seen", detail={"n": 1}, now=after(1))
    rows = await reads.list_journal(lease.order, limit=9, offset=0)
    assert (rows.items, rows.total) == (
        [
            {"at": after(1), "kind": "seen", "detail": {"n": 1}, "body_id": None},
            {"at": NOON, "kind": "hint", "detail": {"source": "shopify", "topic": "orders/edited"}, "body_id": item.id},
        ],
        2,
    )
    assert (await reads.list_journal(lease.order, limit=1, offset=1)).items == rows.items[1:]
    assert await reads.read_body(item.id, shops=None) == b"raw"
    assert await reads.read_body(item.id, shops=frozenset({"us"})) is None
    assert await reads.read_body(item.id + 1, shops=None) is None


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        (Exceptions(), ["LATE_EDIT", "EDIT_UNPAID", "PUT_BACK"]),
        (Exceptions(sort="code"), ["EDIT_UNPAID", "LATE_EDIT", "PUT_BACK"]),
        (Exceptions(sort="-severity"), ["EDIT_UNPAID", "PUT_BACK", "LATE_EDIT"]),
        (Exceptions(owner="cx"), ["LATE_EDIT", "EDIT_UNPAID"]),
        (Exceptions(codes=("PUT_BACK",)), ["PUT_BACK"]),
        (Exceptions(q="#2"), ["EDIT_UNPAID"]),
        (Exceptions(q="50%_"), ["PUT_BACK"]),
        (Exceptions(shops=frozenset({"us"})), []),
        (Exceptions(state="resolved"), []),
        (Exceptions(limit=1, offset=1), ["EDIT_UNPAID"]),
    ],
)
async def test_exceptions_are_listed(reads: Reads, day: dict[str, Lease], query: Exceptions, codes: list[str]) -> None:
    rows = await reads.list_exceptions(query)
    assert [row["code"] for row in rows.items] == codes


async def test_work_on_exceptions_is_seen_and_audited(
    reads: Reads, operators: OperatorActions, day: dict[str, Lease]
) -> None:
    first, second, third = (row["id"] for row in (await reads.list_exceptions(Exceptions())).items)
    versions = {row["id"]: row["version"] for row in await reads.find_exceptions([first, second], shops=None)}
    far = after(days=36500)
    await operators.assign_exceptions([first], actor="Ann", reason="", assignee="Bo", now=after(1))
    await operators.snooze_exceptions([second], actor="Ann", reason="later", until=far, now=after(2))
    await operators.resolve_exceptions([third], actor="Bo", reason="paid", now=after(3))
    found = {row["id"]: row for row in await reads.find_exceptions([first, second, third, 99], shops=None)}
    assert [found[item]["state"] for item in (first, second, third)] == ["open", "snoozed", "resolved"]
    assert (found[first]["assignee"], found[first]["order_name"], found[first]["order_id"]) == (
        "Bo",
        "#3",
        day["#3"].order,
    )
    assert all(found[item]["version"] != versions[item] for item in versions)
    assert [row["id"] for row in (await reads.list_exceptions(Exceptions(state="snoozed"))).items] == [second]
    assert [row["id"] for row in (await reads.list_exceptions(Exceptions(assignee="Bo"))).items] == [first]
    audit = await reads.list_audit(q="", actor="", since=None, shops=None, limit=9, offset=0)
    assert [(row["actor"], row["action"], row["subject"], row["reason"]) for row in audit.items] == [
        ("Bo", "resolve_exceptions", f"exception {third} PUT_BACK #3", "paid"),
        ("Ann", "snooze_exception", f"exception {second} EDIT_UNPAID #2", "later"),
        ("Ann", "assign_exception", f"exception {first} LATE_EDIT #3", ""),
    ]
    assert audit.items[0]["before"] == {"state": "open", "assignee": None, "snoozed_until": None}
    assert (await reads.list_audit(q="UNPAID", actor="Ann", since=after(2), shops=None, limit=9, offset=0)).total == 1
    assert (await reads.list_audit(q="", actor="", since=after(4), shops=None, limit=9, offset=0)).total == 0


async def test_health_counts_what_there_is(reads: Reads, postgres_store: PostgresStore, day: dict[str, Lease]) -> None:
    store, lease = postgres_store, day["#3"]
    await store.record_inbox([webhook("e1"), webhook("e2"), webhook("e2"), webhook("e3")])
    items = await store.claim_inbox(now=NOON, limit=2)
    verdicts = [InboxVerdict(id=items[0].id, verdict="hinted"), InboxVerdict(id=items[1].id, verdict="ignored")]
    await store.settle_inbox(verdicts, now=NOON, delay_seconds=0)
    create = CreateGoodsOut(
        reference="1001-2", order_id="5003", number=2, fulfilment_order_id="F2", group="", generation=1,
        content=cast.content(), expected_despatch_at=NOON, ordered_at=NOON,
    )  # fmt: skip
    await store.begin_effect(lease, create, now=after(5), needs_no_new_hint=False)
    await store.finish_effect(lease, create, OutcomeNotKnown(why="?"), now=after(6))
    await store.wake(shop="uk", order_id="5009", at=after(-60), because="x")
    health = await reads.health(now=after(minutes=30), shops=None)
    assert health == {
        "inbox_accepted": 3, "inbox_duplicates": 1, "inbox_pending": 1, "inbox_oldest_at": NOON, "inbox_unaccounted": 0,
        "inbox_verdicts": {"hinted": 1, "ignored": 1, "duplicate": 0, "exception": 0},
        "looks_due": 1, "looks_oldest_due_at": after(-60),
        "orders_by_state": {"waiting": 3, "picking": 1, "despatched": 1},
        "open_exceptions": {"cx": 2, "ops": 1}, "overdue_exceptions": {"cx": 1, "ops": 0},
        "exceptions_by_code": {"EDIT_UNPAID": 1, "LATE_EDIT": 1, "PUT_BACK": 1},
        "effects_unknown": 1, "effects_oldest_unknown_at": after(5),
        "forecast": [{"hour": after(hours=1), "orders": 1}],
    }  # fmt: skip
    assert (await reads.health(now=NOON, shops=frozenset({"us"})))["orders_by_state"] == {"despatched": 1}
    effects = await reads.list_effects(shops=None, order=lease.order, states=("unknown",), limit=9, offset=0)
    assert [(row["key"], row["state"], row["note"], row["order_name"]) for row in effects.items] == [
        ("create_goods_out:1001-2", "unknown", "?", "#3")
    ]
    assert (await reads.list_effects(shops=None, order=None, states=("lost",), limit=9, offset=0)).total == 0
    assert RecordState.CREATING.value == (await reads.find_orders("#3", shops=None))[0]["goods_outs"][1]["state"]


async def test_the_mark_changes_with_every_change(
    reads: Reads, operators: OperatorActions, postgres_store: PostgresStore, day: dict[str, Lease]
) -> None:
    marks = [await reads.change_mark(), await reads.change_mark()]
    assert marks[0] == marks[1]
    await operators.assign_exceptions(
        [(await reads.list_exceptions(Exceptions())).items[0]["id"]], actor="A", reason="", assignee="B", now=NOON
    )
    marks.append(await reads.change_mark())
    await postgres_store.raise_shop_finding(shop="uk", scope="x", findings=[finding()], now=NOON)
    marks.append(await reads.change_mark())
    await postgres_store.raise_shop_finding(shop="uk", scope="x", findings=[], now=NOON)
    marks.append(await reads.change_mark())
    await postgres_store.wake(shop="uk", order_id="5001", at=NOON, because="x")
    marks.append(await reads.change_mark())
    assert len(set(marks[1:])) == 5
    assert await reads.pending_migrations() == []
