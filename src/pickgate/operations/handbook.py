"""The handbook: what each exception means, what to check, what each action does, and who owns it.

The texts are docs/runbooks, which the package holds as `handbook` (a link in the source tree, a copy in a wheel).
"""

from __future__ import annotations

from importlib.resources import files

from pydantic import Field

from pickgate.domain.findings import CODES, CodeBook
from pickgate.operations.context import OperationContext
from pickgate.operations.errors import NotFound, Unavailable
from pickgate.operations.inputs import Ask, Paged, TeamName
from pickgate.operations.models import Page, Shape
from pickgate.operations.operation import Operation
from pickgate.operations.roles import EVERYONE


class ListRunbooks(Paged):
    q: str = Field(default="", max_length=200, description="Words of a code, a title or a page")
    owner: TeamName | None = None


class GetRunbook(Ask):
    code: str = Field(min_length=1, max_length=60, description="An exception's code, such as LATE_EDIT")


class RunbookRow(Shape):
    """One page of the handbook. `due_minutes`: how soon such an exception should be dealt with."""

    code: str
    title: str
    owner: str = Field(description="The owning team: ops, cx, finance or ecommerce")
    severity: str
    due_minutes: int


class RunbookShape(RunbookRow):
    text: str = Field(description="The page in Markdown")


async def _list_runbooks(context: OperationContext, ask: ListRunbooks) -> Page[RunbookRow]:
    words = ask.q.casefold().split()
    found = []
    for code, book in CODES.items():
        searched = f"{code} {book.title} {find_page(code) or ''}".casefold()
        if (ask.owner in (None, book.team.value)) and all(word in searched for word in words):
            found.append(RunbookRow.model_validate(_row(code, book)))
    shown = found[ask.offset : ask.offset + ask.limit]
    end = ask.offset + len(shown)
    return Page[RunbookRow](
        items=shown, total=len(found), next_cursor=f"o{end}" if shown and end < len(found) else None
    )


async def _get_runbook(context: OperationContext, ask: GetRunbook) -> RunbookShape:
    code = ask.code.upper()
    book = CODES.get(code)
    if book is None:
        raise NotFound(f"There is no exception code {ask.code!r}.", remedy="List the pages of the handbook.")
    text = find_page(code)
    if text is None:
        raise Unavailable(
            "The handbook is not part of this installation.", remedy="Install Pickgate whole, with docs/."
        )
    return RunbookShape.model_validate(_row(code, book) | {"text": text})


def find_page(code: str) -> str | None:
    """Return the page of one of `CODES` in Markdown; None when the installation has no handbook."""
    page = files("pickgate").joinpath("handbook", f"{code}.md")
    return page.read_text("utf-8") if page.is_file() else None


def _row(code: str, book: CodeBook) -> dict[str, object]:
    return {
        "code": code,
        "title": book.title,
        "owner": book.team.value,
        "severity": book.severity.value,
        "due_minutes": int(book.due_in.total_seconds()) // 60,
    }


HANDBOOK = (
    Operation(
        id="list_runbooks",
        title="List the handbook's pages",
        about="Every exception code with its owner and how soon it is due.",
        input=ListRunbooks,
        output=Page[RunbookRow],
        roles=EVERYONE,
        handler=_list_runbooks,
    ),
    Operation(
        id="get_runbook",
        title="Open a page of the handbook",
        about="What an exception means, what to check, what each action does, and when it closes by itself.",
        input=GetRunbook,
        output=RunbookShape,
        roles=EVERYONE,
        handler=_get_runbook,
    ),
)
