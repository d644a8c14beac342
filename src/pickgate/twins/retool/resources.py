"""Retool's API for resources, and its validator of Toolscript."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pickgate.clock import Clock
from pickgate.twins.retool.answers import Refusal

_PAGE = 2  # small, so that whoever lists must turn pages


@dataclass(slots=True)
class ResourceKnobs:
    """What differs between Retools. `knows_bearer`: bearer tokens among the ways to sign in (only newer ones have it).

    `validates_toolscript`: the validator is there. `complaints`: what it finds, as (file, message).
    """

    knows_bearer: bool = True
    validates_toolscript: bool = True
    complaints: list[tuple[str, str]] = field(default_factory=list)


class ResourceShelf:
    def __init__(self, clock: Clock, knobs: ResourceKnobs) -> None:
        self._clock = clock
        self._knobs = knobs
        self.resources: list[dict[str, Any]] = []
        self.options: dict[str, dict[str, Any]] = {}
        self.validated: list[list[dict[str, Any]]] = []

    def list(self, url: str) -> dict[str, Any]:
        query = parse_qs(urlsplit(url).query)
        kind = query.get("resource_type", [""])[0]
        start = int(query.get("next_token", ["0"])[0])
        found = [resource for resource in self.resources if not kind or resource["type"] == kind]
        page, rest = found[start : start + _PAGE], found[start + _PAGE :]
        return {
            "success": True,
            "data": page,
            "total_count": len(found),
            "next_token": str(start + _PAGE) if rest else None,
            "has_more": bool(rest),
        }

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        if set(body) != {"type", "display_name", "options"} or body["type"] != "restapi" or not body["display_name"]:
            raise Refusal(400, "type, display_name and options are required")
        self._check_options(body["options"])
        number = f"00000000-0000-4000-8000-{len(self.resources) + 1:012d}"
        now = self._clock.now().isoformat()
        resource = {
            "id": number,
            "type": body["type"],
            "display_name": body["display_name"],
            "created_at": now,
            "updated_at": now,
        }
        self.resources.append(resource)
        self.options[number] = body["options"]
        return {"success": True, "data": resource}

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self._knobs.validates_toolscript:
            raise Refusal(404, "not found")
        files = body.get("toolscript")
        if not isinstance(files, list) or any(set(file) != {"path", "contents"} for file in files):
            raise Refusal(400, "toolscript is required")
        self.validated.append(files)
        diagnostics = [
            {"from": 0, "to": 1, "severity": "error", "filename": name, "message": message}
            for name, message in self._knobs.complaints
        ]
        return {"success": True, "data": {"valid": not diagnostics, "diagnostics": diagnostics}}

    def _check_options(self, options: dict[str, Any]) -> None:
        if set(options) - {"base_url", "headers", "url_parameters", "authentication_options"}:
            raise Refusal(400, "unknown option")
        if not str(options.get("base_url", "")).startswith(("http://", "https://")):
            raise Refusal(400, "base_url must be absolute")
        pairs = options.get("headers", [])
        if not all(len(pair) == 2 and all(isinstance(part, str) for part in pair) for pair in pairs):
            raise Refusal(400, "headers are pairs of texts")
        way = options.get("authentication_options", {"authentication_type": "none"})
        allowed = {"none": set(), "bearer": {"bearer_token"}} if self._knobs.knows_bearer else {"none": set[str]()}
        kind = way.get("authentication_type")
        if kind not in allowed or set(way) - {"authentication_type"} != allowed[kind]:
            raise Refusal(400, "authentication_options do not fit")
