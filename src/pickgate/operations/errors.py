"""Why an operation was refused: a code that never changes, the problem, and the way out.

OperationRefused
├── NotAllowed         this role may not do that
├── NotFound           there is no such thing, or not for this actor
├── InputInvalid       the input cannot be used; `fields` says where
├── Ambiguous          the name means several things
├── Conflict           somebody, or the order itself, was faster
└── Unavailable        what is needed cannot be reached now
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class OperationRefused(Exception):
    """The operation did nothing. `code` is stable; `detail` is extra data for programs."""

    code: ClassVar[str]

    def __init__(self, problem: str, *, remedy: str, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{self.code}: {problem} {remedy}")
        self.problem = problem
        self.remedy = remedy
        self.detail = dict(detail or {})


class NotAllowed(OperationRefused):
    code = "NOT_ALLOWED"


class NotFound(OperationRefused):
    code = "NOT_FOUND"


class Ambiguous(OperationRefused):
    code = "AMBIGUOUS"


class Conflict(OperationRefused):
    code = "CONFLICT"


class Unavailable(OperationRefused):
    code = "UNAVAILABLE"


class InputInvalid(OperationRefused):
    """`fields`: one entry for each wrong field, with `field` and `problem`."""

    code = "INPUT_INVALID"

    def __init__(self, fields: Sequence[Mapping[str, str]]) -> None:
        listed = "; ".join(f"{item['field']}: {item['problem']}" for item in fields)
        super().__init__(
            f"The input cannot be used. {listed}.",
            remedy="Correct the fields named and ask again.",
            detail={"fields": list(fields)},
        )
