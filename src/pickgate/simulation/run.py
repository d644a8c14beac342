"""One seeded run from beginning to end: draw the world's habits and faults, play, heal, settle, judge."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from pickgate.clock import VirtualClock
from pickgate.flows.stock import StockFlows
from pickgate.simulation.docket import Bounds, Docket, Violation
from pickgate.simulation.driver import START, Simulation, simulation_settings, tell_stories
from pickgate.simulation.inside import books_are_closed, exceptions_of, gates_of, news_is_seen, shop_at_rest
from pickgate.simulation.laws_of_stock import stock_is_true
from pickgate.simulation.oracle import Oracle
from pickgate.simulation.recipe import SECONDS_PER_ORDER, Recipe, draw
from pickgate.simulation.report import Report
from pickgate.simulation.stock import SETTINGS, STOCK_STORIES, StockDesk, make_scarce
from pickgate.simulation.stories import STORIES
from pickgate.simulation.transports import Storm
from pickgate.simulation.truth import read_truth
from pickgate.simulation.world import number
from pickgate.store.memory import MemoryStore

__all__ = ["Played", "Recipe", "judge", "play", "prepare", "run"]


@dataclass(slots=True, kw_only=True)
class Played:
    """A run that has come to rest, with everything in it to be looked at."""

    recipe: Recipe
    simulation: Simulation
    stories: dict[str, int]
    early: list[Violation]


def run(recipe: Recipe) -> Report:
    """Play one recipe to its end and judge it. The same recipe and commit give the same report."""
    return judge(play(recipe))


def play(recipe: Recipe, *, keep_journal: bool = False, stock_flows: type[StockFlows] = StockFlows) -> Played:
    """Play one recipe until it rests. `keep_journal`: for telling an order's story; it changes nothing else."""
    simulation, stories = prepare(recipe, keep_journal=keep_journal, stock_flows=stock_flows)
    spread = timedelta(seconds=recipe.orders * SECONDS_PER_ORDER)
    simulation.run_until(START + spread + timedelta(seconds=3 * simulation.world.timing.edit_window))
    simulation.heal()
    early = list(news_is_seen(simulation, notice=bounds_of(simulation).notice))
    simulation.rest()
    return Played(recipe=recipe, simulation=simulation, stories=stories, early=early)


def prepare(
    recipe: Recipe, *, keep_journal: bool = False, stock_flows: type[StockFlows] = StockFlows
) -> tuple[Simulation, dict[str, int]]:
    """Furnish the world that the seed draws and put its stories, storms and people on the agenda."""
    rng = random.Random(recipe.seed)
    clock = VirtualClock(START)
    drawn = draw(recipe, clock, rng)
    world = drawn.world
    sections = drawn.settings | SETTINGS if recipe.stock else drawn.settings
    simulation = Simulation(
        world,
        clock,
        rng,
        settings=simulation_settings(world, **sections),
        plan=drawn.plan,
        crash_chance=drawn.crash_chance,
        nets=recipe.nets,
        poll="poll" not in recipe.without,
        sweep="sweep" not in recipe.without,
        mend="mend" not in recipe.without,
        hints="hints" not in recipe.without,
        skew=drawn.skew,
        store=MemoryStore(keep_journal=keep_journal),
    )
    seconds = recipe.orders * SECONDS_PER_ORDER
    names = recipe.stories or (STOCK_STORIES if recipe.stock else None)
    chosen = {name: STORIES[name] for name in names} if names else None
    stories = tell_stories(world, rng, orders=recipe.orders, seconds=seconds, chosen=chosen)
    busy = seconds + 2 * world.timing.edit_window
    if recipe.stock:
        make_scarce(world, random.Random(f"stock {recipe.seed}"), orders=recipe.orders, seconds=busy)
        simulation.stock = StockDesk(simulation, stock_flows)
    for _ in range(drawn.storms):
        start = START + timedelta(seconds=rng.uniform(0.2, 1.0) * busy)
        end = start + timedelta(seconds=rng.uniform(30.0, 120.0))
        side, status = rng.choice(("shop", "warehouse")), rng.choice((429, 503))
        simulation.weather.storms.append(Storm(side=side, start=start, end=end, status=status))
    for _ in range(drawn.deletions):
        world.after(rng.uniform(0.0, busy), lambda: _delete_subscriptions(simulation))
    for transport in simulation.transports.values():
        transport.slow_chance = drawn.slow_chance
    if drawn.operators:
        simulation.operators.come_in(times=max(3, int(recipe.orders * recipe.operator_acts)), seconds=busy)
    return simulation, stories


def _delete_subscriptions(simulation: Simulation) -> None:
    """Somebody, or the shop itself, throws our webhook subscriptions away."""
    hooks = simulation.world.shop.hooks
    for subscription_id in list(hooks.subscriptions):
        hooks.delete(subscription_id)
    simulation.weather.counts["subscriptions_deleted"] += 1


def bounds_of(simulation: Simulation) -> Bounds:
    """The bounds that this installation's settings promise."""
    shop, clarus = simulation.settings.shops[0], simulation.settings.clarus
    return Bounds(
        notice=simulation.settings.sweep.every + timedelta(minutes=5),
        quick=clarus.poll_open_orders_every + timedelta(minutes=4),
        window=shop.window.edit_window + shop.window.guard,
        skew=abs(simulation.skew),
        hold_tags=(*shop.window.hold_tags, *shop.window.stop_tags),
        lock_tag=shop.lock.tag,
    )


def judge(played: Played) -> Report:
    """Let the oracle speak, and add up what happened."""
    simulation, world = played.simulation, played.simulation.world
    truth = read_truth(world.shop.history, world.warehouse.history)
    exceptions = exceptions_of(simulation)
    words: dict[str, list] = {}  # type: ignore[type-arg]
    for word in simulation.operators.words:
        words.setdefault(word.order_id, []).append(word)
    docket = Docket(
        bounds=bounds_of(simulation),
        exceptions={},
        words=words,
        gates=gates_of(simulation),
        rest=shop_at_rest(simulation),
        successors={number(a): number(b) for a, b in {**world.recreating.successors, **world.merger.merged}.items()},
        troubled=[(storm.start, storm.end) for storm in simulation.weather.storms],
        end=simulation.clock.now(),
    )
    violations = [*played.early, *Oracle(truth, exceptions, docket=docket).judge()]
    violations += books_are_closed(simulation, truth)
    violations += stock_is_true(simulation)
    counts = {str(kind): count for kind, count in simulation.plan.counts.items()} | dict(simulation.weather.counts)
    counts |= {"crashes": simulation.crashes.count, "operators": len(simulation.operators.words)}
    return Report(
        seed=played.recipe.seed,
        orders=played.recipe.orders,
        looks=simulation.looks,
        faults=sum(counts.values()),
        crashes=simulation.crashes.count,
        violations=violations,
        trace=trace_of(simulation),
        fault_counts={kind: count for kind, count in sorted(counts.items()) if count},
        stories=played.stories,
        states=dict(Counter(row.state for row in simulation.store.orders.values())),
        exceptions=dict(Counter(item.code for item in simulation.store.exceptions.all)),
        requests={name: transport.requests for name, transport in simulation.transports.items()},
        unsettled=sum(not row.settled for row in simulation.store.orders.values()),
    )


def trace_of(simulation: Simulation) -> str:
    """A hash of everything that truly happened and of what Pickgate said: the same seed and commit, the same trace."""
    digest = sha256()
    for history in (simulation.world.shop.history, simulation.world.warehouse.history):
        for event in history:
            digest.update(f"{event.at.isoformat()}|{event.kind}|{event.subject}|{event.detail!r}\n".encode())
    for item in simulation.store.exceptions.all:
        digest.update(f"{item.opened_at.isoformat()}|{item.code}|{item.fingerprint}|{item.resolved_at}\n".encode())
    digest.update(f"{simulation.looks} looks".encode())
    return digest.hexdigest()[:16]
