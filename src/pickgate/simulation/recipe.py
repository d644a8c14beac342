"""What a run is made of: drawn from one seed, each run with its own vendor, its own people and its own faults."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pickgate.clock import VirtualClock
from pickgate.flows.look import Nets
from pickgate.simulation.world import World, make_world, scaled_habits
from pickgate.twins.clarus import ClarusKnobs
from pickgate.twins.faults import WEBHOOK_FAULTS, Fault, FaultPlan
from pickgate.twins.shopify import ShopifyKnobs

SECONDS_PER_ORDER = 12.0


class Mischief(StrEnum):
    """What goes wrong beside single requests and webhooks (`Fault`)."""

    CRASHES = "crashes"
    STORMS = "storms"
    STALE_READS = "stale_reads"
    SLOW_ANSWERS = "slow_answers"
    SMALL_PAGES = "small_pages"
    SUBSCRIPTIONS_DELETED = "subscriptions_deleted"
    CLOCK_SKEW = "clock_skew"
    OPERATORS = "operators"


Trouble = Fault | Mischief
TROUBLES: tuple[Trouble, ...] = (*Fault, *Mischief)


def parse_troubles(text: str) -> tuple[Trouble, ...] | None:
    """Parse `all` (every seed draws its own: None), `none`, or names with commas. Raises ValueError with the names."""
    if text == "all":
        return None
    if text == "none":
        return ()
    known: dict[str, Trouble] = {str(trouble): trouble for trouble in TROUBLES}
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(f"unknown fault {', '.join(unknown) or text!r}; known: all, none, {', '.join(known)}")
    return tuple(known[name] for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """`faults`: kinds that may happen; None: whichever the seed draws (swarm testing). `fault_chance`: of a request.
    `operator_acts`: how often an operator does something, for each order. `without`: nets to switch off (`NETS`).
    `settings`: laid over what the seed draws, by section. `stock`: goods are scarce, and their levels are published.
    """

    seed: int
    orders: int
    faults: tuple[Trouble, ...] | None = None
    fault_chance: float = 0.02
    operator_acts: float = 0.08
    without: tuple[str, ...] = ()
    stories: tuple[str, ...] | None = None
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    stock: bool = False

    def has(self, rng: random.Random, trouble: Trouble, chance: float = 0.7) -> bool:
        """Whether this run has a kind of trouble; the seed says so where the recipe does not."""
        drawn = rng.random() < chance
        return drawn if self.faults is None else trouble in self.faults

    @property
    def nets(self) -> Nets:
        names = [name for name in self.without if name not in OUTER_NETS]
        return Nets(**dict.fromkeys(names, False))


OUTER_NETS = ("poll", "sweep", "mend", "hints")
NETS = (*OUTER_NETS, *Nets.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Everything that the seed decided, ready to be built."""

    world: World
    plan: FaultPlan
    crash_chance: float
    skew: timedelta
    settings: dict[str, Any]
    storms: int
    deletions: int
    operators: bool
    slow_chance: float


def draw(recipe: Recipe, clock: VirtualClock, rng: random.Random) -> Draw:
    """Draw a run. Every draw is made whether it is used or not, so that one switch does not change the others."""
    stale = recipe.has(rng, Mischief.STALE_READS, 0.4)
    small = recipe.has(rng, Mischief.SMALL_PAGES, 0.3)
    world = _draw_world(clock, rng, stale=stale, small=small)
    plan = _draw_faults(rng, recipe)
    crash_chance = rng.choice((0.001, 0.002, 0.004))
    skew = rng.choice((-120, -60, -5, 5, 60, 120))
    sections = _draw_settings(rng)
    for key, value in recipe.settings.items():
        sections.setdefault(key, {}).update(value)
    storms, deletions = rng.choice((1, 2, 3)), rng.choice((1, 2))
    return Draw(
        world=world,
        plan=plan,
        crash_chance=crash_chance if recipe.has(rng, Mischief.CRASHES) else 0.0,
        skew=timedelta(seconds=skew if recipe.has(rng, Mischief.CLOCK_SKEW, 0.4) else 0),
        settings=sections,
        storms=storms if recipe.has(rng, Mischief.STORMS, 0.5) else 0,
        deletions=deletions if recipe.has(rng, Mischief.SUBSCRIPTIONS_DELETED, 0.4) else 0,
        operators=recipe.has(rng, Mischief.OPERATORS),
        slow_chance=recipe.fault_chance / 10 if recipe.has(rng, Mischief.SLOW_ANSWERS, 0.5) else 0.0,
    )


def _draw_world(clock: VirtualClock, rng: random.Random, *, stale: bool, small: bool) -> World:
    """Each seed has its own vendor: every UNKNOWN is drawn."""
    shop_knobs = ShopifyKnobs(
        added_line_joins=rng.choice((0.0, 0.25, 1.0)),
        increase_as_new_line=rng.choice((0.0, 0.0, 1.0)),
        empty_line_vanishes=rng.choice((0.0, 1.0)),
        routing_seconds=rng.choice((1.0, 2.0, 20.0)),
        stale_read_probability=0.02 if stale else 0.0,
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
        page_size_cap=rng.choice((5, 10, 25)) if small else 100,
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
    world = make_world(clock, rng, shop_knobs=shop_knobs, warehouse_knobs=warehouse_knobs, habits=habits)
    # Some merchants switch the app's hold, or its cut-off metafield, off.
    world.editing.settings = replace(world.editing.settings, holds=rng.random() < 0.7, writes_cutoff=rng.random() < 0.7)
    return world


def _draw_faults(rng: random.Random, recipe: Recipe) -> FaultPlan:
    chances: dict[Fault, float] = {}
    for kind in Fault:
        strength = rng.choice((0.2, 0.5, 1.0)) * (2.0 if kind in WEBHOOK_FAULTS else 0.25)
        if recipe.has(rng, kind):
            chances[kind] = recipe.fault_chance * strength
    return FaultPlan(rng, chances)


def _draw_settings(rng: random.Random) -> dict[str, dict[str, Any]]:
    return {
        "clarus": {"edit_strategy": rng.choice(("reissue", "reissue", "amend"))},
        "shop": {
            "edits": {"cancel_while_picking": rng.random() < 0.7},
            "window": {"stuck_after": "3h"},
        },
    }


def names_of(kinds: Iterable[Trouble] | None) -> str:
    """The `--faults` value that gives these kinds again."""
    if kinds is None:
        return "all"
    return ",".join(str(kind) for kind in kinds) or "none"
