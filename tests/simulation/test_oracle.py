"""The judge itself: hand-made truths, each breaking one law, and the words that excuse it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pickgate.simulation.docket import AtRest, Bounds, Docket, SeenException, SeenGate, Word
from pickgate.simulation.oracle import Oracle
from pickgate.simulation.truth import GoodsOutTruth, OrderTruth, Told

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
END = START + timedelta(hours=9)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def order(units: int = 2) -> OrderTruth:
    """An order for so many mugs, paid at once."""
    made = OrderTruth(id="1", name="#1001", last_event_at=END, created_at=START, app="Online Store", customer="c")
    made.times, made.versions, made.sku_of = [START], [{"11": units}], {"11": "MUG", "12": "POT"}
    made.tags.put(START, ())
    made.paid.put(START, value=True)
    return made


def goods_out(
    truth: OrderTruth, *, number: int = 1, when: float = 40, units: int = 2, despatched: float | None = 60
) -> GoodsOutTruth:
    """A goods-out of the order; despatched and told unless `despatched` is None."""
    made = GoodsOutTruth(
        id=3300 + number,
        reference=f"1001-{number}",
        fulfilment_order="8",
        created_at=at(when),
        contents=[(at(when), {"11": units})],
    )
    truth.goods_outs.append(made)
    if despatched is not None:
        made.picked.append((at(despatched - 5), "11", units))
        made.left.append((at(despatched), "11", units))
        made.labels.append((at(despatched), (f"PK{number}",)))
        made.completed_at = at(despatched)
        tracking = (f"PK{number}",)
        truth.told.append(Told(at=at(despatched + 1), units={"11": units}, tracking=tracking, by="Pickgate"))
    return made


REST = AtRest(tags=(), financial_status="PAID", owed=False, held=False, metafields={})


def laws(
    truth: OrderTruth,
    *,
    exceptions: Sequence[SeenException] = (),
    words: Sequence[Word] = (),
    gates: Sequence[SeenGate] = (),
    rest: AtRest = REST,
    troubled: Sequence[tuple[datetime, datetime]] = (),
) -> list[str]:
    docket = Docket(
        bounds=Bounds(window=timedelta(minutes=31), hold_tags=("HOLD",)),
        exceptions={},
        words={"1": list(words)},
        gates={"1": list(gates)},
        rest={"1": rest},
        troubled=troubled,
        end=END,
    )
    return [violation.law for violation in Oracle({"1": truth}, exceptions, docket=docket).judge()]


def seen(code: str, opened: float, closed: float | None = None, *, by_person: bool = False) -> SeenException:
    closed_at = at(closed) if closed is not None else None
    return SeenException(code=code, order_id="1", opened_at=at(opened), closed_at=closed_at, by_person=by_person)


def test_a_good_order_breaks_nothing() -> None:
    truth = order()
    goods_out(truth)
    assert laws(truth) == []


class TestRelease:
    def test_more_than_the_order_held(self) -> None:
        truth = order(1)
        goods_out(truth, units=2)
        assert {"I1a", "I1b", "I1c", "I2p", "I14"} <= set(laws(truth))

    def test_inside_the_window(self) -> None:
        truth = order()
        goods_out(truth, when=20)
        assert laws(truth) == ["I1a"]
        assert laws(truth, words=[Word(at=at(19), order_id="1", verb="release")]) == []

    def test_a_word_about_something_else_does_not_count(self) -> None:
        truth = order(1)
        truth.times.append(at(19))
        truth.versions.append({"11": 2})
        goods_out(truth, when=20)
        assert laws(truth, words=[Word(at=at(1), order_id="1", verb="release")]) == ["I1a"]

    def test_tagged_unpaid_or_held(self) -> None:
        for close in ("tags", "paid", "held"):
            truth = order()
            match close:
                case "tags":
                    truth.tags.put(at(1), ("HOLD",))
                case "paid":
                    truth.paid.put(at(1), value=False)
                case _:
                    truth.held.put(at(1), ("h",))
            goods_out(truth)
            assert laws(truth) == ["I1a"], close

    def test_two_live_ones(self) -> None:
        truth = order(4)
        goods_out(truth, despatched=None)
        goods_out(truth, number=2, when=50, despatched=None)
        assert laws(truth) == ["I2"]

    def test_a_second_one_after_the_first_has_left(self) -> None:
        truth = order(2)
        goods_out(truth)
        goods_out(truth, number=2, when=70, despatched=90)
        assert {"I2p", "I14"} <= set(laws(truth))

    def test_an_operators_hold(self) -> None:
        truth = order()
        goods_out(truth)
        hold, unhold = (Word(at=at(m), order_id="1", verb=v) for m, v in ((30, "hold"), (50, "unhold")))
        assert laws(truth, words=[hold, unhold]) == ["I28"]

    def test_taken_back_and_still_there(self) -> None:
        truth = order()
        goods_out(truth, despatched=None)
        word = Word(at=at(50), order_id="1", verb="take_back")
        assert laws(truth, words=[word]) == ["I28"]
        assert laws(truth, words=[word], exceptions=[seen("CANCEL_TOO_LATE", 51)]) == []


class TestLateChanges:
    def _edited(self, when: float) -> OrderTruth:
        truth = order()
        goods_out(truth, when=40, despatched=90)
        truth.times.append(at(when))
        truth.versions.append({"11": 1})
        return truth

    def test_said_in_time(self) -> None:
        words = [seen("LATE_EDIT", 52, 90), seen("OVER_DESPATCH", 90)]
        assert laws(self._edited(50), exceptions=words) == []

    def test_unsaid(self) -> None:
        assert laws(self._edited(50)) == ["I1c", "I1c", "I14"]

    def test_said_after_the_fact(self) -> None:
        assert laws(self._edited(50), exceptions=[seen("OVER_DESPATCH", 91)]) == ["I1c", "I1c"]

    def test_another_exception_is_no_excuse(self) -> None:
        assert laws(self._edited(50), exceptions=[seen("SKU_UNMAPPED", 52)]) == ["I1c", "I1c", "I14"]

    def test_a_storm_gives_more_time(self) -> None:
        late = [seen("LATE_EDIT", 69, 90), seen("OVER_DESPATCH", 90)]
        assert laws(self._edited(50), exceptions=late) == ["I1c"]
        assert laws(self._edited(50), exceptions=late, troubled=[(at(51), at(53))]) == []

    def test_cancelled_and_sent(self) -> None:
        truth = order()
        goods_out(truth, when=40, despatched=90)
        truth.cancelled_at = at(50)
        assert laws(truth) == ["I12", "I12", "I14"]
        assert laws(truth, exceptions=[seen("CANCEL_TOO_LATE", 52)]) == []

    def test_closed_by_a_person_still_counts(self) -> None:
        truth = order()
        goods_out(truth, when=40, despatched=90)
        truth.cancelled_at = at(50)
        assert laws(truth, exceptions=[seen("CANCEL_TOO_LATE", 52, 60, by_person=True)]) == []
        assert laws(truth, exceptions=[seen("CANCEL_TOO_LATE", 52, 100)]) == ["I14"]

    def test_the_old_address(self) -> None:
        truth = order()
        made = goods_out(truth, despatched=90)
        made.street.put(at(40), "1 High Street")
        truth.street.put(at(50), "2 Low Street")
        assert laws(truth) == ["I1c"]

    def test_picked_units_are_put_back(self) -> None:
        truth = order()
        made = goods_out(truth, despatched=None)
        made.picked.append((at(50), "11", 2))
        made.ended_at = truth.cancelled_at = at(55)
        assert laws(truth) == ["I12"]
        assert laws(truth, exceptions=[seen("PUT_BACK", 56)]) == []


class TestDespatch:
    def test_told_twice(self) -> None:
        truth = order()
        goods_out(truth)
        truth.told.append(Told(at=at(70), units={"11": 1}, tracking=(), by="Pickgate"))
        assert laws(truth) == ["I8a"]

    def test_never_told(self) -> None:
        truth = order()
        goods_out(truth)
        truth.told.clear()
        assert laws(truth) == ["I8d", "T1"]
        assert laws(truth, exceptions=[seen("SHOP_REFUSED", 61)]) == []

    def test_told_late(self) -> None:
        truth = order()
        goods_out(truth)
        truth.told[0] = Told(at=at(120), units={"11": 2}, tracking=("PK1",), by="Pickgate")
        assert laws(truth) == ["I8t"]

    def test_the_same_reference_twice(self) -> None:
        truth = order()
        first = goods_out(truth, despatched=None)
        first.ended_at = at(45)
        goods_out(truth, number=2, when=50).reference = first.reference
        assert laws(truth) == ["I8a"]
        assert laws(truth, exceptions=[seen("DUPLICATE_SUSPECTED", 51, 60)]) == []

    def test_undone(self) -> None:
        truth = order()
        made = goods_out(truth)
        truth.fulfilments_undone.append((at(70), "Pickgate"))
        made.touched_after_end.append((at(71), "amended"))
        made.ended_at = at(72)
        assert laws(truth) == ["I11", "I11", "I11"]


class TestRest:
    def test_waits_without_a_reason(self) -> None:
        assert laws(order()) == ["I4"]
        assert laws(order(), exceptions=[seen("WMS_REFUSED", 40)]) == []

    def test_a_gate_must_be_true(self) -> None:
        tagged = AtRest(tags=("HOLD",), financial_status="PAID", owed=False, held=False, metafields={})
        assert laws(order(), gates=[SeenGate(code="hold_tag")]) == ["I4"]
        assert laws(order(), gates=[SeenGate(code="hold_tag")], rest=tagged) == []
        assert laws(order(), gates=[SeenGate(code="payment")]) == ["I4"]
        assert laws(order(), gates=[SeenGate(code="edit_window", until=at(31))]) == ["I4"]
        assert laws(order(), gates=[SeenGate(code="operator_hold")]) == ["I4"]
        held = [Word(at=at(5), order_id="1", verb="hold")]
        assert laws(order(), gates=[SeenGate(code="operator_hold")], words=held) == []

    def test_the_lock(self) -> None:
        truth = order()
        made = goods_out(truth, despatched=90)
        made.begun.put(at(60), value=True)
        assert laws(truth) == ["L1"]
        assert laws(truth, exceptions=[seen("LOCK_NOT_TAKEN", 62)]) == []
        truth.tags.put(at(61), ("pickgate-locked",))
        assert laws(truth) == []
        truth.tags.put(at(70), ())
        assert laws(truth) == ["L1"]
        assert laws(truth, exceptions=[seen("LOCK_NOT_TAKEN", 84)]) == []

    def test_the_lock_of_nothing(self) -> None:
        locked = AtRest(
            tags=("HOLD", "pickgate-locked"), financial_status="PAID", owed=False, held=False, metafields={}
        )
        assert laws(order(), gates=[SeenGate(code="hold_tag")], rest=locked) == ["L2"]
