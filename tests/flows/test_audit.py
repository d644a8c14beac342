"""A month that was played without Pickgate: every planted fault is found, nothing else is accused, nothing changes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from flows.audit_kit import Desk, Killed, accused
from pickgate.domain.money import Money
from pickgate.flows.audit import AuditStopped
from pickgate.simulation.naive import Month, play_month

READS = {"bulkOperationRunQuery", "bulkOperation", "nodes", "order", "location"}


def month(seed: int = 1, *, orders: int = 160, repeat: int = 1) -> Month:
    return play_month(seed, orders=orders, repeat=repeat)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_planted_fault_is_found_and_nothing_else_is_accused(tmp_path: Path, seed: int) -> None:
    played = month(seed)
    found = Desk(played, tmp_path).run()
    assert accused(found) == played.planted
    assert {charge for _, charge in played.planted} | {"stock_variance"} == {a.charge.value for a in found.accusations}
    assert not {name for name, _ in accused(found)} & set(played.innocent)
    stock = {row.sku: row.variance - row.explained for row in found.stock if row.accused}
    assert stock == played.stock
    assert all(row.variance == row.explained for row in found.stock if not row.accused)
    subjects = {(a.order_name, a.charge.value): a.subject for a in found.accusations if a.order_name}
    assert {key: subjects[key] for key in played.subjects} == played.subjects
    assert found.notes == ()


def test_several_faults_of_each_kind(tmp_path: Path) -> None:
    played = month(7, orders=60, repeat=3)
    assert len(played.planted) == 42
    assert accused(Desk(played, tmp_path).run()) == played.planted


def test_nothing_is_changed_in_either_system(tmp_path: Path) -> None:
    played = month()
    shop, warehouse = played.world.shop, played.world.warehouse
    before = (len(shop.history), len(warehouse.history), len(shop.deliveries), len(warehouse.deliveries))
    shop.requests.clear()
    desk = Desk(played, tmp_path)
    desk.run()
    assert (len(shop.history), len(warehouse.history), len(shop.deliveries), len(warehouse.deliveries)) == before
    refusals = {"MAX_COST_EXCEEDED", "THROTTLED"}
    assert set(shop.requests) - refusals <= READS
    assert shop.requests["bulkOperationRunQuery"] == 2  # a mutation by name: it only reads
    sent = {(r.method, r.url.partition(".twin")[2]) for r in desk.doors["clarus"].requests}
    assert sent == {("POST", "/oauth/token"), ("POST", "/graphql")}
    texts = [json.loads(r.body)["query"] for r in desk.doors["clarus"].requests if r.url.endswith("/graphql")]
    assert not [text for text in texts if "mutation" in text]


def test_the_result_is_fetched_without_the_access_token(tmp_path: Path) -> None:
    desk = Desk(month(), tmp_path)
    desk.run()
    files = [r for r in desk.doors["uk"].requests if "/bulk-results/" in r.url]
    assert len(files) > 4  # in pieces
    assert [r for r in files if r.header("X-Shopify-Access-Token") or r.header("Authorization")] == []


def test_a_killed_audit_goes_on_and_finds_the_same(tmp_path: Path) -> None:
    whole = Desk(month(), tmp_path / "whole")
    expected = whole.run()
    total = len(whole.doors["uk"].requests) + len(whole.doors["clarus"].requests)
    desk = Desk(month(), tmp_path / "killed")
    rng = random.Random(5)
    kills = 0
    for _ in range(8):
        door = desk.doors[rng.choice(["uk", "clarus"])]
        door.killed_after = len(door.requests) + rng.randrange(1, 12)
        try:
            desk.run()
        except Killed:
            kills += 1
        door.killed_after = None
    found = desk.run()
    assert found.accusations == expected.accusations
    assert kills >= 5
    started = [r for r in desk.doors["uk"].requests if b"bulkOperationRunQuery" in r.body]
    assert len(started) <= 4  # two, and a start whose answer was never written down
    spent = len(desk.doors["uk"].requests) + len(desk.doors["clarus"].requests)
    assert spent < total + 9 * 15  # what was read is not read again


def test_it_leaves_nothing_readable_behind(tmp_path: Path) -> None:
    desk = Desk(month(), tmp_path)
    desk.run()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if b"High Street" in path.read_bytes() or b"gid://" in path.read_bytes()] == []
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    desk.notebook.discard()
    assert list(tmp_path.iterdir()) == []


def test_the_same_month_gives_the_same_report(tmp_path: Path) -> None:
    assert Desk(month(), tmp_path / "a").run() == Desk(month(), tmp_path / "b").run()


def test_goods_outs_can_be_matched_by_the_external_reference(tmp_path: Path) -> None:
    played = month()
    played.world.warehouse.turn(introspected_extras=True)
    assert accused(Desk(played, tmp_path, reference="{id}").run(by_external=True)) == played.planted


def test_a_tenant_without_that_field_is_said_to_refuse_it(tmp_path: Path) -> None:
    with pytest.raises(AuditStopped, match="external_system_reference1"):
        Desk(month(orders=5), tmp_path, reference="{id}").run(by_external=True)


def test_without_a_rulebook_mapping_and_stock_are_not_judged(tmp_path: Path) -> None:
    played = month()
    found = Desk(played, tmp_path, rulebook=False).run()
    unmapped = {"location_unmapped", "service_unmapped"}
    assert accused(found) == {(name, charge) for name, charge in played.planted if charge not in unmapped}
    assert found.stock == ()


def test_a_bulk_read_that_fails_stops_the_audit_with_the_reason(tmp_path: Path) -> None:
    played = month(orders=5)
    played.world.shop.knobs = type(played.world.shop.knobs)(bulk_fails_with="INTERNAL_SERVER_ERROR")
    with pytest.raises(AuditStopped, match="bulk read of orders of uk failed 3 times"):
        Desk(played, tmp_path).run()


def test_what_pickgate_would_have_decided_is_told_by_the_clock(tmp_path: Path) -> None:
    found = Desk(month(), tmp_path).run()
    late = next(a for a in found.accusations if a.charge.value == "superseded_despatched")
    assert late.value == Money(2400, "GBP")
    assert late.summary == ("Sent and not wanted: 1 × Blue mug (MUG-BLU); wanted and not sent: 1 × Red mug (MUG-RED).")
    assert late.decided == (
        "Held until 02 Nov 21:22, when the edit of 02 Nov 21:06 was already made: released once, with the final lines."
    )
