"""One seeded run from beginning to end: draw the world's habits and faults, play, heal, settle, judge."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pickgate.clock import VirtualClock
from pickgate.flows.look import Nets
from pickgate.simulation.driver import START, Report, Simulation, simulation_settings, tell_stories
from pickgate.simulation.oracle import Bounds, Oracle, read_truth
from pickgate.simulation.stories import STORIES
from pickgate.simulation.world import World, make_world, scaled_habits
from pickgate.twins.clarus import ClarusKnobs
from pickgate.twins.faults import Fault, FaultPlan
from pickgate.twins.shopify import ShopifyKnobs

SECONDS_PER_ORDER = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a run is made of. `faults`: kinds that may happen; None: whichever the seed draws (swarm testing)."""

    seed: int
    orders: int
    faults: tuple[Fault, ...] | None = None
    fault_chance: float = 0.02
    crashes: bool = True
    nets: Nets = field(default_factory=Nets)
    poll: bool = True
    sweep: bool = True
    stories: tuple[str, ...] | None = None
    settings: dict[str, object] = field(default_factory=dict)


def run(recipe: Recipe) -> Report:
    """Play one recipe to its end. The same recipe and commit give the same report."""
    simulation, counts = prepare(recipe)
    simulation.run_until(simulation.clock.now())
    world = simulation.world
    spread = recipe.orders * SECONDS_PER_ORDER
    simulation.run_until(START.replace() + _seconds(spread + 3 * world.timing.edit_window))
    simulation.settle()
    return judge(recipe.seed, simulation, counts, orders=recipe.orders)


def prepare(recipe: Recipe) -> tuple[Simulation, dict[str, int]]:
    """Furnish the world that the seed draws and put its stories on the agenda."""
    rng = random.Random(recipe.seed)
    clock = VirtualClock(START)
    world = _draw_world(clock, rng)
    plan = _draw_faults(rng, recipe)
    crash_chance = rng.choice((0.0, 0.002, 0.004)) if recipe.crashes else 0.0
    sections = _draw_settings(rng)
    for key, value in recipe.settings.items():
        section = sections.setdefault(key, {})
        section.update(value)  # type: ignore[arg-type]
    simulation = Simulation(
        world,
        clock,
        rng,
        settings=simulation_settings(world, **sections),
        plan=plan,
        crash_chance=crash_chance,
        nets=recipe.nets,
        poll=recipe.poll,
        sweep=recipe.sweep,
    )
    chosen = {name: STORIES[name] for name in recipe.stories} if recipe.stories else None
    counts = tell_stories(world, rng, orders=recipe.orders, seconds=recipe.orders * SECONDS_PER_ORDER, chosen=chosen)
    return simulation, counts


def judge(seed: int, simulation: Simulation, counts: dict[str, int], *, orders: int) -> Report:
    """Let the oracle speak, and add up what happened."""
    truth = read_truth(simulation.world.shop.history, simulation.world.warehouse.history)
    notice = simulation.settings.sweep.every + _seconds(300)
    violations = Oracle(truth, simulation.exceptions(), Bounds(notice=notice)).judge()
    violations += simulation_laws(simulation)
    rows = simulation.store.orders.values()
    return Report(
        seed=seed,
        orders=orders,
        looks=simulation.looks,
        faults=sum(simulation.plan.counts.values()) + simulation.crashes.count,
        crashes=simulation.crashes.count,
        violations=violations,
        trace=simulation.trace(),
        fault_counts={str(kind): count for kind, count in simulation.plan.counts.items()},
        stories=counts,
        states=dict(Counter(row.state for row in rows)),
        exceptions=dict(Counter(item.code for item in simulation.store.exceptions.all)),
        requests={name: transport.requests for name, transport in simulation.transports.items()},
    )


def _seconds(seconds: float):  # type: ignore[no-untyped-def]
    from datetime import timedelta

    return timedelta(seconds=seconds)


def simulation_laws(simulation: Simulation) -> list:  # type: ignore[type-arg]
    return []


def _draw_world(clock: VirtualClock, rng: random.Random) -> World:
    """Each seed has its own vendor: every UNKNOWN is drawn."""
    shop_knobs = ShopifyKnobs(
        added_line_joins=rng.choice((0.0, 0.25, 1.0)),
        increase_as_new_line=rng.choice((0.0, 0.0, 1.0)),
        empty_line_vanishes=rng.choice((0.0, 1.0)),
        routing_seconds=rng.choice((1.0, 2.0, 20.0)),
        stale_read_probability=rng.choice((0.0, 0.0, 0.02)),
        stale_read_seconds=3.0,
        full_bodies=False,
    )
    warehouse_knobs = ClarusKnobs(
        visible_after_seconds=rng.choice((0.0, 0.0, 5.0)),
        cancel_while_picking=rng.choice(("cancel", "refuse")),
        pick_begins_at=rng.choice(("first_task_started", "first_unit_picked")),
        deletion_emits_cancelled=rng.random() < 0.3,
        webhook_envelope=rng.choice(("data", "bare")),
        duplicate_reference=rng.choice(("allow", "refuse")),
    )
    habits = scaled_habits(
        1.0,
        short_chance=rng.choice((0.0, 0.02)),
        two_goes_chance=rng.choice((0.0, 0.05)),
        two_packages_chance=rng.choice((0.0, 0.1)),
        cancel_pick_list_chance=rng.choice((0.0, 0.03)),
        late_label_chance=rng.choice((0.0, 0.05)),
        bench_address_chance=rng.choice((0.0, 0.02)),
    )
    return make_world(clock, rng, shop_knobs=shop_knobs, warehouse_knobs=warehouse_knobs, habits=habits)


def _draw_faults(rng: random.Random, recipe: Recipe) -> FaultPlan:
    kinds: Iterable[Fault] = recipe.faults if recipe.faults is not None else tuple(Fault)
    if recipe.faults is None:
        kinds = [kind for kind in Fault if rng.random() < 0.7]
    return FaultPlan(rng, {kind: recipe.fault_chance * rng.choice((0.2, 0.5, 1.0)) * _usual(kind) for kind in kinds})


def _usual(kind: Fault) -> float:
    return 2.0 if kind.startswith("webhook") else 0.25


def _draw_settings(rng: random.Random) -> dict[str, dict[str, object]]:
    return {
        "clarus": {"edit_strategy": rng.choice(("reissue", "reissue", "amend"))},
        "shop": {"edits": {"cancel_while_picking": rng.random() < 0.7}},
    }
