"""Reads: many in one request, every page, moving lists, lying page information, and nothing missing taken for gone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.clarus_stub import (
    START,
    Catalogue,
    Reply,
    ScriptedTenant,
    answer,
    finish,
    head,
    line,
    offset_of,
    page_of,
    payload,
    warehouse,
)
from pickgate.clock import VirtualClock
from pickgate.connectors.clarus.pages import MAX_PAGES
from pickgate.domain.facts import Unreadable
from pickgate.domain.warehouse import GoodsOut, Parcel
from pickgate.flows.ports import GoodsOutAsk, ProductAnswer
from pickgate.http import HttpRequest


def ask(reference: str, clarus_id: str | None = None, account: str = "ACME") -> GoodsOutAsk:
    return GoodsOutAsk(reference=reference, account=account, clarus_id=clarus_id)


def many(count: int) -> Catalogue:
    numbers = range(1, count + 1)
    return Catalogue(
        goods_outs=[head(n, f"{n}-1") for n in numbers],
        goods_out_lines=[line(1000 + 2 * n + k, n, f"{n}-1", "MUG", n + k) for n in numbers for k in (0, 1)],
    )


def read(tenant: Any, asks: list[GoodsOutAsk], **changes: Any) -> tuple[GoodsOut, ...] | Unreadable:
    return finish(warehouse(tenant, **changes).read_goods_outs(asks))


def test_one_request_when_all_ids_are_known() -> None:
    tenant = ScriptedTenant(lambda request: answer(payload("goods_outs_with_lines")))
    found = read(tenant, [ask("1031-1", "3301")])
    assert isinstance(found, tuple)
    assert [(n.reference, [k.ordered for k in n.lines]) for n in found] == [("1031-1", [2, 1])]
    (request,) = tenant.requests
    assert json.loads(request.body)["variables"] == {
        "goods_outs": {"reference": {"in": ["1031-1"]}},
        "lines": {"goods_out_id": {"in": ["3301"]}},
        "first": 100,
    }


def test_a_second_request_for_the_lines_of_those_found_by_reference() -> None:
    catalogue = many(3)
    tenant = ScriptedTenant(catalogue)
    found = read(tenant, [ask("1-1", "1"), ask("2-1"), ask("3-1"), ask("4-1")])
    assert isinstance(found, tuple)
    assert {n.reference: [k.ordered for k in n.lines] for n in found} == {"1-1": [1, 2], "2-1": [2, 3], "3-1": [3, 4]}
    assert catalogue.asked == [
        ("goods_outs", {"reference": {"in": ["1-1", "2-1", "3-1", "4-1"]}}),
        ("goods_out_lines", {"goods_out_id": {"in": ["1"]}}),
        ("goods_out_lines", {"goods_out_id": {"in": ["2", "3"]}}),
    ]
    assert len(tenant.requests) == 2


def test_nothing_asked_nothing_sent() -> None:
    tenant = ScriptedTenant(many(1))
    assert read(tenant, []) == ()
    assert tenant.requests == []


@pytest.mark.parametrize(
    ("account", "shown", "found"),
    [
        ("ACME", "ACME", True),
        ("acme", "ACME", True),
        ("ACME", "OTHER", False),
        ("", "OTHER", True),
        ("ACME", None, True),
    ],
)
def test_another_accounts_order_is_not_ours(account: str, shown: str | None, found: bool) -> None:
    row = {**head(1, "1-1"), "account": None if shown is None else {"code": shown}}
    answered = read(ScriptedTenant(Catalogue(goods_outs=[row])), [ask("1-1", account=account)])
    assert isinstance(answered, tuple)
    assert [n.id for n in answered] == (["1"] if found else [])


def test_a_known_id_is_ours_whatever_its_account() -> None:
    catalogue = Catalogue(goods_outs=[head(1, "1-1", account="OTHER")])
    found = read(ScriptedTenant(catalogue), [ask("1-1", "1")])
    assert isinstance(found, tuple)
    assert [n.account for n in found] == ["OTHER"]


def test_a_renamed_goods_out_is_not_gone() -> None:
    catalogue = Catalogue(goods_outs=[head(1, "1-1 HOLD")], goods_out_lines=[line(9, 1, "1-1 HOLD", "MUG", 2)])
    found = read(ScriptedTenant(catalogue), [ask("1-1", "1")])
    assert isinstance(found, tuple)
    assert [(n.id, n.reference, n.lines[0].ordered) for n in found] == [("1", "1-1 HOLD", 2)]


def test_lines_without_their_goods_out_are_a_contradiction() -> None:
    catalogue = Catalogue(goods_out_lines=[line(9, 1, "1-1", "MUG", 2)])
    assert read(ScriptedTenant(catalogue), [ask("1-1", "1")]) == Unreadable(
        why="Clarus shows lines of goods-out 1, but not the goods-out"
    )


@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 100])
def test_every_page_is_read_and_every_row_counted_once(page_size: int) -> None:
    tenant = ScriptedTenant(many(12))
    asks = [ask(f"{n}-1", str(n) if n % 3 else None) for n in range(1, 13)]
    found = read(tenant, asks, page_size=page_size)
    assert isinstance(found, tuple)
    assert sorted((n.reference, tuple(k.ordered for k in n.lines)) for n in found) == sorted(
        (f"{n}-1", (n, n + 1)) for n in range(1, 13)
    )


def test_a_hundred_goods_outs_take_one_request_and_the_pages_of_their_lines() -> None:
    tenant = ScriptedTenant(many(100))
    found = read(tenant, [ask(f"{n}-1", str(n)) for n in range(1, 101)])
    assert isinstance(found, tuple)
    assert len(found) == 100
    assert len(tenant.requests) == 3  # 200 lines: the first page came along, two more overlap by one row


class MovingList:
    """Goods-outs, two to a page, of which one leaves or joins the front after the first page was read."""

    def __init__(self, *, leaves: bool, every_time: bool = False) -> None:
        self.rows = [head(n, "A-1") for n in range(10, 16)]
        self.leaves, self.every_time = leaves, every_time
        self.next = 9
        self.moved = False

    def __call__(self, request: HttpRequest) -> Reply:
        sent = json.loads(request.body)
        if "GoodsOuts(" not in sent["query"]:
            return answer({"data": {"goods_out_lines": page_of([])}})
        start, size = offset_of(sent["variables"]["after"]), sent["variables"]["first"]
        shown = self.rows[start : start + size]
        reply = answer({"data": {"goods_outs": page_of(shown, start=start, has_next=len(self.rows) > start + size)}})
        if self.every_time or not self.moved:
            self.moved = True
            if self.leaves:
                self.rows.pop(0)
            else:
                self.rows.insert(0, head(self.next, "A-1"))
            self.next -= 1
        return reply


def test_a_row_that_would_be_skipped_is_not() -> None:
    found = read(ScriptedTenant(MovingList(leaves=True)), [ask("A-1")], page_size=3)
    assert isinstance(found, tuple)
    assert sorted(n.id for n in found) == ["11", "12", "13", "14", "15"]


def test_a_row_that_comes_twice_counts_once() -> None:
    found = read(ScriptedTenant(MovingList(leaves=False)), [ask("A-1")], page_size=3)
    assert isinstance(found, tuple)
    assert sorted(n.id for n in found) == ["10", "11", "12", "13", "14", "15"]


def test_a_list_that_never_holds_still_is_unreadable() -> None:
    tenant = ScriptedTenant(MovingList(leaves=False, every_time=True))
    found = read(tenant, [ask("A-1")], page_size=2)
    assert found == Unreadable(why="A list of Clarus moved each of the 3 times that it was read")
    assert len(tenant.requests) < 10


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_has_next_page_that_always_says_yes_ends(rows: int) -> None:
    same = answer({"data": {"goods_outs": page_of([head(n, "A-1") for n in range(rows)], has_next=True)}})
    tenant = ScriptedTenant(lambda request: same)
    assert isinstance(read(tenant, [ask("A-1")]), Unreadable)
    assert len(tenant.requests) <= 6


def test_an_endless_list_of_ever_new_rows_ends() -> None:
    def endless(request: HttpRequest) -> Reply:
        start = offset_of(json.loads(request.body)["variables"]["after"])
        rows = [head(n, "A-1") for n in range(start, start + 3)]
        return answer({"data": {"goods_outs": page_of(rows, start=start, has_next=True)}})

    tenant = ScriptedTenant(endless)
    assert read(tenant, [ask("A-1")]) == Unreadable(why=f"A list of Clarus did not end after {MAX_PAGES} pages")
    assert len(tenant.requests) == MAX_PAGES + 1


@pytest.mark.parametrize(
    "page",
    [
        None,
        {},
        {"all": None},
        {"all": {"edges": []}},
        {"all": {"edges": None, "pageInfo": {"hasNextPage": False}}},
        {"all": {"edges": [], "pageInfo": {"hasNextPage": None}}},
        {"all": {"edges": [{"cursor": "MQ", "node": None}], "pageInfo": {"hasNextPage": False}}},
        {"all": {"edges": [{"node": {"reference": "A-1"}}], "pageInfo": {"hasNextPage": False}}},
        {"all": {"edges": [{"node": {"id": "1"}}], "pageInfo": {"hasNextPage": False}}},
        {"all": {"edges": [{"node": head(1, "A-1")}], "pageInfo": {"hasNextPage": True, "endCursor": None}}},
    ],
)
def test_half_an_answer_is_none(page: object) -> None:
    tenant = ScriptedTenant(lambda request: answer({"data": {"goods_outs": page}}))
    assert isinstance(read(tenant, [ask("A-1")]), Unreadable)


def test_a_later_page_that_fails_makes_all_unreadable() -> None:
    catalogue = many(5)

    def handler(request: HttpRequest) -> Reply:
        if json.loads(request.body)["variables"].get("after") is not None:
            return answer({}, 500)
        return catalogue(request)

    found = read(ScriptedTenant(handler), [ask(f"{n}-1", str(n)) for n in range(1, 6)], page_size=5)
    assert found == Unreadable(why="Clarus answered 500")


def test_one_odd_goods_out_spoils_only_those_who_asked_for_it() -> None:
    catalogue = Catalogue(
        goods_outs=[head(1, "1-1"), head(2, "2-1"), head(3, "3-1")],
        goods_out_lines=[
            line(7, 1, "1-1", "OIL", "0.5"),
            line(8, 2, "2-1", "MUG", 2),
            line(9, 3, "3-1", "MUG", 2, product=None),
        ],
    )
    tenant = ScriptedTenant(catalogue)
    port = warehouse(tenant, gather_seconds=0.001)

    async def all_three() -> list[Any]:
        asks = [ask(f"{n}-1", str(n)) for n in (1, 2, 3)]
        return await asyncio.gather(*(port.read_goods_outs([one]) for one in asks))

    first, second, third = asyncio.run(all_three())
    assert first == Unreadable(why="Goods-out 1-1 has a fraction of a unit of OIL in line 7")
    assert [n.reference for n in second] == ["2-1"]
    assert third == Unreadable(why="Goods-out 3-1: Clarus answered with a line without a product code")
    assert len(tenant.requests) == 1


async def test_concurrent_reads_share_requests_of_up_to_a_page() -> None:
    tenant = ScriptedTenant(many(30))
    port = warehouse(tenant, gather_seconds=0.01, page_size=20)
    found = await asyncio.gather(*(port.read_goods_outs([ask(f"{n}-1", str(n))]) for n in range(1, 31)))
    assert [rows[0].reference for rows in found if isinstance(rows, tuple)] == [f"{n}-1" for n in range(1, 31)]
    sizes = [
        len(sent["variables"]["goods_outs"]["reference"]["in"])
        for sent in (json.loads(request.body) for request in tenant.requests)
        if "goods_outs" in sent["variables"]
    ]
    assert sorted(sizes) == [10, 20]
    assert tenant.tokens == 1


async def test_a_cancelled_caller_takes_nobodys_answer_along() -> None:
    port = warehouse(ScriptedTenant(many(2)), gather_seconds=0.02)
    first = asyncio.create_task(port.read_goods_outs([ask("1-1", "1")]))
    second = asyncio.create_task(port.read_goods_outs([ask("2-1", "2")]))
    await asyncio.sleep(0)
    first.cancel()
    found = await second
    assert isinstance(found, tuple)
    assert found[0].reference == "2-1"


async def test_concurrent_product_questions_share_a_request() -> None:
    tenant = ScriptedTenant(Catalogue())
    port = warehouse(tenant, gather_seconds=0.01)
    one, two = await asyncio.gather(port.find_products(["MUG", "X"]), port.find_products(["MUG", "CAP"]))
    assert one == ProductAnswer(known=frozenset({"MUG"}), unknown=frozenset({"X"}))
    assert two == ProductAnswer(known=frozenset({"MUG", "CAP"}))
    assert len(tenant.requests) == 1


def test_the_poll_takes_one_request_per_page_of_asks() -> None:
    tenant = ScriptedTenant(many(6))
    port = warehouse(tenant, page_size=50)
    rows = finish(port.poll([ask(f"{n}-1", str(n)) for n in range(1, 8)]))
    assert isinstance(rows, tuple)
    assert [(row.clarus_id, row.reference) for row in rows] == [(str(n), f"{n}-1") for n in range(1, 7)]
    assert len({row.fingerprint for row in rows}) == 6
    assert len(tenant.requests) == 1


def test_the_poll_sees_fractions_and_odd_lines_move_too() -> None:
    catalogue = Catalogue(goods_outs=[head(1, "1-1")], goods_out_lines=[line(7, 1, "1-1", "OIL", "0.5")])
    port = warehouse(ScriptedTenant(catalogue))
    marks = []
    for change in ({"pick_quantity": "0.25"}, {"product": None}, {"product": {"code": "OIL"}}):
        catalogue.rows["goods_out_lines"][0] |= change
        rows = finish(port.poll([ask("1-1", "1")]))
        assert isinstance(rows, tuple)
        marks.append(rows[0].fingerprint)
    assert marks[0] == marks[2] != marks[1]


def test_a_failed_poll_is_unreadable() -> None:
    tenant = ScriptedTenant(lambda request: answer({"errors": [{"message": "boom"}]}))
    assert finish(warehouse(tenant).poll([ask("1-1", "1")])) == Unreadable(
        why="Clarus answered a query with errors: boom"
    )


def test_parcels_page_by_page() -> None:
    shipments = {"1": [11, 12, 13], "2": [12], "3": []}
    packages: list[dict[str, Any]] = [
        {"id": str(n), "tracking_number": f"T{n % 4}", "shipment": {"id": str(11 + n % 3)}} for n in range(9)
    ]

    def handler(request: HttpRequest) -> Reply:
        sent = json.loads(request.body)
        variables = sent["variables"]
        start = offset_of(variables.get("after"))

        def page(rows: list[Any]) -> dict[str, Any]:
            return page_of(rows[start : start + 2], start=start, has_next=len(rows) > start + 2)

        if "packages" in sent["query"]:
            wanted = variables["filter"]["shipment_id"]["in"]
            return answer({"data": {"packages": page([n for n in packages if n["shipment"]["id"] in wanted])}})
        filters = {name: value for name, value in variables.items() if name.startswith("f") and name != "first"}
        data = {}
        for name, condition in filters.items():
            rows = [
                {"id": n, "status": "dispatched", "carrier": {"code": "DPD", "name": "DPD UK"}}
                for n in shipments[condition["goods_out_id"]["eq"]]
            ]
            data["shipments" if name == "filter" else name.replace("f", "g")] = page(rows)
        return answer({"data": data})

    tenant = ScriptedTenant(handler)
    found = finish(warehouse(tenant, page_size=2).read_parcels(["1", "2", "3", "1"]))
    assert isinstance(found, dict)
    assert {id_: [n.tracking_number for n in parcels] for id_, parcels in found.items()} == {
        "1": ["T0", "T3", "T2", "T1"],
        "2": ["T1", "T0", "T3"],
    }
    assert found["2"][0] == Parcel(tracking_number="T1", carrier="DPD UK")


def test_parcels_that_cannot_be_read_are_not_absent() -> None:
    tenant = ScriptedTenant(lambda request: answer({}, 500))
    assert finish(warehouse(tenant).read_parcels(["1"])) == Unreadable(why="Clarus answered 500")
    assert finish(warehouse(ScriptedTenant(lambda request: answer({}, 500))).read_parcels([])) == {}


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=12), st.integers(1, 5))
def test_whatever_is_asked_the_answer_is_what_exists(asked: list[tuple[int, bool]], page_size: int) -> None:
    tenant = ScriptedTenant(many(6))
    asks = [ask(f"{n}-1", str(n) if known else None) for n, known in asked]
    found = finish(warehouse(tenant, VirtualClock(START), page_size=page_size).read_goods_outs(asks))
    assert isinstance(found, tuple)
    assert sorted(n.id for n in found) == sorted({str(n) for n, _ in asked if n <= 6})
    assert all(len(n.lines) == 2 for n in found)
