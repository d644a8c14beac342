"""The few components that the screens are made of, with the attributes that exported apps show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pickgate.connectors.retool.pack.elements import Element, element
from pickgate.connectors.retool.pack.ids import app_uuid, short_id, tiny_id
from pickgate.connectors.retool.pack.queries import event

_NUMBERS = frozenset({"decimal", "integer"})
_PAGE_ROWS = "25"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a component stands on the grid of twelve columns. Rows are Retool's units, fractions allowed."""

    row: float
    col: int
    width: int
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A page: what it asks, what it shows, and where. `places`: by component id."""

    id: str
    title: str
    slug: str
    queries: tuple[Element, ...]
    shown: tuple[Element, ...]
    places: Mapping[str, Place]

    def render(self, order: int) -> Element:
        """Build the `Screen` element. `order`: its place among the pages."""
        frame = element(
            "Frame",
            f"$main{order + 1 if order else ''}",
            *self.shown,
            enableFullBleed=False,
            isHiddenOnDesktop=False,
            isHiddenOnMobile=False,
            padding="8px 12px",
            type="main",
        )
        return element(
            "Screen",
            self.id,
            *self.queries,
            frame,
            _customShortcuts=[],
            _hashParams=[],
            _order=order,
            _searchParams=[],
            browserTitle=f"Pickgate: {self.title}",
            title=self.title,
            urlSlug=self.slug,
            uuid=app_uuid("screen", self.id),
        )


@dataclass(slots=True)
class Board:
    """Collects the components of one screen with their places, from the top down."""

    shown: list[Element] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    _row: float = 0.0

    def row(self, height: float, *cells: tuple[Element, int]) -> None:
        """Put components side by side. Cells: (component, columns); together twelve at most."""
        col = 0
        for component, width in cells:
            self.shown.append(component)
            self.places[component.id] = Place(round(self._row, 1), col, width, height)
            col += width
        if col > 12:
            raise ValueError(f"a row of {col} columns; there are 12")
        self._row += height + 0.2


def text(id: str, markdown: str) -> Element:
    return element("Text", id, value=markdown, verticalAlign="center", marginType="normal")


def text_input(id: str, label: str, *, placeholder: str = "", value: str = "") -> Element:
    return element(
        "TextInput",
        id,
        label=label,
        labelPosition="top",
        marginType="normal",
        placeholder=placeholder,
        showClear=True,
        value=value,
    )


def select(id: str, label: str, options: Sequence[tuple[str, str]], *, value: str = "") -> Element:
    """`options`: (value, label), each fixed."""
    choices = [element("Option", short_id(id, key), label=words, value=key) for key, words in options]
    return element(
        "Select",
        id,
        *choices,
        emptyMessage="No options",
        itemMode="static",
        label=label,
        labelPosition="top",
        marginType="normal",
        overlayMaxHeight=375,
        placeholder="Any",
        showClear=True,
        showSelectionIndicator=True,
        value=value,
    )


def button(id: str, words: str, query: str, *, disabled: str = "", outline: bool = False) -> Element:
    """`disabled`: an expression, without braces."""
    more: dict[str, Any] = {"styleVariant": "outline"} if outline else {}
    if disabled:
        more["disabled"] = f"{{{{ {disabled} }}}}"
    return element("Button", id, event("click", query), marginType="normal", text=words, **more)


@dataclass(frozen=True, slots=True)
class Column:
    """`format`: Retool's; `size`: pixels; `shows`: an expression in place of the plain value."""

    key: str
    label: str
    format: str = "string"
    size: int = 120
    shows: str = ""
    hidden: bool = False


def table(
    id: str,
    rows: str,
    columns: Sequence[Column],
    *,
    key: str,
    total: str = "",
    several: bool = False,
    dynamic: bool = False,
    empty: str = "Nothing here",
) -> Element:
    """
    Build a table.

    Args:
        rows: An expression for an array of objects. `key`: the column that tells rows apart.
        total: An expression for the number of rows on all pages: the query then pages on our side.
        several: People may tick several rows.
        dynamic: Keys of the rows that are not among `columns` become columns too.
        empty: What an empty table says.
    """
    cells = [_column(id, column) for column in columns]
    paging: dict[str, Any] = (
        {"limitOffsetRowCount": f"{{{{ {total} }}}}", "overflowType": "pagination", "serverPaginated": True}
        if total
        else {}
    )
    if dynamic:
        paging |= {"dynamicColumnsEnabled": True, "dynamicColumnProperties": {"formatByIndex": "auto"}}
    download = element(
        "ToolbarButton",
        tiny_id(id, "download"),
        element("Event", event="clickToolbar", method="exportData", pluginId=id, type="widget", waitMs="0",
                waitType="debounce"),
        icon="bold/interface-download-button-2",
        label="Download",
        type="custom",
    )  # fmt: skip
    return element(
        "Table",
        id,
        *cells,
        download,
        cellSelection="none",
        data=f"{{{{ {rows} }}}}",
        defaultSelectedRow={"mode": "none" if several else "index", "indexType": "display", "index": 0},
        emptyMessage=empty,
        primaryKeyColumnId=short_id(id, key),
        rowHeight="small",
        rowSelection="multiple" if several else "single",
        showBorder=True,
        showFooter=True,
        showHeader=True,
        templatePageSize=_PAGE_ROWS,
        toolbarPosition="bottom",
        **paging,
    )


def _column(table_id: str, column: Column) -> Element:
    more: dict[str, Any] = {"valueOverride": f"{{{{ {column.shows} }}}}"} if column.shows else {}
    if column.format == "tag":
        more["formatOptions"] = {"automaticColors": True}
    if column.hidden:
        more["hidden"] = "true"
    return element(
        "Column",
        short_id(table_id, column.key),
        alignment="right" if column.format in _NUMBERS else "left",
        editable=False,
        format=column.format,
        groupAggregationMode="none",
        key=column.key,
        label=column.label,
        placeholder="",
        position="center",
        size=column.size,
        summaryAggregationMode="none",
        **more,
    )
