"""Both stores: webhooks, waking, claiming, leases. One suite, so that the simulation's store stays honest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.keeping import NOON, Kept, after, finding, webhook
from pickgate.flows.ports import InboxVerdict, LeaseLost


async def test_a_webhook_is_new_once(kept: Kept) -> None:
    assert await kept.store.record_inbox([webhook("e1"), webhook("e2"), webhook("e1")]) == [True, True, False]
    assert await kept.store.record_inbox([webhook("e2"), webhook("e3")]) == [False, True]
    assert await kept.store.record_inbox([]) == []


async def test_the_same_event_elsewhere_or_with_another_body_is_kept(kept: Kept) -> None:
    first = await kept.store.record_inbox([webhook("e1")])
    others = [webhook("e1", shop="us"), webhook("e1", topic="orders/create"), webhook("e1", body=b"forged")]
    assert (first, await kept.store.record_inbox(others)) == ([True], [True, True, True])


async def test_pending_webhooks_come_oldest_first_with_their_bodies(kept: Kept) -> None:
    await kept.store.record_inbox([webhook("e1", body=b"\x00\xff one"), webhook("e2", body=b"")])
    await kept.store.record_inbox([webhook("e3")])
    first = await kept.store.claim_inbox(now=NOON, limit=2)
    assert [(item.source, item.shop, item.topic, item.body, item.received_at) for item in first] == [
        ("shopify", "uk", "orders/edited", b"\x00\xff one", NOON),
        ("shopify", "uk", "orders/edited", b"", NOON),
    ]
    assert len(await kept.store.claim_inbox(now=NOON, limit=2)) == 1
    assert await kept.store.claim_inbox(now=NOON, limit=2) == []


async def test_webhooks_of_a_worker_that_died_are_offered_again(kept: Kept) -> None:
    await kept.store.record_inbox([webhook("e1")])
    claimed = await kept.store.claim_inbox(now=NOON, limit=9)
    assert await kept.store.claim_inbox(now=after(29), limit=9) == []
    assert await kept.store.claim_inbox(now=after(30), limit=9) == claimed


async def test_settled_webhooks_wake_their_orders_once(kept: Kept) -> None:
    await kept.store.record_inbox([webhook("e1"), webhook("e2"), webhook("e3")])
    ids = [item.id for item in await kept.store.claim_inbox(now=NOON, limit=9)]
    verdicts = [
        InboxVerdict(id=ids[0], verdict="hinted", wake=(("uk", "5001"), ("uk", "5001"))),
        InboxVerdict(id=ids[1], verdict="hinted", wake=(("uk", "5001"), ("us", "7001"))),
        InboxVerdict(id=ids[2], verdict="ignored", note="not about an order"),
    ]
    await kept.store.settle_inbox(verdicts, now=NOON, delay_seconds=3)
    await kept.store.settle_inbox(verdicts, now=NOON, delay_seconds=0)
    assert await kept.store.claim_inbox(now=after(hours=1), limit=9) == []
    assert await kept.store.next_due_at() == after(3)
    assert await kept.store.claim(worker="w", now=after(2.9), lease_seconds=30, limit=9) == []
    leases = await kept.store.claim(worker="w", now=after(3), lease_seconds=30, limit=9)
    assert sorted((lease.shop, lease.order_id, lease.hints_seen, lease.epoch) for lease in leases) == [
        ("uk", "5001", 2, 1),
        ("us", "7001", 1, 1),
    ]


async def test_a_hint_leaves_a_line_in_the_timeline(kept: Kept) -> None:
    await kept.store.record_inbox([webhook("e1")])
    (item,) = await kept.store.claim_inbox(now=NOON, limit=9)
    await kept.store.settle_inbox(
        [InboxVerdict(id=item.id, verdict="hinted", wake=(("uk", "5001"),))], now=NOON, delay_seconds=0
    )
    (lease,) = await kept.store.claim(worker="w", now=NOON, lease_seconds=30, limit=9)
    assert await kept.journal(lease.order) == [("hint", {"source": "shopify", "topic": "orders/edited"})]


async def test_an_unreadable_webhook_opens_one_exception_that_counts(kept: Kept) -> None:
    await kept.store.record_inbox([webhook("e1"), webhook("e2"), webhook("e3")])
    ids = [item.id for item in await kept.store.claim_inbox(now=NOON, limit=9)]
    for number, row in enumerate(ids[:2]):
        unreadable = finding("UNREADABLE_PAYLOAD", problem="no id", row=number)
        verdict = InboxVerdict(id=row, verdict="exception", note="no id", finding=unreadable)
        await kept.store.settle_inbox([verdict], now=after(number), delay_seconds=0)
    (found,) = await kept.exceptions()
    assert (found["code"], found["owner"], found["count"], found["detail"], found["resolved_at"]) == (
        "UNREADABLE_PAYLOAD", "ecommerce", 2, {"problem": "no id", "row": 1}, None,
    )  # fmt: skip
    # A person closes it; the next webhook like it is a new cause.
    await kept.operators.resolve_exceptions([found["id"]], actor="Ann", reason="mended", now=after(5))
    verdict = InboxVerdict(id=ids[2], verdict="exception", finding=finding("UNREADABLE_PAYLOAD"))
    await kept.store.settle_inbox([verdict], now=after(6), delay_seconds=0)
    assert [(item["count"], item["resolution"]) for item in await kept.exceptions()] == [(2, "mended"), (1, None)]


async def test_wakes_coalesce_and_only_move_forward(kept: Kept) -> None:
    for seconds, is_hint in ((60, True), (90, True), (30, False), (45, True)):
        await kept.store.wake(shop="uk", order_id="1", at=after(seconds), because="x", is_hint=is_hint)
    assert await kept.store.next_due_at() == after(30)
    (lease,) = await kept.store.claim(worker="w", now=after(30), lease_seconds=30, limit=9)
    assert (lease.hints_seen, lease.failures, lease.name) == (3, 0, "")


async def test_a_claimed_order_is_nobody_elses_until_its_lease_ends(kept: Kept) -> None:
    lease = await kept.lease()
    assert await kept.store.claim(worker="w2", now=after(29), lease_seconds=30, limit=9) == []
    assert await kept.store.next_due_at() == after(30)
    (taken,) = await kept.store.claim(worker="w2", now=after(30), lease_seconds=30, limit=9)
    assert (taken.order, taken.epoch) == (lease.order, lease.epoch + 1)


async def test_the_former_holder_can_write_nothing(kept: Kept) -> None:
    lease = await kept.lease()
    (taken,) = await kept.store.claim(worker="w2", now=after(30), lease_seconds=30, limit=9)
    with pytest.raises(LeaseLost):
        await kept.store.renew(lease, now=after(31), lease_seconds=30)
    with pytest.raises(LeaseLost):
        await kept.store.end_look(lease, next_look_at=after(5), failed="x", now=after(31))
    with pytest.raises(LeaseLost):
        await kept.store.load_records(lease)
    await kept.store.end_look(taken, next_look_at=after(100), failed=None, now=after(31))
    with pytest.raises(LeaseLost):
        await kept.store.end_look(taken, next_look_at=after(5), failed=None, now=after(32))
    assert await kept.store.next_due_at() == after(100)


async def test_a_renewed_lease_lasts_longer(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.store.renew(lease, now=after(20), lease_seconds=30)
    assert await kept.store.claim(worker="w2", now=after(49), lease_seconds=30, limit=9) == []
    assert len(await kept.store.claim(worker="w2", now=after(50), lease_seconds=30, limit=9)) == 1


async def test_a_look_sets_the_next_one_and_counts_failures(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.store.end_look(lease, next_look_at=after(60), failed="no answer", now=after(1))
    assert await kept.store.claim(worker="w", now=after(59), lease_seconds=30, limit=9) == []
    (lease,) = await kept.store.claim(worker="w", now=after(60), lease_seconds=30, limit=9)
    assert lease.failures == 1
    await kept.store.end_look(lease, next_look_at=after(61), failed="no answer", now=after(61))
    (lease,) = await kept.store.claim(worker="w", now=after(61), lease_seconds=30, limit=9)
    assert lease.failures == 2
    await kept.store.end_look(lease, next_look_at=after(62), failed=None, now=after(62))
    (lease,) = await kept.store.claim(worker="w", now=after(62), lease_seconds=30, limit=9)
    assert lease.failures == 0
    await kept.store.end_look(lease, next_look_at=None, failed=None, now=after(63))
    assert await kept.store.next_due_at() is None


async def test_a_hint_during_a_look_makes_it_due_at_once(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.store.wake(shop="uk", order_id="5001", at=after(3), because="edited")
    await kept.store.end_look(lease, next_look_at=after(hours=1), failed=None, now=after(1))
    assert await kept.store.next_due_at() == after(1)
    (again,) = await kept.store.claim(worker="w", now=after(1), lease_seconds=30, limit=9)
    assert (again.hints_seen, again.epoch) == (lease.hints_seen + 1, lease.epoch + 1)
    await kept.store.end_look(again, next_look_at=None, failed=None, now=after(2))
    assert await kept.store.next_due_at() is None


async def test_a_timer_during_a_look_is_kept_if_it_is_sooner(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.store.wake(shop="uk", order_id="5001", at=after(30), because="swept", is_hint=False)
    await kept.store.end_look(lease, next_look_at=after(hours=1), failed=None, now=after(1))
    assert await kept.store.next_due_at() == after(30)


async def test_a_flood_in_one_shop_does_not_starve_another(kept: Kept) -> None:
    for number in range(20):
        await kept.store.wake(shop="flood", order_id=str(number), at=after(number), because="x")
    await kept.store.wake(shop="calm", order_id="a", at=after(40), because="x")
    await kept.store.wake(shop="calm", order_id="b", at=after(41), because="x")
    claim = await kept.store.claim(worker="w", now=after(60), lease_seconds=30, limit=5)
    assert [(lease.shop, lease.order_id) for lease in claim] == [
        ("flood", "0"), ("calm", "a"), ("flood", "1"), ("calm", "b"), ("flood", "2"),
    ]  # fmt: skip
    rest = await kept.store.claim(worker="w", now=after(60), lease_seconds=30, limit=99)
    assert [lease.order_id for lease in rest] == [str(number) for number in range(3, 20)]


async def test_cursors_are_remembered(kept: Kept) -> None:
    assert await kept.store.load_cursor("sweep:uk") is None
    await kept.store.save_cursor("sweep:uk", "a")
    await kept.store.save_cursor("sweep:uk", "b")
    assert (await kept.store.load_cursor("sweep:uk"), await kept.store.load_cursor("sweep:us")) == ("b", None)


async def test_notes_go_to_the_timeline(kept: Kept) -> None:
    lease = await kept.lease()
    await kept.store.note(lease, kind="seen", detail={"at": NOON, "took": timedelta(seconds=2)}, now=NOON)
    assert (await kept.journal(lease.order))[-1][0] == "seen"
