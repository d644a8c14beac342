"""Decide an order again from its stored facts: nothing is read from a vendor, nothing is recorded, nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from pickgate.domain.decide import CannotDecide, decide
from pickgate.domain.facts import Facts, Missing, Records
from pickgate.domain.policy import Policy
from pickgate.domain.projection import product_codes_of
from pickgate.domain.rules import Rules
from pickgate.domain.shop import ShopOrder
from pickgate.domain.warehouse import GoodsOut


class StoredLook(Protocol):
    """What the store keeps of the last look."""

    @property
    def shop(self) -> str: ...
    @property
    def order_id(self) -> str: ...
    @property
    def order(self) -> ShopOrder | None: ...
    @property
    def goods_outs(self) -> tuple[GoodsOut, ...]: ...
    @property
    def records(self) -> Records: ...
    @property
    def read_at(self) -> datetime | None: ...


def facts_of(stored: StoredLook, rules: Rules) -> Facts | None:
    """Rebuild the last look's facts; None: it was never read.

    Which products the warehouse knows, tracking numbers and related orders are not kept: every product that these
    rules name counts as known, and lineage is left out. A replay compares what is wanted.
    """
    if stored.read_at is None:
        return None
    codes = product_codes_of(stored.order, rules, shop=stored.shop) if stored.order is not None else ()
    return Facts(
        shop=stored.shop,
        order_id=stored.order_id,
        order=stored.order if stored.order is not None else Missing(),
        goods_outs=stored.goods_outs,
        records=stored.records,
        read_at=stored.read_at,
        known_products=frozenset(codes),
    )


def replay_decision(facts: Facts, rules: Rules, policy: Policy) -> Mapping[str, Any]:
    """Decide as of the moment the facts were read, and describe the decision in plain values without personal data."""
    try:
        decision = decide(facts, rules, policy, now=facts.read_at)
    except CannotDecide as error:
        return {"decided": False, "why": error.unreadable.why, "rulebook": rules.version}
    return {
        "decided": True,
        "rulebook": rules.version,
        "decided_at": facts.read_at.isoformat(),
        "state": decision.state.value,
        "fingerprint": decision.fingerprint,
        "commands": [
            {"kind": command.key.partition(":")[0], "target": command.key.partition(":")[2]}
            for command in decision.commands
        ],
        "gates": [{"code": gate.code, "detail": gate.detail, "until": gate.until} for gate in decision.gates],
        "findings": [{"code": finding.code, "summary": finding.summary} for finding in decision.findings],
        "wanted": [
            {
                "fulfilment_order_id": wanted.fulfilment_order_id,
                "group": wanted.group,
                "warehouse": wanted.content.warehouse,
                "carrier": wanted.content.carrier,
                "service": wanted.content.service,
                "lines": [{"product_code": n.product_code, "units": n.units} for n in wanted.content.lines],
            }
            for wanted in decision.wanted
        ],
        "reasons": [
            {"text": reason.text, "row": str(reason.row) if reason.row else None} for reason in decision.reasons
        ],
    }
