"""What a document costs before it runs: scalars nothing, objects one, mutations ten, connections by the size asked for.

Recorded costs are far below the product of nested sizes, so a connection counts the logarithm of its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

MUTATION = 10


def size_weight(size: int) -> int:
    """Weight of a connection of `size` nodes: 1, 4, 6, 7, 8 for 1, 10, 50, 100, 250."""
    return max(size, 1).bit_length()


class CostOf:
    """Prices selections of one document for one set of variables."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def operation(self, kind: str, selection_set: SelectionSetNode) -> int:
        """requestedQueryCost of a whole operation."""
        root = self._schema.mutation_type if kind == "mutation" else self._schema.query_type
        assert root is not None
        if kind == "mutation":
            fields = sum(1 for node in selection_set.selections if isinstance(node, FieldNode))
            return fields * MUTATION
        return max(self._selection(root, selection_set), 1)

    def _selection(self, parent: Any, selection_set: SelectionSetNode) -> int:
        total = 0
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                total += self._field(parent, node)
            elif isinstance(node, InlineFragmentNode):
                on = node.type_condition
                inner = self._schema.type_map[on.name.value] if on else parent
                total += self._selection(inner, node.selection_set)
            else:
                fragment = self._fragments[node.name.value]  # type: ignore[attr-defined]
                inner = self._schema.type_map[fragment.type_condition.name.value]
                total += self._selection(inner, fragment.selection_set)
        return total

    def _field(self, parent: Any, node: FieldNode) -> int:
        if node.name.value.startswith("__") or node.selection_set is None:
            return 0
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        named = get_named_type(parent.fields[node.name.value].type)
        if is_leaf_type(named):
            return 0
        below = self._selection(named, node.selection_set)
        if named.name == "PageInfo" or named.name.endswith("Edge"):
            return below
        if named.name.endswith("Connection"):
            return 1 + size_weight(self._size(node)) * (1 + below)
        if node.name.value == "nodes" and parent is self._schema.query_type:
            return self._ids(node) * (1 + below)
        if parent.name.endswith(("Connection", "Edge")):
            return below
        return 1 + below

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments:
            if argument.name.value in ("first", "last"):
                value = self._value(argument.value)
                return value if isinstance(value, int) else 1
        return 1

    def _ids(self, node: FieldNode) -> int:
        for argument in node.arguments:
            if argument.name.value == "ids":
                value = self._value(argument.value)
                return len(value) if isinstance(value, list) else 1
        return 1

    def _value(self, node: Any) -> Any:
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        if isinstance(node, IntValueNode):
            return int(node.value)
        if isinstance(node, ListValueNode):
            return list(node.values)
        return None


class Bucket:
    """The leaky bucket of one app. Points."""

    def __init__(self, size: float, restore_rate: float) -> None:
        self.size = size
        self.restore_rate = restore_rate
        self._available = size
        self._at: float | None = None

    def available(self, at: float) -> float:
        """Points at an instant (seconds of any steady clock)."""
        if self._at is not None and at > self._at:
            self._available = min(self.size, self._available + (at - self._at) * self.restore_rate)
        self._at = at if self._at is None else max(at, self._at)
        return self._available

    def take(self, points: float) -> None:
        self._available = max(self._available - points, 0.0)
