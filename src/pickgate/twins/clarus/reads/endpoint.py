"""POST /graphql: the body in, `data` or `errors` out, always with HTTP 200."""

from __future__ import annotations

import json
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from pickgate.twins.clarus.reads.plan import Compiler, Plan
from pickgate.twins.clarus.reads.schema import get_schema
from pickgate.twins.clarus.tenant import Tenant

_MOST_REMEMBERED = 500


class GraphQLReads:
    """Answers documents. Remembers the plan of each text, as long as the schema stays the same."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._known: dict[tuple[int, str], DocumentNode | list[GraphQLError]] = {}
        self._plans: dict[tuple[int, str, str | None], Plan] = {}

    def answer(self, body: bytes) -> dict[str, Any]:
        """Answer one request body."""
        try:
            asked = json.loads(body)
            text = asked["query"]
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, TypeError, KeyError):
            return {"errors": [{"message": "No query string was present"}]}
        try:
            return self._run(text, asked.get("variables") or {}, asked.get("operationName"))
        except GraphQLError as error:
            return {"errors": [error.formatted]}

    def _run(self, text: str, given: dict[str, Any], name: str | None) -> dict[str, Any]:
        knobs = self._tenant.knobs
        schema = get_schema(
            extras=knobs.introspected_extras,
            line_references=knobs.line_references_readable or knobs.introspected_extras,
        )
        document = self._read(schema, text)
        if isinstance(document, list):
            return {"errors": [error.formatted for error in document]}
        operation = _find_operation(document, name)
        if _is_introspection(operation):
            if not knobs.introspection_allowed:
                raise GraphQLError("Introspection is disabled")
            result = execute_sync(schema, document, variable_values=given, operation_name=name)
            return dict(result.formatted)
        variables = get_variable_values(schema, operation.variable_definitions or (), given)
        if isinstance(variables, list):
            return {"errors": [error.formatted for error in variables]}
        key = (id(schema), text, name)
        plan = self._plans.get(key)
        if plan is None:
            compiler = Compiler(schema, document, variables)
            plan = compiler.compile(operation)
            if not compiler.has_directives:
                self._plans[key] = plan
        return {"data": plan.run(self._tenant, variables)}

    def _read(self, schema: GraphQLSchema, text: str) -> DocumentNode | list[GraphQLError]:
        """Parse and validate, once per text."""
        key = (id(schema), text)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
                self._plans.clear()
            document = parse(text)
            known = validate(schema, document) or document
            self._known[key] = known
        return known


def _find_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    chosen = [o for o in operations if name is None or (o.name and o.name.value == name)]
    if len(chosen) != 1:
        raise GraphQLError("An operation name is required" if not name else f"No operation {name}")
    if chosen[0].operation is not OperationType.QUERY:
        raise GraphQLError("Only queries are supported")
    return chosen[0]


def _is_introspection(operation: OperationDefinitionNode) -> bool:
    return any(
        isinstance(node, FieldNode) and node.name.value in ("__schema", "__type")
        for node in operation.selection_set.selections
    )
