"""The laws, in one list. Names follow the catalogue in docs/reference/simulation.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from pickgate.simulation.docket import Docket, Violation
from pickgate.simulation.laws_of_despatch import (
    no_double_despatch,
    reference_used_once,
    terminal_stays,
    told_what_left,
    tracking_comes_back,
)
from pickgate.simulation.laws_of_paperwork import (
    paperwork_is_final,
    picked_units_are_put_back,
    what_people_took_away_stays_away,
)
from pickgate.simulation.laws_of_release import (
    late_changes_are_said,
    one_live,
    operators_are_obeyed,
    predecessor_is_gone,
    released_from_a_fresh_read,
    released_through_open_gates,
    superseded_never_picked,
)
from pickgate.simulation.laws_of_rest import (
    lock_follows_work,
    original_time_is_carried,
    rest_is_explained,
)
from pickgate.simulation.truth import OrderTruth

Law = Callable[[OrderTruth, Docket, Mapping[str, OrderTruth]], Iterable[Violation]]

LAWS: Sequence[Law] = (
    released_from_a_fresh_read,
    released_through_open_gates,
    superseded_never_picked,
    one_live,
    predecessor_is_gone,
    operators_are_obeyed,
    late_changes_are_said,
    paperwork_is_final,
    picked_units_are_put_back,
    what_people_took_away_stays_away,
    no_double_despatch,
    told_what_left,
    reference_used_once,
    tracking_comes_back,
    terminal_stays,
    lock_follows_work,
    original_time_is_carried,
    rest_is_explained,
)
