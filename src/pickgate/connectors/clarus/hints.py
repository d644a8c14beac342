"""Clarus' webhooks as the flows see them: satisfies `pickgate.flows.hints.HintPort`."""

from __future__ import annotations

from pickgate.connectors.clarus.webhooks import parse_hint
from pickgate.flows.hints import Hint


class ClarusHints:
    def parse_hint(self, topic: str, body: bytes) -> Hint:
        """Say what a webhook is about. Never raises: what cannot be read names nothing, and the poll finds it.

        A body is never proof of an order of ours: only our own references and ids are looked up.
        """
        found = parse_hint(body)
        return Hint(
            references=(found.reference,) if found.reference else (),
            clarus_ids=(found.clarus_id,) if found.clarus_id else (),
            rule="" if not found.is_empty else "names no record",
        )
