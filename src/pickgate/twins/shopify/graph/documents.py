"""Documents by their text: parsed and validated once, each operation compiled once, then only run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    get_variable_values,
    parse,
    validate,
)
from graphql.execution.values import get_directive_values

from pickgate.twins.shopify.graph.cost import CostOf
from pickgate.twins.shopify.graph.plan import Compiler, Request, Step
from pickgate.twins.shopify.graph.readers import READERS
from pickgate.twins.shopify.model import TopLevelError

KEPT_DOCUMENTS = 500


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """The part of the Admin API that the twin answers."""
    text = files("pickgate.twins.shopify").joinpath("schema.graphql").read_text("utf-8")
    return build_schema(text)


@dataclass(slots=True)
class Operation:
    """One operation of a document, with what was compiled from it so far."""

    node: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    plans: dict[tuple[Any, ...], list[tuple[str, FieldNode, Step]]] = field(default_factory=dict)
    costs: dict[tuple[Any, ...], int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.node.operation.value

    def roots(self) -> list[str]:
        """Names of the root fields, for counting."""
        return [node.name.value for node in self.node.selection_set.selections if isinstance(node, FieldNode)]

    def variables(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Coerce the request's variables. Raises ValueError with graphql-core's words."""
        result = get_variable_values(schema(), self.node.variable_definitions or (), dict(given), max_errors=5)
        if isinstance(result, list):
            raise ValueError("; ".join(error.message for error in result))
        return result

    def cost(self, variables: Mapping[str, Any]) -> int:
        """requestedQueryCost for these variables."""
        key = tuple(
            (name, value if isinstance(value, int) else len(value))
            for name, value in sorted(variables.items())
            if isinstance(value, int | list)
        )
        cost = self.costs.get(key)
        if cost is None:
            pricing = CostOf(schema(), self.fragments, variables)
            cost = self.costs[key] = pricing.operation(self.kind, self.node.selection_set)
        return cost

    def run(self, request: Request) -> dict[str, Any]:
        """Run every root field, in order. A failing one answers null and leaves an entry in `request.errors`."""
        data: dict[str, Any] = {}
        for key, node, step in self._plan(request.variables):
            directive = schema().get_directive("idempotent")
            assert directive is not None
            values = get_directive_values(directive, node, dict(request.variables))
            request.key = values["key"] if values else None
            try:
                data[key] = step(None, request)
            except TopLevelError as error:
                data[key] = None
                request.errors.append(
                    {
                        "message": error.message,
                        "path": [key],
                        "extensions": {"code": error.code},
                    }
                )
        return data

    def _plan(self, variables: Mapping[str, Any]) -> list[tuple[str, FieldNode, Step]]:
        flags = tuple((name, value) for name, value in sorted(variables.items()) if isinstance(value, bool))
        plan = self.plans.get(flags)
        if plan is None:
            compiler = Compiler(schema(), self.fragments, READERS, variables)
            root = schema().mutation_type if self.kind == "mutation" else schema().query_type
            assert isinstance(root, GraphQLObjectType)
            fields = compiler.fields_of(root.name, [self.node.selection_set])
            plan = self.plans[flags] = [(key, nodes[0], compiler.step(root, nodes)) for key, nodes in fields.items()]
        return plan


@lru_cache(maxsize=KEPT_DOCUMENTS)
def operations_of(text: str) -> dict[str, Operation] | tuple[str, ...]:
    """The operations of a document by name, or the messages of what is wrong with it."""
    try:
        document: DocumentNode = parse(text)
    except GraphQLError as error:
        return (error.message,)
    errors = validate(schema(), document)
    if errors:
        return tuple(error.message for error in errors)
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return {
        node.name.value if node.name else "": Operation(node, fragments)
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    }
