"""The pack: five screens, each query an operation of ours, and a linter that lets nothing else pass."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pickgate.api.openapi import build_openapi
from pickgate.connectors.retool.pack.build import build_app, read_zip, render_zip
from pickgate.connectors.retool.pack.elements import Element, element, render
from pickgate.connectors.retool.pack.lint import Fault, lint_app
from pickgate.connectors.retool.pack.queries import Binding, QueryMaker, UnknownToTheApi
from pickgate.connectors.retool.pack.rsx import RsxUnreadable, parse_rsx
from pickgate.connectors.retool.pack.scripts import NotALiteral, find_expressions, names_in, parse_literal

UUID = "0b9c3f6a-7f8e-4f11-9a44-0f4b7a4f9c11"
DOCUMENT = build_openapi(version="1.0.0", public_url="https://pickgate.example.com")
APP = build_app(DOCUMENT, Binding(uuid=UUID, name="Pickgate"))


def queries(files: Mapping[str, str]) -> dict[str, Element]:
    trees = [parse_rsx(text) for path, text in files.items() if path.endswith(".rsx")]
    return {node.id: node for tree in trees for node in tree.walk() if node.tag == "RESTQuery"}


def test_the_app_has_five_screens_and_passes_its_own_linter() -> None:
    assert lint_app(APP, DOCUMENT) == []
    assert sorted(APP) == [
        ".positions.json", "functions.rsx", "header.rsx", "main.rsx", "metadata.json", "src/exceptions.rsx",
        "src/money.rsx", "src/order.rsx", "src/stock.rsx", "src/waiting.rsx",
    ]  # fmt: skip
    screens = [parse_rsx(APP[path]) for path in APP if path.startswith("src/")]
    ordered = sorted(screens, key=lambda screen: int(screen.attributes["_order"]))
    assert [(screen.id, screen.attributes["title"], screen.attributes["urlSlug"]) for screen in ordered] == [
        ("exceptions", "Exceptions", "exceptions"), ("order", "Order", "order"), ("waiting", "Waiting", "waiting"),
        ("stock", "Stock", "stock"), ("money", "Money", "money"),
    ]  # fmt: skip
    assert json.loads(APP["metadata.json"])["appTemplate"]["rootScreen"] == "exceptions"


def test_the_queries_are_these_operations_and_every_change_asks_first() -> None:
    found = {id: (node.attributes.get("type", "GET"), node.attributes["query"].partition("?")[0]) for id, node in
             queries(APP).items()}  # fmt: skip
    place = "{{ encodeURIComponent((orderRef.value || '').trim()) }}"
    assert found == {
        "listExceptions": ("GET", "api/v1/exceptions"),
        "assignToMe": ("POST", "api/v1/exceptions/assign"),
        "snoozeTicked": ("POST", "api/v1/exceptions/snooze"),
        "resolveTicked": ("POST", "api/v1/exceptions/resolve"),
        "showOrder": ("GET", f"api/v1/orders/{place}"),
        "lookNow": ("POST", f"api/v1/orders/{place}/look"),
        "holdOrder": ("POST", f"api/v1/orders/{place}/hold"),
        "liftHold": ("POST", f"api/v1/orders/{place}/unhold"),
        "releaseNow": ("POST", f"api/v1/orders/{place}/release"),
        "takeBack": ("POST", f"api/v1/orders/{place}/cancel-in-warehouse"),
        "listWaiting": ("GET", "api/v1/held-orders"),
        "listDrift": ("GET", "api/v1/drift"),
        "showChecks": ("GET", "api/v1/daily-checks"),
        "listStock": ("GET", "api/v1/stock"),
        "publishStock": ("POST", "api/v1/stock/publish"),
        "moneyReport": ("GET", "api/v1/money/report"),
        "listMoneyExceptions": ("GET", "api/v1/money/exceptions"),
        "showHealth": ("GET", "api/v1/health"),
    }
    assert {node.attributes["resourceName"] for node in queries(APP).values()} == {UUID}
    for node in queries(APP).values():
        if node.attributes.get("type") == "POST":
            assert (node.attributes["requireConfirmation"], node.attributes["runWhenModelUpdates"]) == (True, False)


def test_it_is_built_the_same_every_time_and_reads_back_as_it_was_written() -> None:
    assert build_app(DOCUMENT, Binding(uuid=UUID, name="Pickgate")) == APP
    assert render_zip(APP) == render_zip(dict(reversed(APP.items())))
    for path, content in APP.items():
        if path.endswith(".rsx"):
            assert render(parse_rsx(content)) == content


def test_the_zip_has_the_app_in_a_folder_or_at_the_root() -> None:
    for layout, first in (("folder", "Pickgate/.positions.json"), ("root", ".positions.json")):
        packed = render_zip(APP, layout=layout)  # type: ignore[arg-type]
        assert zipfile.ZipFile(io.BytesIO(packed)).namelist()[0] == first
        assert read_zip(packed) == APP
    with pytest.raises(ValueError, match="not a ZIP"):
        read_zip(b"PK nonsense")


def test_without_a_resource_a_placeholder_stands_in_every_query() -> None:
    files = build_app(DOCUMENT, Binding(uuid="", name="Pickgate"))
    assert lint_app(files, DOCUMENT) == []
    assert {node.attributes["resourceName"] for node in queries(files).values()} == {"REPLACE_WITH_RESOURCE_UUID"}


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda make: make.read("q", "list_everything"), "there is no operation list_everything"),
        (lambda make: make.read("q", "hold_order"), "hold_order is post, not get"),
        (lambda make: make.read("q", "list_orders", ask={"stat": "''"}), "list_orders does not take stat"),
        (lambda make: make.read("q", "money_report"), "money_report needs month"),
        (lambda make: make.read("q", "get_order", path={}), "get_order needs ref"),
        (lambda make: make.read("q", "get_order", ask={"ref": "'1'"}), "has the places ref in its path"),
        (
            lambda make: make.change("q", "hold_order", confirm="?", then=[], done="", path={"ref": "'1'"}),
            "hold_order needs reason",
        ),
    ],
)
def test_a_query_that_the_api_does_not_know_cannot_be_built(ask: Callable[[QueryMaker], Element], says: str) -> None:
    with pytest.raises(UnknownToTheApi, match=says):
        ask(QueryMaker(DOCUMENT, Binding(uuid=UUID, name="Pickgate")))


def swap(path: str, old: str, new: str) -> Callable[[dict[str, str]], None]:
    def change(files: dict[str, str]) -> None:
        assert old in files[path], f"{old} is not in {path}"
        files[path] = files[path].replace(old, new, 1)

    return change


def place(id: str, **values: Any) -> Callable[[dict[str, str]], None]:
    def change(files: dict[str, str]) -> None:
        found = json.loads(files[".positions.json"])
        found[id] = found.get(id, {}) | values
        files[".positions.json"] = json.dumps(found)

    return change


def drop(id: str) -> Callable[[dict[str, str]], None]:
    def change(files: dict[str, str]) -> None:
        found = json.loads(files[".positions.json"])
        del found[id]
        files[".positions.json"] = json.dumps(found)

    return change


def remove(path: str) -> Callable[[dict[str, str]], None]:
    def change(files: dict[str, str]) -> None:
        del files[path]

    return change


STOCK, ORDER, EXCEPTIONS = "src/stock.rsx", "src/order.rsx", "src/exceptions.rsx"
BUTTON = '    <Button\n      id="publishButton"'
SPOILED = {
    "a file is missing": (remove("metadata.json"), "metadata.json: files: is missing"),
    "a stranger among the files": (lambda f: f.update({"lib/x.sql": "1"}), "lib/x.sql: files: does not belong into an app"),  # noqa: E501
    "a token in the app": (swap(STOCK, "### Stock", "pkg_" + "a" * 43), "secret: looks like a token"),
    "a header with a token": (swap(STOCK, "### Stock", "Bearer abc"), "secret: looks like a token"),
    "a comment": (swap(STOCK, "  <RESTQuery", "  <!-- x -->\n  <RESTQuery"), "src/stock.rsx:12: syntax: a comment"),
    "an element that is not closed": (swap(STOCK, "</Screen>", ""), "syntax: <Screen> is not closed"),
    "an element closed by another": (swap(STOCK, "</Frame>", "</Form>"), "syntax: </Form> closes <Frame>"),
    "an attribute twice": (swap(STOCK, 'title="Stock"', 'title="Stock"\n  title="x"'), "syntax: <Screen> has title twice"),  # noqa: E501
    "a value that is code": (swap(STOCK, "showClear={true}", "showClear={1 + 1}"), "syntax: showClear: '+ 1' after the value"),  # noqa: E501
    "a root of another kind": (swap("header.rsx", 'id="$header"', 'id="$nonsense"'), "ids: <Frame $nonsense> needs an id"),  # noqa: E501
    "a modal below a frame": (swap(STOCK, BUTTON, '    <ModalFrame id="m" />\n' + BUTTON), "nesting: <Frame $main4> must not hold <ModalFrame>"),  # noqa: E501
    "an element that nobody knows": (swap(STOCK, BUTTON, '    <Gauge id="g" />\n' + BUTTON), "nesting: <Gauge g> is not among the elements"),  # noqa: E501
    "a form without its parts": (swap(STOCK, BUTTON, '    <Form id="f"><Body /></Form>\n' + BUTTON), "nesting: <Form f> needs a <Header>"),  # noqa: E501
    "a container without a view": (swap(STOCK, BUTTON, '    <Container id="c"><Header /></Container>\n' + BUTTON), "nesting: <Container c> needs a <View>"),  # noqa: E501
    "a table without columns": (swap(STOCK, BUTTON, '    <Table id="t" />\n' + BUTTON), "nesting: <Table t> needs a <Column>"),  # noqa: E501
    "two of one id": (swap(STOCK, 'id="stockTitle"', 'id="orderTitle"'), "ids: <Text orderTitle>: src/order.rsx has this id too"),  # noqa: E501
    "an id that is no name": (swap(STOCK, 'id="stockTitle"', 'id="stock title"'), "ids: <Text stock title> needs an id"),  # noqa: E501
    "a column's id that is a name": (swap(STOCK, '<Column\n        id="', '<Column\n        id="x'), "ids: <Column x"),
    "an event with an id": (swap(STOCK, "<Event\n      event", '<Event\n      id="x1"\n      event'), "ids: <Event x1> has an id"),  # noqa: E501
    "a switch that is a text": (swap(STOCK, "showClear={true}", 'showClear="true"'), "values: <TextInput stockSearch> showClear is not true or false"),  # noqa: E501
    "a key column that is not there": (swap(STOCK, 'primaryKeyColumnId="', 'primaryKeyColumnId="0'), "values: <Table stockTable> primaryKeyColumnId is none"),  # noqa: E501
    "an event for nothing": (swap(STOCK, 'pluginId="publishStock"', 'pluginId="publishStok"'), "events: <Event> pluginId 'publishStok' is nothing"),  # noqa: E501
    "a trigger of a component": (swap(STOCK, 'pluginId="publishStock"', 'pluginId="stockTable"'), "events: <Event> datasource cannot be <Table stockTable>"),  # noqa: E501
    "a method that nobody knows": (swap(STOCK, 'method="trigger"', 'method="fire"'), "events: <Event> datasource: fire is not among"),  # noqa: E501
    "a name that nobody has": (swap(STOCK, "{{ listStock.data?.items || [] }}", "{{ listStok.data?.items || [] }}"), "expressions: <Table stockTable> data: nothing is called listStok"),  # noqa: E501
    "braces that do not pair": (swap(STOCK, "{{ listStock.data?.items || [] }}", "{{ listStock.data?.items || [] }"), "expressions: <Table stockTable> data: {{ without }}"),  # noqa: E501
    "an include of nothing": (swap("main.rsx", "./src/stock.rsx", "./src/stok.rsx"), "includes: ./src/stok.rsx cannot be included here"),  # noqa: E501
    "a screen that is not included": (swap("main.rsx", '  <Include src="./src/stock.rsx" />\n', ""), "src/stock.rsx: includes: is included 0 times"),  # noqa: E501
    "a root screen that is not there": (swap("metadata.json", '"exceptions"', '"start"'), "metadata: rootScreen 'start' is no screen"),  # noqa: E501
    "a version that no export has": (swap("metadata.json", "43.0.9", "44.0.0"), "metadata: toolscriptVersion and version are"),  # noqa: E501
    "two screens of one address": (swap(STOCK, 'urlSlug="stock"', 'urlSlug="order"'), "metadata: screens need urlSlug, each its own"),  # noqa: E501
    "no place": (drop("stockTitle"), "positions: stockTitle has no place"),
    "a place for nothing": (place("nobody", width=1, height=1), "positions: nobody has a place and is nothing"),
    "a place beyond the edge": (place("publishButton", col=11), "positions: publishButton: ends in column 13 of 12"),
    "a place with half a column": (place("publishButton", width=1.5), "positions: publishButton: col and width are whole"),  # noqa: E501
    "a place without a size": (place("publishButton", height=0), "positions: publishButton: has no size"),
    "a place with a key that nobody knows": (place("publishButton", z=1), "positions: publishButton: z is not known"),
    "two on top of each other": (place("publishButton", col=9), "positions: publishButton and stockReason are on top"),
    "a header's part elsewhere": (place("pages", subcontainer="x"), "positions: pages: its subcontainer is 'x', not 'header'"),  # noqa: E501
    "a change that does not ask": (swap(STOCK, "requireConfirmation={true}", "requireConfirmation={false}"), "queries: publishStock: changes something without asking"),  # noqa: E501
    "a change by itself": (swap(STOCK, "runWhenModelUpdates={false}", "runWhenModelUpdates={true}"), "queries: publishStock: changes something by itself"),  # noqa: E501
    "an address of somewhere else": (swap(STOCK, 'query="api', 'query="https://evil.example/api'), "queries: listStock: its address is not one below"),  # noqa: E501
    "a path that the API has not": (swap(STOCK, "api/v1/stock/publish", "api/v1/stock/push"), "queries: publishStock: the API has no POST /api/v1/stock/push"),  # noqa: E501
    "a parameter that the API has not": (swap(STOCK, "only_differing=", "differing="), "queries: listStock: the API does not take differing"),  # noqa: E501
    "a field that the API has not": (swap(STOCK, '"key":"reason"', '"key":"why"'), "queries: publishStock: the API does not take why"),  # noqa: E501
    "a field that the API needs": (swap(ORDER, '"key":"reason"', '"key":"until"'), "queries: holdOrder: the API needs reason"),  # noqa: E501
    "a body that is no list": (swap(STOCK, "'[{\"key\"", "'{[{\"key\""), "queries: publishStock: its body is not a list"),  # noqa: E501
    "another resource": (swap(STOCK, UUID, UUID.replace("0b9", "1b9")), "resource: the queries go through several resources"),  # noqa: E501
    "a resource that is a name": (lambda f: [swap(path, UUID, "Pickgate")(f) for path in list(f) for _ in range(f[path].count(UUID))] and None, "resource: resourceName is not a UUID"),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILED)
def test_the_linter_finds(name: str) -> None:
    spoil, says = SPOILED[name]
    files = dict(APP)
    spoil(files)
    assert [str(fault) for fault in lint_app(files, DOCUMENT) if says in str(fault)], lint_app(files, DOCUMENT)


def test_a_fault_says_where() -> None:
    assert str(Fault("src/stock.rsx", 3, "syntax", "no")) == "src/stock.rsx:3: syntax: no"
    assert str(Fault("main.rsx", 0, "nesting", "no")) == "main.rsx: nesting: no"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("true", True),
        ("null", None),
        ("-1.5", -1.5),
        ("[1, 'it\\'s', \"x\\n\"]", [1, "it's", "x\n"]),
        ("{ ordered: [{ hidden: true }, { \"a b\": '\\u00e9' }], }", {"ordered": [{"hidden": True}, {"a b": "é"}]}),
        ("{}", {}),
    ],
)
def test_a_literal_is_read(source: str, value: object) -> None:
    assert parse_literal(source) == value


@pytest.mark.parametrize("source", ["", "a", "1 2", "{a}", "[1", "'x", "{1: }", "`x`", "f()", "[1 2]"])
def test_what_is_no_literal_is_refused(source: str) -> None:
    with pytest.raises(NotALiteral):
        parse_literal(source)


@pytest.mark.parametrize(
    "source", ["", "x", "<a />", "<A b />", "<A b=1 />", "<A", "<A></A>x", '<A b="x />', "<A b={ />"]
)
def test_what_is_no_toolscript_is_refused(source: str) -> None:
    with pytest.raises(RsxUnreadable):
        parse_rsx(source)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("a.b.c + d?.e", {"a", "d"}),
        ("rows.map(row => row.id)", {"rows"}),
        ("(a, b) => a + c", {"c"}),
        ("x ? y : z", {"x", "y", "z"}),
        ("{key: value, other: 1}", {"value"}),
        ("`a ${b} c ${d.e}`", {"b", "d"}),
        ("'no' + \"nor\" + yes", {"yes"}),
        ("/^\\d{4}$/.test(month)", {"month"}),
        ("!/a b/.test(c)", {"c"}),
        ("typeof item === 'string' ? item : JSON.stringify(item)", {"item", "JSON"}),
        ("new Date() ?? nothing", {"Date", "nothing"}),
        ("[...list, 1]", {"list"}),
    ],
)
def test_the_names_that_an_expression_uses(expression: str, names: set[str]) -> None:
    assert names_in(expression) == names


def test_expressions_are_found_with_braces_inside() -> None:
    found = list(find_expressions("a {{ {x: {y: 1}} }} b {{ '}}' }}"))
    assert found == [" {x: {y: 1}} ", " '}}' "]
    with pytest.raises(NotALiteral):
        list(find_expressions("a }} b"))


def test_texts_with_quotes_and_lines_survive() -> None:
    odd = element(
        "Text", "t", value='say "it\'s" \\ twice\nhere', label="plain", count=3, nothing=None, deep={"a b": [1]}
    )
    assert parse_rsx(render(odd)) == odd
