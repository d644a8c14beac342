"""What only PostgreSQL can show: workers side by side, a database that is gone, nothing personal in the clear."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

import cast
from contracts.keeping import NOON, after, decision, finding, webhook
from pickgate.crypto import Sealer
from pickgate.domain.commands import CreateGoodsOut
from pickgate.domain.decision import Wanted
from pickgate.domain.shop import ShopOrder
from pickgate.flows.ports import InboxVerdict, Lease, OutcomeNotKnown
from pickgate.store.connection import StoreUnavailable
from pickgate.store.embedded import EmbeddedPostgres, find_postmaster
from pickgate.store.migrate import migrate
from pickgate.store.postgres import PostgresStore

pytestmark = pytest.mark.postgres

CANARY = "Zyxwv"


async def test_two_batches_with_the_same_webhooks_store_each_once(postgres_store: PostgresStore) -> None:
    events = [webhook(f"e{number}") for number in range(200)]
    one, other = await asyncio.gather(
        postgres_store.record_inbox(events), postgres_store.record_inbox(list(reversed(events)))
    )
    assert [a + b for a, b in zip(one, reversed(other), strict=True)] == [1] * 200
    counts = await postgres_store.database.fetchrow("health_inbox", since=NOON, shops=None)
    assert counts is not None
    assert (counts["accepted"], counts["duplicates"]) == (200, 200)


async def test_workers_never_share_an_order(postgres_store: PostgresStore) -> None:
    for shop in ("uk", "us"):
        verdicts = [(shop, str(number)) for number in range(150)]
        await postgres_store.record_inbox([webhook(f"{shop}-wake", shop=shop)])
        (item,) = await postgres_store.claim_inbox(now=NOON, limit=1)
        await postgres_store.settle_inbox(
            [InboxVerdict(id=item.id, verdict="hinted", wake=tuple(verdicts))], now=NOON, delay_seconds=0
        )

    async def work(name: str) -> list[Lease]:
        mine: list[Lease] = []
        while claimed := await postgres_store.claim(worker=name, now=NOON, lease_seconds=30, limit=7):
            mine += claimed
        return mine

    shares = await asyncio.gather(*(work(f"w{number}") for number in range(4)))
    orders = [lease.order for share in shares for lease in share]
    assert (len(orders), len(set(orders))) == (300, 300)
    assert all(shares)


async def test_kin_that_wake_each_other_at_once_do_not_deadlock(postgres_store: PostgresStore) -> None:
    names = [f"#{number}" for number in range(6)]
    leases = []
    for number, name in enumerate(names):
        await postgres_store.wake(shop="uk", order_id=str(number), at=NOON, because="x")
        (lease,) = await postgres_store.claim(worker="w", now=NOON, lease_seconds=600, limit=1)
        leases.append((lease, cast.order(id=str(number), name=name)))

    async def decide(lease: Lease, order: ShopOrder, round_number: int) -> None:
        ties = decision(supersedes=tuple(names), superseded_by=f"#x{round_number}")
        await postgres_store.record_decision(
            lease, decision=ties, order=order, goods_outs=(), read_at=NOON, now=NOON, rulebook_version=1
        )

    for round_number in range(5):
        await asyncio.gather(*(decide(lease, order, round_number) for lease, order in leases))
    for lease, _ in leases:
        await postgres_store.end_look(lease, next_look_at=None, failed=None, now=after(1))
    assert len(await postgres_store.claim(worker="w", now=after(1), lease_seconds=30, limit=99)) == 6


async def test_a_bell_rings_for_other_processes(postgres_store: PostgresStore, database: str) -> None:
    heard = asyncio.Event()
    other = await PostgresStore.open(database, Sealer(["k" * 32]), max_size=1)
    try:
        stop = await other.listen(heard.set)
        for _ in range(20):
            await postgres_store.wake(shop="uk", order_id="1", at=NOON, because="x")
        await asyncio.wait_for(heard.wait(), 2)
        await stop()
    finally:
        await other.aclose()


async def test_nothing_personal_is_stored_in_the_clear(postgres_store: PostgresStore, database: str) -> None:
    store = postgres_store
    secret = replace(cast.ADDRESS, name=f"{CANARY} Byron", email=f"{CANARY}@example.com", line1=f"1 {CANARY} Lane")
    content = cast.content(address=secret, notes=(("order_notes", f"for {CANARY}"),))
    order = cast.order(
        address=secret, note=CANARY, attributes=(("Gift", CANARY),),
        fulfilment_orders=(cast.fulfilment_order("F1", destination=secret),),
    )  # fmt: skip
    unreadable = finding("UNREADABLE_PAYLOAD", address=secret)
    await store.record_inbox([webhook(body=f"{CANARY} {CANARY} {CANARY}".encode())])
    (item,) = await store.claim_inbox(now=NOON, limit=1)
    verdict = InboxVerdict(id=item.id, verdict="exception", wake=(("uk", "5001"),), finding=unreadable)
    await store.settle_inbox([verdict], now=NOON, delay_seconds=0)
    (lease,) = await store.claim(worker="w", now=NOON, lease_seconds=30, limit=1)
    decided = decision(
        records=(cast.record(content=content),),
        wanted=(Wanted(fulfilment_order_id="F1", group="", content=content),),
        findings=(finding(content=content),),
    )
    await store.record_decision(
        lease, decision=decided, order=order, goods_outs=(), read_at=NOON, now=NOON, rulebook_version=1
    )
    create = CreateGoodsOut(
        reference="1001-2", order_id="5001", number=2, fulfilment_order_id="F1", group="", generation=2,
        content=content, expected_despatch_at=NOON, ordered_at=NOON,
    )  # fmt: skip
    await store.begin_effect(lease, create, now=NOON, needs_no_new_hint=False)
    await store.finish_effect(lease, create, OutcomeNotKnown(why="timed out"), now=NOON)
    await store.note(lease, kind="seen", detail={"address": secret}, now=NOON)

    connection = await asyncpg.connect(database)
    found, rows = [], 0
    try:
        for table in await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname !~ '^(pg|sql)_'"
        ):
            for row in await connection.fetch(f"SELECT t::text FROM {table[0]} AS t"):
                rows += 1
                if CANARY in row[0] or CANARY.encode().hex() in row[0]:
                    found.append(table[0])
    finally:
        await connection.close()
    assert (found, rows > 10) == ([], True)
    # And it all comes back for those who hold the key.
    facts = await store.load_facts(lease.order)
    assert facts is not None
    assert (facts.order, facts.records.goods_outs[0].content) == (order, content)
    assert [row.command for row in await store.pending_effects(lease)] == [create]
    assert await store.newest_orders(limit=5) == [lease.order]


async def test_without_a_database_every_answer_comes_within_a_second(database: str) -> None:
    gone = database.replace("socket", "nowhere")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await PostgresStore.open(gone, Sealer(["k" * 32]))
    assert time.monotonic() - began < 1


async def test_a_full_pool_answers_in_time(database: str) -> None:
    store = await PostgresStore.open(database, Sealer(["k" * 32]), max_size=1, acquire_seconds=0.2)
    try:
        async with store.database.session():
            began = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await store.record_inbox([webhook()])
            assert time.monotonic() - began < 1
        assert await store.record_inbox([webhook()]) == [True]
    finally:
        await store.aclose()


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pickgate-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def processes_of(pid: int) -> list[int]:
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


async def test_a_database_that_dies_or_hangs_is_noticed_and_found_again(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    try:
        dsn = server.start()
        await migrate(dsn)
        store = await PostgresStore.open(dsn, Sealer(["k" * 32]), max_size=2, intake_seconds=0.5)
        assert await store.record_inbox([webhook("e1")]) == [True]
        pid = find_postmaster(folder / "postgres" / "cluster")
        assert pid is not None
        processes = processes_of(pid)
        for one in processes:
            os.kill(one, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await store.record_inbox([webhook("e2")])
        assert time.monotonic() - began < 1
        for one in processes:
            os.kill(one, signal.SIGKILL)
        with pytest.raises(StoreUnavailable):
            await store.record_inbox([webhook("e3")])
        server.start()
        assert (await store.record_inbox([webhook("e1"), webhook("e3")]))[0] is False
        await store.aclose()
    finally:
        server.stop()
