"""Every document against the vendor's schemas, and what the batch read may cost."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    IntValueNode,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    build_client_schema,
    parse,
    specified_rules,
    validate,
)

from connectors.shopify_stub import load_contract
from pickgate.connectors.shopify import documents
from pickgate.connectors.shopify.batches import MOST_POINTS
from pickgate.connectors.shopify.documents import Document
from pickgate.connectors.shopify.port import ShopifyShop
from pickgate.connectors.shopify.subscriptions import TOPICS, topic_enum

FOLDER = Path(documents.__file__).parent / "documents"
DOCUMENTS = {value.name: value for value in vars(documents).values() if isinstance(value, Document)}


@cache
def schema(version: str) -> GraphQLSchema:
    return build_client_schema(load_contract(f"shopify-admin-{version}.json.gz")["data"])


def test_every_file_is_a_document_and_the_other_way_round() -> None:
    assert set(DOCUMENTS) == {path.stem for path in FOLDER.glob("*.graphql")}


@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
def test_every_document_is_valid_and_uses_nothing_deprecated(version: str) -> None:
    rules = [*specified_rules, NoDeprecatedCustomRule]
    errors = [
        (name, error.message)
        for name, document in DOCUMENTS.items()
        for error in validate(schema(version), parse(document.text), rules)
    ]
    assert errors == []


@pytest.mark.parametrize("version", ["2026-07", "2026-10"])
def test_every_topic_can_be_subscribed_to(version: str) -> None:
    kind = schema(version).type_map["WebhookSubscriptionTopic"]
    assert {topic_enum(topic) for topic in TOPICS} <= set(kind.values)  # type: ignore[attr-defined]  # an enum


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_one_operation_a_file_named_after_it(name: str) -> None:
    operations = [d for d in parse(DOCUMENTS[name].text).definitions if isinstance(d, OperationDefinitionNode)]
    assert len(operations) == 1
    assert operations[0].name is not None
    assert operations[0].name.value.lower() == name.replace("_", "")


# ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class CostEstimate:
    """Points that a document asks for: an object 1, a scalar 0, a connection its nodes times a factor of its size.

    The factor grows as the logarithm: it is what makes an order with 10 lines and 10 fulfilment orders of 10 lines
    cost 64, as recorded, where plain multiplication would give several hundred.
    """

    def __init__(self, document: Document) -> None:
        definitions = parse(document.text).definitions
        self.fragments = {d.name.value: d for d in definitions if isinstance(d, FragmentDefinitionNode)}
        [self.operation] = [d for d in definitions if isinstance(d, OperationDefinitionNode)]
        self.defaults = {
            variable.variable.name.value: int(variable.default_value.value)
            for variable in self.operation.variable_definitions
            if isinstance(variable.default_value, IntValueNode)
        }

    def points(self, *, factor: str, ids: int) -> float:
        self.factor, self.ids = factor, ids
        return self._selection(self.operation.selection_set)

    def _selection(self, selections: SelectionSetNode) -> float:
        total = 0.0
        for node in selections.selections:
            if isinstance(node, FieldNode):
                total += self._field(node)
            elif hasattr(node, "selection_set"):
                total += self._selection(node.selection_set)
            else:
                total += self._selection(self.fragments[node.name.value].selection_set)  # type: ignore[attr-defined]
        return total

    def _field(self, node: FieldNode) -> float:
        if node.selection_set is None or node.name.value == "pageInfo":
            return 0.0
        if node.name.value == "nodes" and any(argument.name.value == "ids" for argument in node.arguments):
            return self.ids * (1 + self._selection(node.selection_set))
        size = next((self._size(a.value) for a in node.arguments if a.name.value == "first"), None)
        inner = self._selection(node.selection_set)
        if size is None:
            # the `nodes` list inside a connection counts by its connection
            return inner + 1
        return inner * (size if self.factor == "linear" else max(1, (size - 1).bit_length()))

    def _size(self, value: object) -> int:
        if isinstance(value, VariableNode):
            return self.defaults[value.name.value]
        assert isinstance(value, IntValueNode)
        return int(value.value)


RECORDED = Document(
    "recorded",
    """query Recorded { order { lineItems(first: 10) { nodes { id } } currentTotalPriceSet { shopMoney { amount } }
    fulfillmentOrders(first: 10) { nodes { id assignedLocation { location { id } }
    lineItems(first: 10) { nodes { id lineItem { id } } } } } } }""",
    0,
)


def test_the_estimate_is_near_what_was_recorded() -> None:
    assert 45 <= CostEstimate(RECORDED).points(factor="log", ids=1) <= 75


def test_a_full_batch_stays_under_the_limit_of_one_request() -> None:
    defaults = ShopifyShop.__init__.__kwdefaults__
    assert defaults is not None
    cost = CostEstimate(documents.READ_ORDERS).points(factor="log", ids=defaults["max_ids"])
    assert cost < MOST_POINTS < 1000
    assert cost <= documents.READ_ORDERS.cost * defaults["max_ids"] <= MOST_POINTS


def test_even_if_sizes_multiplied_plainly_one_order_could_still_be_read() -> None:
    assert CostEstimate(documents.READ_ORDERS).points(factor="linear", ids=1) < 1000
