"""Templates, and the two ways to answer for a page: HTML, or the same operation's output as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import partial
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from pickgate.console import pictures, words
from pickgate.console.forms import text_of_table
from pickgate.console.handbook import render_markdown
from pickgate.console.sessions import Visitor
from pickgate.console.timeline import told
from pickgate.domain.findings import CODES
from pickgate.operations.registry import REGISTRY
from pickgate.operations.roles import Role

STATIC = files("pickgate.console") / "static"


class Views:
    """Renders templates. Everything is escaped; nothing is ever marked safe that came from outside."""

    def __init__(self, *, version: str, zone: tzinfo) -> None:
        self._stamps = {name: _stamp(name) for name in ("console.css", "console.js", "vendor/htmx.min.js", "icon.svg")}
        self._environment = Environment(
            loader=PackageLoader("pickgate.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "mark": words.mark,
            "moment": partial(words.moment, zone=zone),
            "local": partial(_local, zone=zone),
            "zone": str(zone),
            "one_minute": timedelta(minutes=1),
            "span": words.span,
            "outside": words.outside,
            "plain_words": words.plain_words,
            "detail_rows": words.detail_rows,
            "teams": words.TEAMS,
            "states": words.STATES,
            "codes": CODES,
            "told": partial(told, zone=zone),
            "action_title": _action_title,
            "amount": words.amount,
            "render_markdown": render_markdown,
            "money_pictures": pictures.money_pictures,
            "stock_picture": pictures.stock_picture,
            "level_differs": pictures.level_differs,
            "was_set_since": pictures.was_set_since,
            "empty_tables": words.EMPTY_TABLES,
            "text_of_table": text_of_table,
            "static": self._static,
            "version": version,
        }

    def _static(self, name: str) -> str:
        return f"/static/{name}?v={self._stamps[name]}"

    def render(
        self,
        request: Request,
        template: str,
        visitor: Visitor | None,
        values: Mapping[str, Any],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """Render one page. `may(id)` in a template says whether this visitor's role may run that operation."""
        role = visitor.actor.role if visitor else Role.VIEWER

        def may(operation_id: str) -> bool:
            return visitor is not None and operation_id in REGISTRY and role in REGISTRY.get(operation_id).roles

        def with_query(**changes: object) -> str:
            kept = {name: request.query_params.getlist(name) for name in request.query_params}
            for name, value in changes.items():
                kept.pop(name, None)
                if value not in (None, ""):
                    kept[name] = [str(value)]
            text = urlencode(kept, doseq=True)
            return request.url.path + (f"?{text}" if text else "")

        def csv_link() -> str:
            kept = [pair for pair in request.query_params.multi_items() if pair[0] not in ("limit", "offset", "cursor")]
            return f"{request.url.path}.csv" + (f"?{urlencode(kept)}" if kept else "")

        text = self._environment.get_template(template).render(
            visitor=visitor,
            may=may,
            with_query=with_query,
            csv_link=csv_link,
            path=request.url.path,
            query=request.query_params,
            **values,
        )
        return HTMLResponse(text, status, headers=dict(headers or {}))


def wants_json(request: Request) -> bool:
    """Say whether the JSON twin is asked for: by `.json` at the end, or by Accept."""
    accept = request.headers.get("accept", "")
    return request.url.path.endswith(".json") or ("application/json" in accept and "text/html" not in accept)


def _local(instant: datetime, form: str, *, zone: tzinfo) -> str:
    """Write an instant in the console's zone."""
    return instant.astimezone(zone).strftime(form)


def _action_title(action: str) -> str:
    return REGISTRY.get(action).title if action in REGISTRY else words.plain_words(action)


def _stamp(name: str) -> str:
    return sha256(STATIC.joinpath(name).read_bytes()).hexdigest()[:12]
