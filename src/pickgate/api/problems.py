"""Errors as RFC 9457 problem details, with a stable `code` and a `remedy`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from pickgate.operations.errors import OperationRefused

STATUS: Mapping[str, int] = {
    "BAD_JSON": 400,
    "UNAUTHENTICATED": 401,
    "NOT_ALLOWED": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "AMBIGUOUS": 409,
    "CONFLICT": 409,
    "TOO_LARGE": 413,
    "NOT_JSON": 415,
    "INPUT_INVALID": 422,
    "FAILED": 500,
    "UNAVAILABLE": 503,
}
TITLES: Mapping[str, str] = {
    "BAD_JSON": "The body cannot be read",
    "UNAUTHENTICATED": "Who are you?",
    "NOT_ALLOWED": "Not allowed",
    "NOT_FOUND": "Not found",
    "METHOD_NOT_ALLOWED": "Not that method",
    "AMBIGUOUS": "It means several things",
    "CONFLICT": "Somebody was faster",
    "TOO_LARGE": "Too large",
    "NOT_JSON": "Not JSON",
    "INPUT_INVALID": "The input cannot be used",
    "FAILED": "Something went wrong here",
    "UNAVAILABLE": "Not available now",
}


class Problem(Exception):
    """Ends a request with a problem answer."""

    def __init__(
        self, code: str, detail: str, *, remedy: str, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.remedy = remedy
        self.headers = dict(headers or {})
        self.extra = extra


def problem_of(error: OperationRefused) -> Problem:
    """Turn a refused operation into a problem; its `detail` becomes extension members."""
    headers = {"Retry-After": "5"} if error.code == "UNAVAILABLE" else {}
    reserved = {"code", "detail", "remedy", "headers"}
    extra = {name: value for name, value in error.detail.items() if name not in reserved}
    return Problem(error.code, error.problem, remedy=error.remedy, headers=headers, **extra)


def unavailable() -> Problem:
    """The database is out of reach."""
    return Problem(
        "UNAVAILABLE",
        "The database cannot be reached.",
        remedy="Nothing was changed. Try again in a few seconds; /readyz says when it is back.",
        headers={"Retry-After": "5"},
    )


def render_problem(problem: Problem) -> JSONResponse:
    """Render a problem as application/problem+json."""
    status = STATUS[problem.code]
    content = {
        "type": f"urn:pickgate:problem:{problem.code}",
        "title": TITLES[problem.code],
        "status": status,
        "detail": problem.detail,
        "code": problem.code,
        "remedy": problem.remedy,
        **problem.extra,
    }
    return JSONResponse(content, status, headers=problem.headers, media_type="application/problem+json")
