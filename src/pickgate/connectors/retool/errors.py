"""What can go wrong between us and Retool, and the way out of each.

RetoolProblem
├── RetoolRefused      401 or 403: the token, or its scope. Trying again changes nothing
├── RetoolRejected     any other 4xx: Retool does not take what we sent
├── RetoolUnreached    no connection, 408, 429, 5xx, no whole answer: it may pass
└── RetoolUnexpected   an answer, but not to what was asked
"""

from __future__ import annotations

from pickgate.http import HttpResponse

_PASSING = frozenset({408, 425, 429})


class RetoolProblem(Exception):
    """Something between us and Retool went wrong. The text carries no body, neither ours nor Retool's."""

    def __init__(self, problem: str, *, remedy: str, status: int = 0, retry_after_seconds: float = 0.0) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class RetoolRefused(RetoolProblem):
    """The token is not valid here, or has not the scope."""


class RetoolRejected(RetoolProblem):
    """Retool does not take what was sent."""


class RetoolUnreached(RetoolProblem):
    """It may pass by itself."""


class RetoolUnexpected(RetoolProblem):
    """Not an answer to what was asked: a page, a list where an object was due."""


def check_status(answer: HttpResponse, what: str, *, scope: str) -> None:
    """Raise RetoolProblem unless the answer is 2xx. `what`: the call, in a word; `scope`: what its token needs."""
    status = answer.status
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise RetoolRefused(
            f"Retool refused {what} ({status}).",
            remedy=f"Make an API token in Retool (Settings, API) with the scope {scope}, and put it into [retool].",
            status=status,
        )
    if status in _PASSING or status >= 500:
        raise RetoolUnreached(
            f"Retool could not answer {what} ({status}).",
            remedy="Try again; if it stays, see Retool's status page.",
            status=status,
            retry_after_seconds=_seconds(answer.header("Retry-After")),
        )
    remedy = "Check `retool.url`: it is your Retool's own address." if status in (301, 302, 307, 308, 404) else ""
    raise RetoolRejected(
        f"Retool did not take {what} ({status}).",
        remedy=remedy or "Check the [retool] settings against docs/reference/retool.md.",
        status=status,
    )


def _seconds(text: str | None) -> float:
    return min(float(text), 600.0) if text is not None and text.isascii() and text.isdigit() else 0.0
