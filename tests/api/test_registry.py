"""The registry's own laws: ids, roles, inputs of changes; and that skins hold no logic."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pickgate.operations.errors import OperationRefused
from pickgate.operations.inputs import Change
from pickgate.operations.operation import Operation, Registry, check_input
from pickgate.operations.registry import REGISTRY
from pickgate.operations.roles import EVERYONE, Role

IDS = [
    "list_orders",
    "get_order",
    "look_at_order",
    "release_order",
    "hold_order",
    "unhold_order",
    "cancel_in_warehouse",
    "replay_order",
    "list_exceptions",
    "get_exception",
    "assign_exception",
    "snooze_exception",
    "resolve_exceptions",
    "list_held_orders",
    "list_drift",
    "list_rulebooks",
    "get_rulebook",
    "export_rulebook",
    "check_rulebook",
    "backtest_rulebook",
    "save_rulebook",
    "publish_rulebook",
    "list_effects",
    "list_audit",
    "daily_checks",
    "get_health",
]

MAY: dict[str, set[str]] = {
    "look_at_order": {"ops", "cx", "finance", "ecommerce"},
    "release_order": {"ops", "cx"},
    "hold_order": {"ops", "cx"},
    "unhold_order": {"ops", "cx"},
    "cancel_in_warehouse": {"ops", "cx"},
    "replay_order": {"ops", "cx", "finance", "ecommerce"},
    "assign_exception": {"ops", "cx", "finance", "ecommerce"},
    "snooze_exception": {"ops", "cx", "finance", "ecommerce"},
    "resolve_exceptions": {"ops", "cx", "finance", "ecommerce"},
    "backtest_rulebook": {"ops", "cx", "finance", "ecommerce"},
    "save_rulebook": {"ops", "ecommerce"},
    "publish_rulebook": {"ops", "ecommerce"},
    "list_audit": {"ops", "cx", "finance", "ecommerce"},
    "get_body": {"ops"},
}


def test_the_frozen_ids_are_there() -> None:
    assert set(IDS) <= {operation.id for operation in REGISTRY}


@pytest.mark.parametrize("operation_id", sorted({*IDS, *MAY}))
def test_who_may_do_what(operation_id: str) -> None:
    roles = REGISTRY.get(operation_id).roles
    assert (
        roles == EVERYONE
        if operation_id not in MAY
        else {role.value for role in roles} == MAY[operation_id] | {"admin"}
    )


@pytest.mark.parametrize("operation", list(REGISTRY), ids=lambda operation: operation.id)
def test_a_change_takes_a_reason_and_a_dry_run_and_has_audit_words(operation: Operation) -> None:  # type: ignore[type-arg]
    assert issubclass(operation.input, Change) == operation.changes
    assert bool(operation.audit_words) == operation.changes
    if operation.changes:
        assert Role.VIEWER not in operation.roles


@pytest.mark.parametrize("operation", list(REGISTRY), ids=lambda operation: operation.id)
def test_an_unknown_field_is_refused(operation: Operation) -> None:  # type: ignore[type-arg]
    with pytest.raises(OperationRefused) as refused:
        check_input(operation, {"misspelt": "1"})
    assert "misspelt" in {item["field"] for item in refused.value.detail["fields"]}
    with pytest.raises(ValidationError):
        operation.input.model_validate({"misspelt": "1"})


def test_two_operations_may_not_share_an_id() -> None:
    first = next(iter(REGISTRY))
    with pytest.raises(ValueError, match="same id"):
        Registry((first, first))
