"""Every behaviour that Clarus does not document, as a setting. The defaults are the dossier's assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

ALL_GROUPS = frozenset({"header", "address", "carrier", "notes", "lines"})
_PAPERWORK = frozenset({"address", "carrier", "notes"})


def _amendable() -> Mapping[str, frozenset[str]]:
    return MappingProxyType(
        {
            "DRAFT": ALL_GROUPS,
            "PENDING": ALL_GROUPS,
            "PART_ALLOCATED": _PAPERWORK,
            "ALLOCATED": _PAPERWORK,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarusKnobs:
    """
    How this tenant behaves. Durations are seconds, chances are 0 to 1.

    `amendable` maps a status code to the groups of fields that PATCH may change there (`header`, `address`,
    `carrier`, `notes`, `lines`); a code that is missing, known or not, allows nothing.
    """

    # access
    prefixes: tuple[str, ...] = ("/api", "/api/v1")
    token_life_seconds: int = 7200
    token_reply_tells_life: bool = True
    one_session: bool = False
    requests_per_second: float | None = None
    retry_after_seconds: int | None = 1

    # creating
    duplicate_reference: Literal["allow", "refuse"] = "allow"
    draft_allowed: bool = True
    visible_after_seconds: float = 0.0
    refuse_unknown_attributes: bool = True
    refuse_empty_strings: bool = False
    products_belong_to_accounts: bool = True

    # amending and replies
    amendable: Mapping[str, frozenset[str]] = field(default_factory=_amendable)
    line_delete_verbs: frozenset[str] = frozenset({"DESTROY"})
    patch_needs_required_fields: bool = False
    line_ids_in_replies: bool = False
    ids_as_strings_in_replies: bool = False

    # processing, picking, cancelling
    process_after_create_seconds: float | None = None
    process_delay_seconds: float = 0.0
    pick_begins_at: Literal["first_task_started", "first_unit_picked"] = "first_unit_picked"
    cancel_while_picking: Literal["cancel", "refuse"] = "cancel"
    deletion_emits_cancelled: bool = False

    # reading
    introspection_allowed: bool = True
    introspected_extras: bool = False
    line_references_readable: bool = False
    page_size_cap: int = 100
    balance_formula: Literal["net", "net_of_allocated", "on_hand"] = "net"
    tenant_time_zone: str = "Europe/London"
    status_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"PICK": "Picking"}))

    # webhooks
    webhook_envelope: Literal["data", "bare"] = "data"
    webhook_delay_seconds: tuple[float, float] = (0.0, 0.0)
    webhook_duplicate_chance: float = 0.0
    webhook_loss_chance: float = 0.0
    webhook_retries_after_seconds: tuple[float, ...] = ()


DEFAULT_KNOBS = ClarusKnobs()
