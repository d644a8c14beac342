"""Both stores: the life of an exception, what people record, and the lists of the nets."""

from __future__ import annotations

import cast
from contracts.keeping import NOON, Kept, after, decision, finding
from pickgate.domain.decision import OrderState
from pickgate.domain.facts import Approval, CancelRequest, OperatorHold, RecordState
from pickgate.flows.ports import GoodsOutAsk


async def test_an_exception_opens_with_owner_and_deadline(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.decide(lease, decision(findings=(finding(units=2, address=cast.ADDRESS),)), order=cast.order())
    (found,) = await kept.exceptions()
    found.pop("id")
    assert found == {  # an address in the detail is left out
        "code": "LATE_EDIT", "fingerprint": "f1", "owner": "cx", "severity": "urgent", "count": 1,
        "summary": "It is late.", "detail": {"units": 2, "address": {"_": "Address"}}, "opened_at": NOON,
        "due_at": after(minutes=15), "assignee": None, "snoozed_until": None, "resolved_at": None, "resolution": None,
        "closed_by": None, "cause_holds": True, "order_name": "#1001", "shop": "uk",
    }  # fmt: skip


async def test_found_again_it_is_the_same_one(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.decide(lease, decision(findings=(finding(), finding())))
    (found,) = await kept.exceptions()
    await kept.operators.assign_exceptions([found["id"]], actor="Ann", reason="", assignee="Bo", now=NOON)
    await kept.operators.snooze_exceptions([found["id"]], actor="Ann", reason="", until=after(99), now=NOON)
    await kept.decide(lease, decision(findings=(finding(),)), now=after(59))
    assert [item["count"] for item in await kept.exceptions()] == [1]
    await kept.decide(lease, decision(findings=(finding(),)), now=after(60))
    assert [item["count"] for item in await kept.exceptions()] == [2]
    await kept.decide(lease, decision(findings=(finding(summary="Later still."),)), now=after(61))
    (again,) = await kept.exceptions()
    assert (again["id"], again["count"], again["summary"], again["assignee"], again["snoozed_until"]) == (
        found["id"], 3, "Later still.", "Bo", after(99),
    )  # fmt: skip


async def test_what_no_database_can_hold_is_found_again_as_the_same_one(kept: Kept) -> None:
    """A SKU may come with a NUL or half a character; what is stored must still be recognised by the next look."""
    lease = await kept.lease()
    odd = finding(fingerprint="NOT_MAPPED:MUG\x00\ud83d", summary="MUG\x00\ud83d has no product.")
    await kept.decide(lease, decision(findings=(odd,)))
    await kept.decide(lease, decision(findings=(odd,)), now=after(5))
    (found,) = await kept.exceptions()
    assert (found["count"], found["resolved_at"], found["cause_holds"]) == (1, None, True)


async def test_it_closes_when_its_cause_has_gone_and_opens_anew_when_it_is_back(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.decide(lease, decision(findings=(finding(), finding(fingerprint="f2"))))
    await kept.decide(lease, decision(findings=(finding(fingerprint="f2"),)), now=after(5))
    first, second = await kept.exceptions()
    assert (first["resolved_at"], first["resolution"], first["closed_by"]) == (after(5), "cause gone", "pickgate")
    assert second["resolved_at"] is None
    await kept.decide(lease, decision(findings=(finding(), finding(fingerprint="f2"))), now=after(6))
    assert [(item["fingerprint"], item["resolved_at"]) for item in await kept.exceptions()] == [
        ("f1", after(5)), ("f2", None), ("f1", None),
    ]  # fmt: skip
    told = [(kind, detail["code"]) for kind, detail in await kept.journal(lease.order) if "exception" in kind]
    opened, closed = ("exception_opened", "LATE_EDIT"), ("exception_closed", "LATE_EDIT")
    assert told == [opened, opened, closed, opened]


async def test_closed_by_a_person_it_stays_closed_while_its_cause_holds(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.decide(lease, decision(findings=(finding(),)))
    (found,) = await kept.exceptions()
    done = await kept.operators.resolve_exceptions([found["id"], 999], actor="Ann", reason="told them", now=after(1))
    assert list(done) == [found["id"]]
    assert list(await kept.operators.resolve_exceptions([found["id"]], actor="Bo", reason="", now=after(2))) == []
    await kept.decide(lease, decision(findings=(finding(summary="More."),)), now=after(300))
    (still,) = await kept.exceptions()
    assert (still["resolution"], still["closed_by"], still["resolved_at"], still["count"], still["cause_holds"]) == (
        "told them", "Ann", after(1), 1, True,
    )  # fmt: skip
    await kept.decide(lease, decision(), now=after(400))
    (gone,) = await kept.exceptions()
    assert (gone["resolution"], gone["resolved_at"], gone["cause_holds"]) == ("told them", after(1), False)
    await kept.decide(lease, decision(findings=(finding(),)), now=after(500))
    assert [(item["resolution"], item["opened_at"]) for item in await kept.exceptions()] == [
        ("told them", NOON), (None, after(500)),
    ]  # fmt: skip


async def test_two_orders_with_one_fingerprint_have_one_each(kept: Kept) -> None:
    for order_id in ("1", "2"):
        await kept.decide(await kept.lease(order_id), decision(findings=(finding(),)))
    assert len(await kept.exceptions()) == 2


async def test_a_code_that_is_not_listed_goes_to_operations(kept: Kept) -> None:
    await kept.decide(await kept.lease(), decision(findings=(finding("SOMETHING_NEW"),)))
    (found,) = await kept.exceptions()
    assert (found["owner"], found["severity"], found["due_at"]) == ("ops", "normal", after(hours=8))


async def test_findings_of_a_shop_hold_by_scope(kept: Kept) -> None:
    missing, refused = finding("WEBHOOKS_MISSING", fingerprint="w"), finding("CREDENTIALS_REFUSED", fingerprint="c")
    await kept.store.raise_shop_finding(shop="uk", scope="webhooks", findings=[missing], now=NOON)
    await kept.store.raise_shop_finding(shop="uk", scope="access", findings=[refused], now=NOON)
    await kept.store.raise_shop_finding(shop="us", scope="webhooks", findings=[], now=NOON)
    await kept.store.raise_shop_finding(shop="uk", scope="webhooks", findings=[], now=after(9))
    assert [(item["code"], item["resolved_at"]) for item in await kept.exceptions()] == [
        ("WEBHOOKS_MISSING", after(9)), ("CREDENTIALS_REFUSED", None),
    ]  # fmt: skip


# ── people ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_hold_is_remembered_and_calls_off_a_release(kept: Kept) -> None:
    lease = await kept.lease()
    held = await kept.operators.set_hold(
        lease.order, actor="Ann", reason="wait", until=after(99), expected=None, now=after(1)
    )
    assert held
    records = await kept.store.load_records(lease)
    assert records.hold == OperatorHold(by="Ann", reason="wait", at=after(1), until=after(99))
    await kept.store.end_look(lease, next_look_at=None, failed=None, now=after(2))
    assert await kept.store.next_due_at() == after(1)
    (lease,) = await kept.store.claim(worker="w", now=after(2), lease_seconds=30, limit=1)
    assert await kept.operators.unset_hold(lease.order, actor="Bo", reason="", expected=None, now=after(3))
    assert not await kept.operators.unset_hold(lease.order, actor="Bo", reason="", expected=None, now=after(4))
    assert (await kept.store.load_records(lease)).hold is None


async def test_an_approval_is_for_the_content_that_was_decided(kept: Kept) -> None:
    lease = await kept.lease()

    async def approve(seconds: float) -> bool:
        return await kept.operators.approve_release(
            lease.order, actor="Ann", reason="go", expected=None, now=after(seconds)
        )

    assert not await approve(1)
    await kept.decide(lease, decision(fingerprint="abc"))
    assert await approve(2)
    assert (await kept.store.load_records(lease)).approval == Approval(
        by="Ann", reason="go", at=after(2), fingerprint="abc"
    )


async def test_the_last_word_of_a_person_counts(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.decide(lease, decision(fingerprint="abc"))
    one = {"actor": "Ann", "reason": "r", "expected": None}
    await kept.operators.approve_release(lease.order, **one, now=after(1))  # type: ignore[arg-type]
    await kept.operators.request_cancel(lease.order, **one, now=after(2))  # type: ignore[arg-type]
    records = await kept.store.load_records(lease)
    assert (records.approval, records.cancel_request) == (None, CancelRequest(by="Ann", reason="r", at=after(2)))
    await kept.operators.approve_release(lease.order, **one, now=after(3))  # type: ignore[arg-type]
    await kept.operators.set_hold(lease.order, **one, until=None, now=after(4))  # type: ignore[arg-type]
    records = await kept.store.load_records(lease)
    assert (records.approval, records.cancel_request) == (None, None)
    assert records.hold == OperatorHold(by="Ann", reason="r", at=after(4))


async def test_an_unknown_order_or_a_stale_version_changes_nothing(kept: Kept) -> None:
    lease = await kept.lease()
    for order, expected in ((lease.order, "stale"), (lease.order + 7, None)):
        assert not await kept.operators.set_hold(
            order, actor="Ann", reason="r", until=None, expected=expected, now=NOON
        )
    assert (await kept.store.load_records(lease)).hold is None


# ── nets ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_goods_outs_that_may_be_live_are_listed_and_polled(kept: Kept) -> None:
    states = list(RecordState)
    lease = await kept.lease()
    known = tuple(cast.record(number, state=state, fo=f"F{number}") for number, state in enumerate(states, 1))
    await kept.decide(lease, decision(records=known), order=cast.order())
    rows = await kept.store.open_goods_outs(after=0, limit=9)
    live = [RecordState.CREATING, RecordState.LIVE, RecordState.RECALLING]
    assert [row[1:] for row in rows] == [
        ("uk", "5001", GoodsOutAsk(reference=r.reference, account="ACME", clarus_id=r.clarus_id), "")
        for r in known
        if r.state in live
    ]
    await kept.store.set_polled({rows[1][3].reference: "fp", "nobody-1": "x"})
    assert [row[4] for row in await kept.store.open_goods_outs(after=0, limit=9)] == ["", "fp", ""]
    assert await kept.store.open_goods_outs(after=rows[1][0], limit=9) == rows[2:]
    assert await kept.store.open_goods_outs(after=0, limit=1) == rows[:1]


async def test_orders_are_found_by_what_the_warehouse_calls_them(kept: Kept) -> None:
    for order_id in ("1", "2"):
        lease = await kept.lease(order_id)
        known = cast.record(reference=f"{order_id}-1", clarus_id=f"30{order_id}")
        await kept.decide(lease, decision(records=(known,)), order=cast.order(id=order_id))
    find = kept.store.find_orders_of_goods_outs
    assert list(await find(references=["1-1", "9-1"], clarus_ids=["301", "302"])) == [("uk", "1"), ("uk", "2")]
    assert list(await find(references=["2-1"], clarus_ids=[])) == [("uk", "2")]
    assert list(await find(references=[], clarus_ids=["309"])) == []


async def test_the_sweep_lists_what_is_not_settled_and_a_sample_of_the_rest(kept: Kept) -> None:
    async def looked(order_id: str, state: OrderState, seconds: float) -> int:
        lease = await kept.lease(order_id)
        await kept.decide(lease, decision(state), order=cast.order(id=order_id, name=f"#{order_id}"))
        await kept.store.end_look(lease, next_look_at=None, failed=None, now=after(seconds))
        return lease.order

    rows = {}
    for order_id, state, seconds in (
        ("1", OrderState.WAITING, 10),
        ("5", OrderState.STOPPED, 11),
        ("4", OrderState.IGNORED, 20),
        ("2", OrderState.DESPATCHED, 30),
        ("6", OrderState.CANCELLED, 40),
        ("3", OrderState.PICKING, 500),
    ):
        rows[order_id] = await looked(order_id, state, seconds)

    async def sweep(sample: int, start: int, limit: int) -> list[str]:
        found = await kept.store.orders_to_sweep(
            now=after(600), not_looked_since=after(100), sample=sample, after=start, limit=limit
        )
        assert [(shop, row) for row, shop, _ in found] == [("uk", rows[order_id]) for _, _, order_id in found]
        return [order_id for _, _, order_id in found]

    assert await sweep(0, 0, 9) == ["1", "5"]
    assert await sweep(2, 0, 9) == ["4", "2", "1", "5"]
    assert await sweep(9, 0, 9) == ["4", "2", "6", "1", "5"]
    assert await sweep(9, rows["1"], 9) == ["5"]
    # A full page samples nothing beyond its end, so that nobody who goes on after the greatest row misses an order.
    assert await sweep(9, 0, 1) == ["1"]
