"""The screens of the day's work: exceptions, one order, orders that wait."""

from __future__ import annotations

from pickgate.connectors.retool.pack.elements import Element
from pickgate.connectors.retool.pack.parts import Board, Column, Screen, button, select, table, text, text_input
from pickgate.connectors.retool.pack.queries import QueryMaker

TEAMS = (("ops", "Operations"), ("cx", "Customer care"), ("finance", "Finance"), ("ecommerce", "E-commerce"))
_STATES = (("open", "Open"), ("snoozed", "Snoozed"), ("resolved", "Resolved"), ("all", "All"))


def page_of(table_id: str) -> dict[str, str]:
    """Return the paging parameters of a table that pages on our side."""
    return {
        "limit": f"Math.min({table_id}.pagination?.pageSize || 25, 200)",
        "offset": f"{table_id}.pagination?.offset || 0",
    }


def exceptions_screen(make: QueryMaker) -> Screen:
    """What is open, whose it is, how soon; assign, snooze and resolve the ticked ones, with a reason."""
    ticked = "exceptionsTable.selectedSourceRows"
    ids = f"({ticked} || []).map(row => row.id)"
    versions = f"({ticked} || []).map(row => row.version)"
    none = f"!({ticked} || []).length"
    short = "(exceptionsReason.value || '').trim().length < 3"
    queries = (
        make.read(
            "listExceptions", "list_exceptions",
            ask={
                "q": "exceptionsSearch.value || ''", "state": "exceptionsState.value || 'open'", "sort": "'due_at'",
                **page_of("exceptionsTable"),
            },
        ),
        make.change(
            "assignToMe", "assign_exception", confirm=f"Take {{{{ ({ticked} || []).length }}}} exception(s)?",
            then=["listExceptions"], done="They are yours", disabled=none,
            ids=ids, expected=versions, assignee="current_user.email", reason="exceptionsReason.value",
        ),
        make.change(
            "snoozeTicked", "snooze_exception",
            confirm=f"Hide {{{{ ({ticked} || []).length }}}} exception(s) until tomorrow?",
            then=["listExceptions"], done="Hidden until tomorrow", disabled=f"{none} || {short}",
            ids=ids, expected=versions, reason="exceptionsReason.value",
            until="moment().add(1, 'day').toISOString()",
        ),
        make.change(
            "resolveTicked", "resolve_exceptions",
            confirm=f"Resolve {{{{ ({ticked} || []).length }}}} exception(s)? If the cause stays, they open again.",
            then=["listExceptions"], done="Resolved", disabled=f"{none} || {short}",
            ids=ids, expected=versions, reason="exceptionsReason.value",
        ),
    )  # fmt: skip
    board = Board()
    board.row(0.6, (text("exceptionsTitle", "### Exceptions"), 12))
    board.row(
        1.0,
        (text_input("exceptionsSearch", "Search", placeholder="Order or words"), 4),
        (select("exceptionsState", "State", _STATES, value="open"), 2),
        (text_input("exceptionsReason", "Reason", placeholder="For the audit and for colleagues"), 6),
    )
    board.row(
        1.0,
        (button("takeButton", "Take", "assignToMe", disabled=none, outline=True), 3),
        (button("snoozeButton", "Until tomorrow", "snoozeTicked", disabled=f"{none} || {short}", outline=True), 3),
        (button("resolveButton", "Resolve", "resolveTicked", disabled=f"{none} || {short}"), 3),
    )
    columns = (
        Column("id", "No.", "decimal", 60),
        Column("code", "Code", "tag", 190),
        Column("order_name", "Order", size=100),
        Column("shop", "Shop", "tag", 70),
        Column("owner", "Owner", "tag", 100),
        Column("assignee", "Taken by", size=150),
        Column("severity", "Severity", "tag", 90),
        Column("due_at", "Due", "datetime", 150),
        Column("count", "Found", "decimal", 70),
        Column("summary", "Summary", size=420),
        Column("version", "Version", hidden=True),
    )
    board.row(
        13.2,
        (
            table(
                "exceptionsTable", "listExceptions.data?.items || []", columns, key="id", several=True,
                total="listExceptions.data?.total || 0", empty="No exceptions",
            ),
            12,
        ),
    )  # fmt: skip
    return make_screen("exceptions", "Exceptions", queries, board)


def order_screen(make: QueryMaker) -> Screen:
    """One order whole: gates, the comparison of three systems, goods-outs, history; hold, release, look, take back."""
    ref = "(orderRef.value || '').trim()"
    empty = "!orderRef.value"
    short = f"{empty} || (orderReason.value || '').trim().length < 3"
    seen = {"shop": "showOrder.data?.shop", "expected": "showOrder.data?.version"}
    again = ["showOrder"]
    queries = (
        make.read("showOrder", "get_order", path={"ref": ref}, disabled=empty, ask={"journal_limit": "200"}),
        make.change(
            "lookNow", "look_at_order", confirm="Look at {{ orderRef.value }} now?", then=again, done="It is next",
            disabled=empty, path={"ref": ref}, shop=seen["shop"],
        ),
        make.change(
            "holdOrder", "hold_order", confirm="Hold {{ orderRef.value }} until it is lifted?", then=again,
            done="Held", disabled=short, path={"ref": ref}, reason="orderReason.value", **seen,
        ),
        make.change(
            "liftHold", "unhold_order", confirm="Lift the hold of {{ orderRef.value }}?", then=again,
            done="Lifted", disabled=empty, path={"ref": ref}, reason="orderReason.value", **seen,
        ),
        make.change(
            "releaseNow", "release_order",
            confirm="Release {{ orderRef.value }} now, with these lines, before its gates open by themselves?",
            then=again, done="Released for this content", disabled=short, path={"ref": ref},
            reason="orderReason.value", **seen,
        ),
        make.change(
            "takeBack", "cancel_in_warehouse",
            confirm="Ask the warehouse to take {{ orderRef.value }} back, and hold it?", then=again,
            done="Asked for", disabled=short, path={"ref": ref}, reason="orderReason.value", **seen,
        ),
    )  # fmt: skip
    board = Board()
    board.row(0.6, (text("orderTitle", "### Order"), 12))
    board.row(
        1.0,
        (text_input("orderRef", "Order", placeholder="#1031, or an id", value="{{ urlparams.ref || '' }}"), 4),
        (text_input("orderReason", "Reason", placeholder="For the audit and for colleagues"), 8),
    )
    board.row(
        1.0,
        (button("lookButton", "Look now", "lookNow", disabled=empty, outline=True), 2),
        (button("holdButton", "Hold", "holdOrder", disabled=short), 2),
        (button("liftButton", "Lift hold", "liftHold", disabled=empty, outline=True), 2),
        (button("releaseButton", "Release now", "releaseNow", disabled=short), 2),
        (button("takeBackButton", "Take back", "takeBack", disabled=short, outline=True), 2),
    )
    board.row(
        0.8,
        (
            text(
                "orderSummary",
                "{{ showOrder.data?.name ? `**${showOrder.data.name}** (${showOrder.data.shop}): "
                "${showOrder.data.state}${showOrder.data.locked ? ', locked' : ''}. Next look: "
                "${showOrder.data.next_look_at || 'none'}` : 'Type an order.' }}",
            ),
            12,
        ),
    )
    gates = (
        Column("code", "Gate", "tag", 160), Column("detail", "Why", size=340),
        Column("until", "Until", "datetime", 150), Column("opens_when", "Opens when", size=240),
    )  # fmt: skip
    lines = (
        Column("line_id", "Line", size=120), Column("sku", "SKU", size=120), Column("title", "Product", size=240),
        Column("shop_units", "Shop", "decimal", 80), Column("decided_units", "Decided", "decimal", 80),
        Column("warehouse_units", "Warehouse", "decimal", 90), Column("picked", "Picked", "decimal", 80),
        Column("despatched", "Despatched", "decimal", 90), Column("differs", "Differs", "boolean", 80),
    )  # fmt: skip
    goods = (
        Column("reference", "Reference", size=120), Column("generation", "No.", "decimal", 60),
        Column("stage", "Stage", "tag", 110), Column("state", "State", "tag", 110),
        Column("warehouse", "Warehouse", size=110), Column("carrier", "Carrier", size=110),
        Column("service", "Service", size=140),
    )  # fmt: skip
    history = (
        Column("at", "When", "datetime", 160), Column("kind", "What", "tag", 150),
        Column("detail", "Detail", size=620, shows="typeof item === 'string' ? item : JSON.stringify(item)"),
    )  # fmt: skip
    board.row(
        5.0, (table("gatesTable", "showOrder.data?.gates || []", gates, key="code", empty="No gate is closed"), 12)
    )
    board.row(5.0, (table("linesTable", "showOrder.data?.comparison || []", lines, key="line_id"), 12))
    board.row(4.0, (table("goodsTable", "showOrder.data?.goods_outs || []", goods, key="reference"), 12))
    board.row(8.0, (table("journalTable", "showOrder.data?.journal || []", history, key="at"), 12))
    return make_screen("order", "Order", queries, board)


def waiting_screen(make: QueryMaker) -> Screen:
    """Orders that are not in the warehouse yet, with the gates that keep them; those that differ below."""
    queries = (
        make.read(
            "listWaiting", "list_held_orders",
            ask={
                "q": "waitingSearch.value || ''", "gate": "waitingGate.value || ''", "sort": "'next_look_at'",
                **page_of("waitingTable"),
            },
        ),
        make.read("listDrift", "list_drift", ask=page_of("driftTable")),
        make.read("showChecks", "daily_checks"),
    )  # fmt: skip
    gates = "(item || []).map(gate => gate.until ? `${gate.code} until ${gate.until}` : gate.code).join(', ')"
    waiting = (
        Column("id", "No.", "decimal", 60), Column("name", "Order", size=110), Column("shop", "Shop", "tag", 70),
        Column("state", "State", "tag", 110), Column("gates", "Gates", size=420, shows=gates),
        Column("next_look_at", "Next look", "datetime", 150), Column("held_by", "Held by", size=150),
        Column("created_at", "Placed", "datetime", 150),
    )  # fmt: skip
    drift = (
        Column("id", "No.", "decimal", 60), Column("name", "Order", size=110), Column("shop", "Shop", "tag", 70),
        Column("state", "State", "tag", 130), Column("locked", "Locked", "boolean", 80),
        Column("looked_at", "Looked at", "datetime", 150), Column("open_exceptions", "Exceptions", "decimal", 100),
    )  # fmt: skip
    checks = (
        Column("name", "Check", size=180), Column("ok", "Fine", "boolean", 70), Column("found", "Found", "decimal", 80),
        Column("words", "In words", size=560),
    )  # fmt: skip
    board = Board()
    board.row(0.6, (text("waitingTitle", "### Waiting"), 12))
    board.row(
        1.0,
        (text_input("waitingSearch", "Search", placeholder="Order, SKU or tag"), 6),
        (text_input("waitingGate", "Gate", placeholder="edit_window"), 4),
    )
    board.row(
        10.0,
        (
            table(
                "waitingTable", "listWaiting.data?.items || []", waiting, key="id",
                total="listWaiting.data?.total || 0", empty="Nothing waits",
            ),
            12,
        ),
    )  # fmt: skip
    board.row(0.6, (text("driftTitle", "#### Orders in which the three systems differ"), 12))
    board.row(
        6.0,
        (
            table(
                "driftTable", "listDrift.data?.items || []", drift, key="id", total="listDrift.data?.total || 0",
                empty="Nothing differs",
            ),
            12,
        ),
    )  # fmt: skip
    board.row(0.6, (text("checksTitle", "#### The morning's checks"), 12))
    board.row(6.0, (table("checksTable", "showChecks.data?.checks || []", checks, key="name"), 12))
    return make_screen("waiting", "Waiting", queries, board)


def make_screen(id: str, title: str, queries: tuple[Element, ...], board: Board) -> Screen:
    """Make a screen of what was collected; its address is its id."""
    return Screen(id=id, title=title, slug=id, queries=queries, shown=tuple(board.shown), places=board.places)
