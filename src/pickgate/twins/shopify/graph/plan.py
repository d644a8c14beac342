"""Selections compiled to functions over plain objects: one dictionary per object, no graphql-core at run time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
    is_abstract_type,
    is_enum_type,
    is_list_type,
    is_scalar_type,
)
from graphql.execution.values import get_directive_values
from graphql.type import GraphQLIncludeDirective, GraphQLSkipDirective

from pickgate.twins.shopify.catalogue import App
from pickgate.twins.shopify.graph.paging import Args, Page, paginate
from pickgate.twins.shopify.ids import number_of
from pickgate.twins.shopify.money import MoneyBag, wire

if TYPE_CHECKING:
    from pickgate.twins.shopify.state import ShopState

NO_ARGS: Args = {}


class Request:
    """One request on its way: who asks, with which variables, and what went wrong so far."""

    __slots__ = ("app", "args", "errors", "key", "objects", "shop", "variables")

    def __init__(self, shop: ShopState, app: App, variables: Mapping[str, Any]) -> None:
        self.shop = shop
        self.app = app
        self.variables = variables
        self.errors: list[dict[str, Any]] = []
        self.args: dict[int, Args] = {}
        self.key: str | None = None
        """The @idempotent key of the root field being run."""
        self.objects = 0

    def namespace(self, namespace: str | None) -> str:
        """Resolve `$app` and a missing namespace to the one reserved for the asking app."""
        own = f"app--{number_of(self.app.id)}"
        if not namespace or namespace == "$app":
            return own
        if namespace.startswith("$app:"):
            return f"{own}--{namespace[5:]}"
        return namespace


Reader = Callable[[Any, Request, Args], Any]
Step = Callable[[Any, Request], Any]


class Compiler:
    """Compiles selection sets of one document. `skipped` fields depend on the request's Boolean variables."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        readers: Mapping[str, Reader],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._readers = readers
        self._variables = variables
        self._counter = 0

    def fields_of(self, typename: str, selections: Sequence[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """Fields by response key, fragments opened and equal keys put together."""
        found: dict[str, list[FieldNode]] = {}
        for selection_set in selections:
            self._collect(typename, selection_set, found)
        return found

    def _collect(self, typename: str, selection_set: SelectionSetNode, found: dict[str, list[FieldNode]]) -> None:
        for node in selection_set.selections:
            skip = get_directive_values(GraphQLSkipDirective, node, dict(self._variables))
            include = get_directive_values(GraphQLIncludeDirective, node, dict(self._variables))
            if (skip and skip["if"]) or (include and not include["if"]):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                found.setdefault(key, []).append(node)
                continue
            if isinstance(node, InlineFragmentNode):
                condition, inner = node.type_condition, node.selection_set
            else:
                fragment = self._fragments[node.name.value]  # type: ignore[attr-defined]
                condition, inner = fragment.type_condition, fragment.selection_set
            if condition is None or self._applies(typename, condition.name.value):
                self._collect(typename, inner, found)

    def _applies(self, typename: str, condition: str) -> bool:
        if typename == condition:
            return True
        wanted = self._schema.type_map[condition]
        actual = self._schema.type_map[typename]
        return (
            isinstance(wanted, GraphQLInterfaceType | GraphQLUnionType)
            and isinstance(actual, GraphQLObjectType)
            and self._schema.is_sub_type(wanted, actual)
        )

    def compile(self, typename: str, selections: Sequence[SelectionSetNode]) -> Step:
        """A function that turns one object of this type into the dictionary asked for."""
        if typename.endswith("Connection"):
            raise AssertionError("connections are compiled with their field")
        parent = self._schema.type_map[typename]
        assert isinstance(parent, GraphQLObjectType)
        steps = [(key, self.step(parent, nodes)) for key, nodes in self.fields_of(typename, selections).items()]

        def project(value: Any, request: Request) -> dict[str, Any]:
            request.objects += 1
            return {key: step(value, request) for key, step in steps}

        return project

    def step(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Step:
        """A function that reads one field of an object and renders it."""
        name = nodes[0].name.value
        if name == "__typename":
            return lambda value, request: parent.name
        field = parent.fields[name]
        get = self._getter(parent, name, field, nodes[0])
        inner = [node.selection_set for node in nodes if node.selection_set]
        named = get_named_type(field.type)
        if named.name.endswith("Connection"):
            assert isinstance(named, GraphQLObjectType)
            return self._connection(named, get, inner, self._args_of(field, nodes[0]))
        if named.name == "MoneyBag":
            return _money(get, self.compile("MoneyBag", inner))
        render = self._render(named, inner)
        if render is None:
            return get
        return _many(get, render) if _is_list(field.type) else _one(get, render)

    def _getter(self, parent: GraphQLObjectType, name: str, field: GraphQLField, node: FieldNode) -> Step:
        path = f"{parent.name}.{name}"
        reader = self._readers.get(path)
        if reader is None:
            attribute = snake(name)
            return lambda value, request: getattr(value, attribute)
        if not field.args:
            return lambda value, request: reader(value, request, NO_ARGS)
        args_of = self._args_of(field, node)
        return lambda value, request: reader(value, request, args_of(request))

    def _args_of(self, field: GraphQLField, node: FieldNode) -> Callable[[Request], Args]:
        self._counter += 1
        number = self._counter

        def args_of(request: Request) -> Args:
            args = request.args.get(number)
            if args is None:
                args = get_argument_values(field, node, dict(request.variables))
                request.args[number] = args
            return args

        return args_of

    def _render(self, named: Any, inner: list[SelectionSetNode]) -> Step | None:
        if is_scalar_type(named):
            return _SCALARS.get(named.name)
        if is_enum_type(named):
            return None
        if not is_abstract_type(named):
            return self.compile(named.name, inner)
        plans: dict[str, Step] = {}

        def by_type(value: Any, request: Request) -> Any:
            typename = value.TYPENAME
            plan = plans.get(typename)
            if plan is None:
                plan = plans[typename] = self.compile(typename, inner)
            return plan(value, request)

        return by_type

    def _connection(
        self,
        named: GraphQLObjectType,
        get: Step,
        inner: list[SelectionSetNode],
        args_of: Callable[[Request], Args],
    ) -> Step:
        fields = self.fields_of(named.name, inner)
        node_type = get_named_type(named.fields["nodes"].type)
        parts: list[tuple[str, Callable[[Page, Request], Any]]] = []
        for key, nodes in fields.items():
            name = nodes[0].name.value
            below = [node.selection_set for node in nodes if node.selection_set]
            if name == "__typename":
                parts.append((key, lambda page, request: named.name))
            elif name == "pageInfo":
                page_info = self.compile("PageInfo", below)
                parts.append((key, page_info))
            elif name == "nodes":
                render = self._render(node_type, below)
                assert render is not None
                parts.append((key, _nodes(render)))
            else:
                parts.append((key, self._edges(node_type, below, named)))

        def connection(value: Any, request: Request) -> dict[str, Any]:
            page = paginate(get(value, request), args_of(request))
            return {key: part(page, request) for key, part in parts}

        return connection

    def _edges(
        self, node_type: Any, below: list[SelectionSetNode], named: GraphQLObjectType
    ) -> Callable[[Page, Request], Any]:
        edge_type = get_named_type(named.fields["edges"].type)
        steps: list[tuple[str, str, Step | None]] = []
        for key, nodes in self.fields_of(edge_type.name, below).items():
            inner = [node.selection_set for node in nodes if node.selection_set]
            name = nodes[0].name.value
            steps.append((key, name, self._render(node_type, inner) if name == "node" else None))

        def edges(page: Page, request: Request) -> list[dict[str, Any]]:
            return [
                {
                    key: render(item, request) if render else page.cursor(item) if name == "cursor" else edge_type.name
                    for key, name, render in steps
                }
                for item in page.items
            ]

        return edges


def snake(name: str) -> str:
    """`currentQuantity` -> `current_quantity`, `legacyResourceId` -> `legacy_resource_id`."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


def _is_list(of: GraphQLOutputType) -> bool:
    return is_list_type(of.of_type if isinstance(of, GraphQLNonNull) else of)


def _one(get: Step, render: Step) -> Step:
    def one(value: Any, request: Request) -> Any:
        found = get(value, request)
        return None if found is None else render(found, request)

    return one


def _many(get: Step, render: Step) -> Step:
    def many(value: Any, request: Request) -> Any:
        found = get(value, request)
        if found is None:
            return None
        return [None if item is None else render(item, request) for item in found]

    return many


def _nodes(render: Step) -> Callable[[Page, Request], Any]:
    return lambda page, request: [render(item, request) for item in page.items]


def _money(get: Step, render: Step) -> Step:
    def bag(value: Any, request: Request) -> Any:
        amount = get(value, request)
        return None if amount is None else render(MoneyBag(amount, value.order), request)

    return bag


def _time(value: datetime, request: Request) -> str:
    return f"{value.isoformat(timespec='seconds')[:19]}Z"


def _amount(value: Decimal, request: Request) -> str:
    return wire(value)


_SCALARS: dict[str, Step] = {
    "DateTime": _time,
    "Decimal": _amount,
    "Money": _amount,
    "UnsignedInt64": lambda value, request: str(value),
}
