"""The stock flow in the small world: what is sent, what is not, and who is told."""

from __future__ import annotations

from dataclasses import replace

from pickgate.domain.facts import Unreadable
from pickgate.domain.stock_policy import Balance, StockPolicy
from pickgate.flows.ports import NotSent, OutcomeNotKnown, Refused
from pickgate.flows.stock_ports import SomeRefused, StockHint
from stock_orders import HERE
from stock_world import World

OPEN = StockPolicy(most_changed_share=1, most_zero_share=1)


def world(cups: int = 8, teas: int = 8) -> World:
    made = World()
    made.receive("CUP", cups)
    made.receive("TEA", teas)
    return made


def shown(made: World) -> dict[str, int]:
    return {sku: level.available for sku, level in made.levels.items()}


def sent(made: World) -> list[list[tuple[str, int, int]]]:
    return [[(item.sku, item.quantity, item.change_from) for item in batch.items] for batch in made.calls]


def exceptions(made: World) -> list[tuple[str, str]]:
    return [(item.code, item.scope) for item in made.store.exceptions.open()]


async def test_changed_levels_go_out_in_one_call_and_unchanged_ones_never() -> None:
    made = world()
    report = await made.flows().publish()
    assert (report.published, shown(made)) == (3, {"CUP": 8, "TEA": 8, "SET": 4})
    assert len(sent(made)) == 1
    await made.flows().publish()
    assert len(sent(made)) == 1


async def test_a_dry_run_sets_and_remembers_nothing() -> None:
    made = world()
    report = await made.flows().publish(dry_run=True)
    assert (report.places[0].wanted, report.published, made.calls) == (3, 0, [])
    assert (made.stock.lines, made.stock.places) == ({}, {})


async def test_a_sale_in_between_is_read_again_not_overwritten() -> None:
    made = world()
    await made.flows().publish()
    made.receive("CUP", 2)
    moments = iter(range(100))

    def between() -> None:
        if next(moments) == 7:  # after the levels were read, before they are set
            made.sell("CUP", 3)

    made.between = between
    report = await made.flows().publish()
    assert sent(made)[1:] == [[("CUP", 10, 8)], [("CUP", 7, 5)]]
    assert (report.places[0].sent.calls, shown(made)["CUP"]) == (2, 7)


async def test_one_bad_item_fails_alone_and_is_not_tried_again() -> None:
    made = world()
    made.bad = {"SET": "NON_MUTABLE_INVENTORY_ITEM"}
    report = await made.flows().publish()
    assert (report.published, shown(made)) == (2, {"CUP": 8, "TEA": 8, "SET": 0})
    assert [len(batch) for batch in sent(made)] == [3, 2]
    assert exceptions(made) == [("SHOP_REFUSED", "shop:uk:stock:ACME/LDS")]
    made.receive("CUP", 1)
    await made.flows().publish()
    assert sent(made)[2:] == [[("CUP", 9, 8)]]
    assert exceptions(made) == []


async def test_a_refusal_that_names_nobody_is_found_by_halves() -> None:
    made = world()
    made.answers = [SomeRefused(problem="Something is wrong."), SomeRefused(problem="Something is wrong.")]
    report = await made.flows().publish()
    assert [len(batch) for batch in sent(made)] == [3, 1, 2]
    assert (report.published, len(report.places[0].sent.refused)) == (2, 1)


async def test_a_level_that_never_holds_still_is_given_up_and_told() -> None:
    made = world()
    await made.flows().publish()
    made.receive("CUP", 1)

    def meddle() -> None:
        made.levels["CUP"].available = made.levels["CUP"].available % 7 + 1

    for expected in ([], [("STOCK_CONFLICT", "shop:uk:stock:ACME/LDS")]):
        made.calls.clear()
        made.between = meddle
        await made.flows().publish()
        made.between = lambda: None
        assert len(made.calls) == 4, "no more than four tries in one publication"
        assert exceptions(made) == expected
    await made.flows().publish()
    assert (shown(made)["CUP"], exceptions(made)) == (9, [])


async def test_an_answer_that_never_came_is_asked_for_again_under_the_same_key() -> None:
    made = world()
    made.answers = [OutcomeNotKnown(why="reset"), OutcomeNotKnown(why="reset")]
    report = await made.flows().publish()
    assert (report.published, len(report.places[0].sent.unknown)) == (0, 3)
    assert made.calls[0] == made.calls[1]
    await made.flows().publish()
    assert made.calls[2] == made.calls[0]
    assert shown(made) == {"CUP": 8, "TEA": 8, "SET": 4}
    assert [row.state for row in made.stock.batches.values()] == ["confirmed"]


async def test_an_old_batch_without_an_answer_is_read_not_repeated() -> None:
    made = world()
    made.answers = [OutcomeNotKnown(why="reset"), OutcomeNotKnown(why="reset")]
    await made.flows().publish()
    made.clock.advance(601)
    await made.flows().publish()
    assert [row.state for row in made.stock.batches.values()] == ["lost", "confirmed"]
    assert made.calls[2].key != made.calls[0].key


async def test_a_throttled_shop_is_left_alone_until_the_next_time() -> None:
    made = world()
    made.answers = [NotSent(why="The budget is used up.")]
    report = await made.flows().publish()
    assert (report.published, report.places[0].problem) == (0, "uk: The budget is used up.")
    assert exceptions(made) == []
    await made.flows().publish()
    assert shown(made)["CUP"] == 8


async def test_refused_access_is_an_exception_that_closes() -> None:
    made = world()
    made.answers = [NotSent(why="401", exception_code="CREDENTIALS_REFUSED")]
    await made.flows().publish()
    assert exceptions(made) == [("CREDENTIALS_REFUSED", "shop:uk:stock:ACME/LDS")]
    await made.flows().publish()
    assert exceptions(made) == []


async def test_a_request_that_is_wrong_in_itself_stops() -> None:
    made = world()
    made.answers = [Refused(code="INVALID_REASON", problem="Shopify: no such reason")]
    report = await made.flows().publish()
    assert (len(made.calls), report.published) == (1, 0)
    assert exceptions(made) == [("SHOP_REFUSED", "shop:uk:stock:ACME/LDS")]


async def test_a_mass_zero_waits_for_a_person() -> None:
    made = world()
    policy = replace(OPEN, most_zero_share=0.2)
    await made.flows(policy).publish()
    made.odd = {"CUP": Balance(available=0), "TEA": Balance(available=0)}
    report = await made.flows(policy).publish()
    assert report.places[0].held is not None
    assert (len(made.calls), shown(made)["CUP"]) == (1, 8)
    assert exceptions(made) == [("STOCK_IMPLAUSIBLE", "shop:uk:stock:ACME/LDS")]
    assert made.stock.places[HERE].held == "3 of 3 levels with stock would become zero."
    await made.flows(policy).publish(confirmed=True)
    assert (shown(made), exceptions(made)) == ({"CUP": 0, "TEA": 0, "SET": 0}, [])


async def test_what_cannot_be_read_publishes_nothing() -> None:
    made = world()
    made.gone = True
    report = await made.flows().publish()
    assert (report.places[0].problem, made.calls) == ("Clarus answered 503", [])
    made.gone = False
    made.odd = {"CUP": Unreadable(why="1.5 units")}
    await made.flows().publish()
    assert shown(made) == {"CUP": 0, "TEA": 8, "SET": 0}
    assert exceptions(made) == [("STOCK_IMPLAUSIBLE", "shop:uk:stock:ACME/LDS")]


async def test_a_location_that_is_switched_off_gets_nothing_and_is_told() -> None:
    made = world()
    made.active = False
    report = await made.flows().publish()
    assert (report.places, made.calls) == ((), [])
    assert exceptions(made) == [("LOCATION_UNMAPPED", "shop:uk:stock:locations")]
    made.active = True
    await made.flows().publish()
    assert exceptions(made) == []


async def test_a_shop_that_is_only_observed_is_compared_and_not_touched() -> None:
    made = world()
    flows = made.flows()
    flows.observed = frozenset({"uk"})
    report = await flows.publish()
    assert (report.places[0].wanted, made.calls) == (3, [])


async def test_a_place_that_another_worker_has_is_left_to_it() -> None:
    made = world()
    await made.stock.claim_place(HERE, holder="w2", now=made.clock.now(), lease_seconds=600)
    report = await made.flows().publish()
    assert (report.places[0].problem, made.calls) == ("Another worker is publishing this place.", [])


async def test_an_edit_of_picked_units_is_corrected_at_once() -> None:
    made = world()
    await made.flows().publish()
    sale = made.sell("CUP", 3)
    assert sale is not None
    made.look(sale)
    for _ in range(3):
        made.pick(sale)
    made.look(sale)
    made.edit(sale, 1)  # the shop puts two back on sale; they lie in a picker's trolley
    made.look(sale)
    assert (shown(made)["CUP"], made.promise("CUP")) == (7, 5)
    made.calls.clear()
    made.tick()
    flows = made.flows()
    await flows.note_restock("uk", ["CUP"])
    report = await flows.publish_hinted()
    assert (report.published, sent(made)) == (1, [[("CUP", 5, 7)]])
    assert (await flows.publish_hinted()).places == ()


async def test_an_urgent_correction_does_not_wait_for_a_publication() -> None:
    made = world()
    await made.flows().publish()
    made.lose("CUP", 6)
    flows = made.flows()
    await made.stock.claim_place(HERE, holder="w2", now=made.clock.now(), lease_seconds=600)
    await flows.note_products(["CUP"])
    await flows.publish_hinted()
    assert (shown(made)["CUP"], made.stock.hints) == (8, {("", "CUP"): StockHint(code="CUP")})
    await flows.note_restock("uk", ["CUP"])
    await flows.publish_hinted()
    assert shown(made)["CUP"] == 2


async def test_a_hint_about_a_product_corrects_everything_that_sells_it() -> None:
    made = world()
    await made.flows().publish()
    made.calls.clear()
    made.lose("TEA", 5)
    flows = made.flows()
    await flows.note_products(["TEA", "UNHEARD-OF"])
    await flows.publish_hinted()
    assert sent(made) == [[("TEA", 3, 8), ("SET", 1, 4)]]


async def test_hints_outlive_a_warehouse_that_cannot_be_read() -> None:
    made = world()
    await made.flows().publish()
    flows = made.flows()
    await flows.note_products(["TEA"])
    made.gone = True
    await flows.publish_hinted()
    made.gone = False
    made.lose("TEA", 5)
    await flows.publish_hinted()
    assert shown(made)["TEA"] == 3


async def test_a_level_that_flutters_is_not_sent_each_time() -> None:
    made = world()
    policy = replace(OPEN, hysteresis_units=1)
    await made.flows(policy).publish()
    made.calls.clear()
    for _ in range(5):
        made.lose("CUP", 1)
        await made.flows(policy).publish()
        made.receive("CUP", 1)
        await made.flows(policy).publish()
    assert sent(made) == [[("CUP", 7, 8)]]
    made.clock.advance(15 * 60)
    await made.flows(policy).publish()
    assert shown(made)["CUP"] == 8
