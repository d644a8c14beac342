"""Domain values survive JSON; personal data leaves them on the way; old and new shapes are read as far as they fit."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cast
from pickgate.domain.commands import Command, CreateGoodsOut, TakeLock
from pickgate.domain.decision import Decision, OrderState, Reason
from pickgate.domain.facts import GoodsOutRecord, Records, RecordState
from pickgate.domain.money import Money
from pickgate.domain.rules import RuleRow
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut
from pickgate.store.codec import (
    CodecError,
    clean_text,
    decode,
    encode,
    join_personal,
    split_personal,
    without_personal,
)

CANARY = "Zyxwv"
SECRET = replace(cast.ADDRESS, name=f"{CANARY} Byron", email=f"{CANARY}@example.com")
ORDER = cast.order(
    {"A": 2, "B": 1},
    address=SECRET,
    note=f"Call {CANARY}",
    attributes=(("Gift", f"To {CANARY}"),),
    fulfilment_orders=(cast.fulfilment_order("F1", {"A": 2}, destination=SECRET),),
)
RECORD = cast.record(told=(("A", 1),), content=cast.content(address=SECRET, notes=(("order_notes", f"for {CANARY}"),)))
CREATE = CreateGoodsOut(
    reference="1001-1", order_id="5001", number=1, fulfilment_order_id="F1", group="", generation=1,
    content=RECORD.content, expected_despatch_at=cast.NOON, ordered_at=cast.LONG_AGO,
)  # fmt: skip
LOCK = TakeLock(
    order_id="1", tag="t", metafield="m", value="v", add_tag=True, set_metafield=False, report_progress_on=("F1",)
)


def through_json(tree: Any) -> Any:
    return json.loads(json.dumps(tree))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ShopOrder, ORDER),
        (GoodsOutRecord, RECORD),
        (GoodsOut, cast.goods_out(1, {"A": 2})),
        (Command, CREATE),
        (Command, LOCK),
        (Money, Money(-5, "JPY")),
        (tuple[Reason, ...], (Reason(text="x", row=RuleRow(table="skus.csv", row=3, version=9)), Reason(text="y"))),
        (Records, Records(first_seen_at=cast.NOON, goods_outs=(RECORD,), gates_since={"a": cast.NOON})),
        (frozenset[str], frozenset({"b", "a"})),
        (timedelta | None, timedelta(seconds=90)),
    ],
)
def test_values_come_back(kind: Any, value: object) -> None:
    assert decode(kind, through_json(encode(value))) == value
    public, personal = split_personal(value)
    assert decode(kind, join_personal(through_json(public), through_json(personal))) == value


@pytest.mark.parametrize("value", [ORDER, RECORD, CREATE, (ORDER, {"deep": [RECORD]})])
def test_nothing_personal_stays_in_the_public_part(value: object) -> None:
    public, personal = split_personal(value)
    assert CANARY not in json.dumps(public)
    assert CANARY not in json.dumps(without_personal(value))
    assert CANARY in json.dumps(personal)


def test_erased_personal_data_is_read_as_empty() -> None:
    public, _ = split_personal(ORDER)
    erased = decode(ShopOrder, join_personal(public, None))
    assert (erased.note, erased.attributes, erased.lines) == ("", (), ORDER.lines)
    assert (erased.address.name, erased.fulfilment_orders[0].destination.email) == ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    needed: int
    added: str = "default"


def test_an_older_or_newer_shape_is_read_as_far_as_it_fits() -> None:
    assert decode(Shape, {"_": "Shape", "needed": 1, "from_tomorrow": [1]}) == Shape(needed=1)


@pytest.mark.parametrize(
    ("kind", "tree", "problem"),
    [
        (Shape, {"_": "Shape"}, "Shape.needed is missing"),
        (Shape, {"_": "Shape", "needed": "1"}, "Shape.needed: Expected int, found str"),
        (Shape, {"_": "Shape", "needed": True}, "Shape.needed: Expected int, found bool"),
        (Shape, {"_": "Other", "needed": 1}, "Expected Shape, found Other"),
        (Shape, [1], "Expected Shape, found list"),
        (OrderState, "lost", "'lost' is not a valid OrderState"),
        (Command, {"_": "Unheard"}, "is none of"),
        (tuple[str, int], ["a"], "Expected 2 parts, found 1"),
        (complex, 1, "complex cannot be read"),
    ],
)
def test_what_does_not_fit_is_named(kind: Any, tree: Any, problem: str) -> None:
    with pytest.raises(CodecError, match=problem):
        decode(kind, tree)


@pytest.mark.parametrize("value", [object(), {1: "x"}, b"bytes"])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises(CodecError):
        encode(value)


def test_enums_and_sets_are_written_plainly() -> None:
    assert encode({RecordState.LIVE: frozenset({"b", "a"})}) == {"live": ["a", "b"]}
    assert encode(Decision(state=OrderState.WAITING))["state"] == "waiting"


@given(st.text(alphabet=st.characters(codec=None)))
def test_cleaned_text_can_be_stored(text: str) -> None:
    cleaned = clean_text(text)
    assert "\x00" not in cleaned
    assert len(cleaned) == len(text)
    cleaned.encode()
    assert clean_text(cleaned) == cleaned
