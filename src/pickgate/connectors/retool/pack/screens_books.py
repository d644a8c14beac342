"""The screens of what is counted: stock and money."""

from __future__ import annotations

from pickgate.connectors.retool.pack.parts import Board, Column, Screen, button, select, table, text, text_input
from pickgate.connectors.retool.pack.queries import QueryMaker
from pickgate.connectors.retool.pack.screens_work import make_screen, page_of
from pickgate.domain.money_sheets import SHEETS

_SHEETS = tuple((name, name.replace("_", " ").capitalize()) for name in SHEETS)


def stock_screen(make: QueryMaker) -> Screen:
    """What the shop shows beside what it should show, and why; publish on request."""
    queries = (
        make.read(
            "listStock", "list_stock",
            ask={
                "q": "stockSearch.value || ''", "only_differing": "stockDiffering.value === 'differing'",
                **page_of("stockTable"),
            },
        ),
        make.change(
            "publishStock", "publish_stock", confirm="Publish every level that differs from the promise?",
            then=["listStock"], done="Published", disabled="(stockReason.value || '').trim().length < 3",
            reason="stockReason.value",
        ),
    )  # fmt: skip
    columns = (
        Column("sku", "SKU", size=140), Column("shop", "Shop", "tag", 70), Column("warehouse", "Warehouse", "tag", 100),
        Column("available", "Shop shows", "decimal", 100), Column("sellable", "Warehouse has", "decimal", 110),
        Column("unseen", "Not seen yet", "decimal", 100), Column("promised", "Promised", "decimal", 90),
        Column("buffer", "Buffer", "decimal", 80), Column("target", "Should be", "decimal", 90),
        Column("action", "Action", "tag", 110), Column("why", "Why", size=260),
        Column("published_at", "Last set", "datetime", 150),
    )  # fmt: skip
    board = Board()
    board.row(0.6, (text("stockTitle", "### Stock"), 12))
    board.row(
        1.0,
        (text_input("stockSearch", "Search", placeholder="SKU or product"), 4),
        (select("stockDiffering", "Levels", (("differing", "That differ"), ("all", "All")), value="differing"), 2),
        (text_input("stockReason", "Reason", placeholder="For the audit"), 4),
        (button("publishButton", "Publish", "publishStock", disabled="(stockReason.value || '').trim().length < 3"), 2),
    )
    rows, total = "listStock.data?.items || []", "listStock.data?.total || 0"
    board.row(
        13.2,
        (table("stockTable", rows, columns, key="sku", total=total, empty="Every level is what it should be"), 12),
    )
    return make_screen("stock", "Stock", queries, board)


def money_screen(make: QueryMaker) -> Screen:
    """The month's report, sheet by sheet, and the amounts that nobody has explained yet."""
    month = "/^\\d{4}-\\d{2}$/.test(moneyMonth.value)"
    queries = (
        make.read(
            "moneyReport", "money_report", disabled=f"!{month}",
            ask={
                "month": "moneyMonth.value", "sheet": "moneySheet.value || 'summary'", **page_of("moneyTable"),
            },
        ),
        make.read("listMoneyExceptions", "list_money_exceptions", ask=page_of("moneyExceptionsTable")),
    )  # fmt: skip
    # The report's rows are lists beside one list of columns; a table wants objects. Amounts come in minor units, and
    # how many of them make a unit is the currency's own affair.
    rows = (
        "(moneyReport.data?.rows || []).map((row, place) => ({'No.': place + 1, ...Object.fromEntries("
        "row.map((cell, number) => [moneyReport.data.columns[number], cell && cell.currency ? (format => "
        "format.format(cell.minor / 10 ** format.resolvedOptions().maximumFractionDigits))(new Intl.NumberFormat("
        "'en', {style: 'currency', currency: cell.currency})) : cell]))}))"
    )
    found = (
        Column("id", "No.", "decimal", 60), Column("code", "Code", "tag", 190), Column("order_name", "Order", size=110),
        Column("shop", "Shop", "tag", 70), Column("due_at", "Due", "datetime", 150),
        Column("summary", "Summary", size=420),
    )  # fmt: skip
    board = Board()
    board.row(0.6, (text("moneyTitle", "### Money"), 12))
    board.row(
        1.0,
        (text_input("moneyMonth", "Month", placeholder="2026-11", value="{{ moment().format('YYYY-MM') }}"), 3),
        (select("moneySheet", "Sheet", _SHEETS, value="summary"), 4),
        (
            text(
                "moneyState",
                "{{ moneyReport.data?.month ? `**${moneyReport.data.title}**, ${moneyReport.data.state}, "
                "${moneyReport.data.ties ? 'ties' : 'does not tie'}` : '' }}",
            ),
            5,
        ),
    )
    board.row(
        10.0,
        (
            table(
                "moneyTable", rows, (Column("No.", "No.", "decimal", 60),), key="No.",
                total="moneyReport.data?.total || 0", dynamic=True, empty="No rows",
            ),
            12,
        ),
    )  # fmt: skip
    board.row(0.6, (text("moneyExceptionsTitle", "#### Not explained"), 12))
    board.row(
        6.0,
        (
            table(
                "moneyExceptionsTable", "listMoneyExceptions.data?.items || []", found, key="id",
                total="listMoneyExceptions.data?.total || 0", empty="Every penny is explained",
            ),
            12,
        ),
    )  # fmt: skip
    return make_screen("money", "Money", queries, board)
