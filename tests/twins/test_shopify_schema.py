"""The twin's part of the schema equals the vendor's, and every operation we rely on runs."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
    parse,
    print_ast,
    separate_operations,
)

from pickgate.twins.shopify import LineSpec, ShippingSpec
from pickgate.twins.shopify.graph.documents import schema
from pickgate.twins.shopify.graph.readers import READERS
from twins.shopify_kit import Kit, contract, contract_json, fo_of

VERSIONS = ("2026-07", "2026-10")
NOT_OFFERED = {"CreateFulfillmentService"}


def _real(version: str) -> GraphQLSchema:
    return build_client_schema(contract_json(f"shopify-admin-{version}.json.gz")["data"])


def _differences(ours: GraphQLSchema, real: GraphQLSchema) -> list[str]:
    found: list[str] = []
    for name, mine in ours.type_map.items():
        theirs = real.type_map.get(name)
        if name.startswith("__"):
            continue
        if type(theirs) is not type(mine):
            found.append(name)
        elif isinstance(mine, GraphQLEnumType):
            assert isinstance(theirs, GraphQLEnumType)
            found += [f"{name}.{value}" for value in mine.values if value not in theirs.values]
        elif isinstance(mine, GraphQLInputObjectType):
            assert isinstance(theirs, GraphQLInputObjectType)
            for key, field in mine.fields.items():
                other = theirs.fields.get(key)
                if other is None or str(other.type) != str(field.type) or other.deprecation_reason:
                    found.append(f"{name}.{key}")
            found += [
                f"{name}.{key} is required"
                for key, field in theirs.fields.items()
                if is_required_input_field(field) and key not in mine.fields
            ]
        elif isinstance(mine, GraphQLObjectType | GraphQLInterfaceType):
            assert isinstance(theirs, GraphQLObjectType | GraphQLInterfaceType)
            found += _field_differences(name, mine, theirs)
    return found


def _field_differences(name: str, mine: Any, theirs: Any) -> list[str]:
    found: list[str] = []
    implemented = {each.name for each in theirs.interfaces}
    found += [f"{name}: {each.name}" for each in mine.interfaces if each.name not in implemented]
    for key, field in mine.fields.items():
        other = theirs.fields.get(key)
        if other is None or str(other.type) != str(field.type) or other.deprecation_reason:
            found.append(f"{name}.{key}")
            continue
        for arg, spec in field.args.items():
            real_arg = other.args.get(arg)
            same = real_arg is not None and (str(real_arg.type), real_arg.default_value) == (
                str(spec.type),
                spec.default_value,
            )
            if not same:
                found.append(f"{name}.{key}({arg})")
        found += [
            f"{name}.{key}({arg}) is required"
            for arg, spec in other.args.items()
            if is_required_argument(spec) and arg not in field.args
        ]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_name_and_type_is_the_vendors(version: str) -> None:
    assert _differences(schema(), _real(version)) == []


def test_the_comparison_notices_a_wrong_type() -> None:
    wrong = build_schema("type Query { a: Int }  type Order { id: ID!  name: Int! }  enum SaleLineType { NOTHING }")
    assert _differences(wrong, _real("2026-07")) == ["Query", "Order.name", "SaleLineType.NOTHING"]


def test_the_directive_is_the_vendors() -> None:
    mine, theirs = schema().get_directive("idempotent"), _real("2026-07").get_directive("idempotent")
    assert mine is not None and theirs is not None
    assert {k: str(v.type) for k, v in mine.args.items()} == {k: str(v.type) for k, v in theirs.args.items()}
    assert mine.locations == theirs.locations


def test_every_root_field_has_something_that_answers_it() -> None:
    roots = [("QueryRoot", schema().query_type), ("Mutation", schema().mutation_type)]
    missing = [
        f"{name}.{f}" for name, root in roots for f in (root.fields if root else ()) if f"{name}.{f}" not in READERS
    ]
    assert missing == []
    unknown = [path for path in READERS if _lookup(path) is None]
    assert unknown == []


def _lookup(path: str) -> Any:
    typename, _, field = path.partition(".")
    return getattr(schema().type_map.get(typename), "fields", {}).get(field)


def operations() -> dict[str, str]:
    document = parse(contract("shopify-operations.graphql").read_text())
    return {name: print_ast(part) for name, part in separate_operations(document).items()}


def _variables(kit: Kit) -> dict[str, dict[str, Any]]:
    """Variables with which each operation does something; each runs in a shop of its own."""
    shop = kit.shop
    order = kit.place(2, 1, shipping=None)
    shipped = kit.place(1)
    fulfillment = shop.create_fulfillment([(fo_of(shipped).id, [])], tracking={"number": "1Z"})
    shop.refund(shipped, {shipped.line_items[0].id: (1, "RETURN")})
    fo = fo_of(order)
    held = kit.place(1)
    hold, _ = shop.hold(fo_of(held), app=shop.app, handle="pickgate-1")
    begun = kit.place(1)
    shop.report_progress(fo_of(begun))
    service = shop.add_location("3PL", fulfillment_service="Three PL")
    stages: dict[str, str] = {}
    for stage, answers in {
        "submitted": ["submit"],
        "accepted": ["submit", "accept"],
        "cancelling": ["submit", "accept", "submit_cancellation"],
    }.items():
        for use in ("a", "b"):
            theirs = kit.place(1, location=service)
            for answer in answers:
                shop.answer_request(fo_of(theirs), answer)
            stages[stage + use] = fo_of(theirs).id
    session = kit.data("mutation B($id: ID!) { orderEditBegin(id: $id) { calculatedOrder { id } } }", id=order.id)
    calculated = session["orderEditBegin"]["calculatedOrder"]["id"]
    part = [{"id": fo.line_items[0].id, "quantity": 1}]
    where = {"inventoryItemId": kit.shirt.inventory_item.id, "locationId": kit.leeds.id}
    hook = shop.subscribe("orders/edited", "https://pickgate.example/a")
    by_order, by_fo = {"id": order.id}, {"id": fo.id}
    bulk_query = "{ orders { edges { node { id name lineItems { edges { node { id sku currentQuantity } } } } } } }"
    run = "mutation R($q: String!) { bulkOperationRunQuery(query: $q) { bulkOperation { id } } }"
    bulk = kit.data(run, q=bulk_query)
    return {
        "ShopAndScopes": {},
        "OrderSnapshot": by_order,
        "OrderFulfillmentOrders": by_order,
        "FulfillmentOrderById": {"id": fo_of(shipped).id},
        "OrdersUpdatedSince": {"query": "updated_at:>='2026-11-01T00:00:00Z'"},
        "FulfillmentOrdersSweep": {"query": "status:OPEN"},
        "AssignedFulfillmentOrders": {"status": "FULFILLMENT_REQUESTED", "locationIds": [service.id]},
        "OrderAgreements": {"id": shipped.id},
        "OrderRefunds": {"id": shipped.id},
        "RunBulkQuery": {"query": bulk_query},
        "BulkOperationStatus": {"id": bulk["bulkOperationRunQuery"]["bulkOperation"]["id"]},
        "HoldFulfillmentOrder": {**by_fo, "hold": {"reason": "OTHER", "handle": "pickgate-2"}},
        "ReleaseHolds": {"id": fo_of(held).id, "holdIds": [hold.id]},
        "ReportProgress": {**by_fo, "report": {"reasonNotes": "picking"}},
        "OpenFulfillmentOrder": {"id": fo_of(begun).id},
        "AcceptFulfillmentRequest": {"id": stages["submitteda"]},
        "RejectFulfillmentRequest": {"id": stages["submittedb"], "reason": "OTHER"},
        "AcceptCancellationRequest": {"id": stages["cancellinga"]},
        "RejectCancellationRequest": {"id": stages["cancellingb"]},
        "CloseFulfillmentOrder": {"id": stages["accepteda"]},
        "MoveFulfillmentOrder": {**by_fo, "newLocationId": kit.york.id},
        "SplitFulfillmentOrders": {"splits": [{"fulfillmentOrderId": fo.id, "fulfillmentOrderLineItems": part}]},
        "CreateFulfillment": {
            "fulfillment": {
                "trackingInfo": {"company": "UPS", "number": "1Z2", "url": "https://ups.example/1Z2"},
                "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": fo.id, "fulfillmentOrderLineItems": part}],
            }
        },
        "UpdateTracking": {"fulfillmentId": fulfillment.id, "tracking": {"number": "1Z3"}},
        "CreateFulfillmentEvent": {"event": {"fulfillmentId": fulfillment.id, "status": "IN_TRANSIT"}},
        "CancelFulfillment": {"id": fulfillment.id},
        "Locations": {},
        "InventoryItemsBySku": {"query": "sku:SHIRT"},
        "InventoryLevelsAtLocation": {"locationId": kit.leeds.id},
        "SetInventoryQuantities": {
            "key": "k1",
            "input": {
                "name": "on_hand",
                "reason": "correction",
                "quantities": [{**where, "quantity": 40, "changeFromQuantity": None}],
            },
        },
        "AdjustInventoryQuantities": {
            "key": "k2",
            "input": {
                "name": "available",
                "reason": "correction",
                "changes": [{**where, "delta": -1, "changeFromQuantity": None}],
            },
        },
        "ActivateInventory": {"itemId": where["inventoryItemId"], "locationId": kit.york.id, "key": "k3"},
        "AddTags": {**by_order, "tags": ["pickgate-locked"]},
        "RemoveTags": {**by_order, "tags": ["pickgate-locked"]},
        "OrderMetafield": {**by_order, "namespace": "$app:pickgate", "key": "lock"},
        "SetMetafields": {
            "metafields": [
                {"ownerId": order.id, "namespace": "$app:pickgate", "key": "lock", "type": "json", "value": "{}"}
            ]
        },
        "CreateMetafieldDefinition": {
            "definition": {"ownerType": "ORDER", "namespace": "$app", "key": "lock", "name": "Lock", "type": "json"}
        },
        "WebhookSubscriptions": {},
        "CreateWebhookSubscription": {
            "topic": "ORDERS_UPDATED",
            "subscription": {"uri": "https://pickgate.example/b"},
        },
        "DeleteWebhookSubscription": {"id": hook.id},
        "BeginOrderEdit": by_order,
        "SetOrderEditQuantity": {
            "id": calculated,
            "lineItemId": order.line_items[0].id,
            "quantity": 1,
            "restock": True,
        },
        "AddOrderEditVariant": {"id": calculated, "variantId": kit.belt.id, "quantity": 1},
        "CommitOrderEdit": {"id": calculated},
    }


def _complaints(value: Any) -> list[Any]:
    """Every userErrors entry anywhere in an answer."""
    if isinstance(value, list):
        return [each for item in value for each in _complaints(item)]
    if not isinstance(value, dict):
        return []
    own = value.get("userErrors") or []
    return [*own, *(each for item in value.values() for each in _complaints(item))]


def test_each_operation_runs_without_an_error() -> None:
    texts = operations()
    wanted = set(texts) - NOT_OFFERED
    assert wanted == set(_variables(Kit()))
    for name in sorted(wanted):
        kit = Kit()
        answer = kit.ask(texts[name], **_variables(kit)[name])
        assert "errors" not in answer, (name, answer["errors"])
        assert _complaints(answer["data"]) == [], name
        assert all(value is not None for value in answer["data"].values()), name


def test_operations_not_offered_are_refused_by_validation() -> None:
    texts = operations()
    for name in sorted(NOT_OFFERED):
        assert "Cannot query field" in Kit().ask(texts[name])["errors"][0]["message"]


def test_every_plain_field_can_be_read() -> None:
    """Select every field that needs no arguments, levels deep, on objects with everything set."""
    kit = Kit(max_query_cost=10**6, bucket_size=10.0**6)
    order = kit.place(3, 1, attributes={"gift": "yes"}, shipping=ShippingSpec())
    shop = kit.shop
    shop.add_location("3PL", fulfillment_service="Three PL")
    shop.create_fulfillment([(fo_of(order).id, [])], tracking={"number": "1Z"})
    refund = shop.refund(order, {order.line_items[0].id: (1, "RETURN")}, shipping=1, amount="5.00")
    made = shop.start_return(order, {order.line_items[0].id: 1}, exchange=[LineSpec(variant=kit.belt)])
    shop.set_metafield(order, "a.b", "c")
    shop.subscribe("orders/edited", "https://pickgate.example/a")
    for root, typename, depth in (
        (f'order(id: "{order.id}")', "Order", 4),
        (f'refund(id: "{refund.id}")', "Refund", 3),
        (f'return(id: "{made.id}")', "Return", 2),
        (f'inventoryItem(id: "{kit.shirt.inventory_item.id}")', "InventoryItem", 3),
        (f'productVariant(id: "{kit.shirt.id}")', "ProductVariant", 3),
        (f'fulfillment(id: "{order.fulfillments[0].id}")', "Fulfillment", 3),
        ("location", "Location", 3),
        ("shop", "Shop", 3),
        ("currentAppInstallation", "AppInstallation", 3),
        ("publicApiVersions", "ApiVersion", 3),
        ("locations(first: 9)", "LocationConnection", 3),
        ("orders(first: 9)", "OrderConnection", 3),
        ("fulfillmentOrders(first: 9)", "FulfillmentOrderConnection", 4),
        ("webhookSubscriptions(first: 9)", "WebhookSubscriptionConnection", 4),
    ):
        answer = kit.ask("{ it: " + root + " " + _select(typename, depth) + " }")
        codes = [e for e in answer.get("errors", ()) if e["extensions"]["code"] != "ACCESS_DENIED"]
        assert codes == [], root
        assert answer["data"]["it"], root
    begin = 'mutation { orderEditBegin(id: "%s") { calculatedOrder %s } }'
    calculated = kit.data(begin % (order.id, _select("CalculatedOrder", 2)))
    assert calculated["orderEditBegin"]["calculatedOrder"]["originalOrder"]["name"] == "#1001"


def _select(typename: str, depth: int) -> str:
    chosen: list[str] = []
    for name, field in schema().type_map[typename].fields.items():  # type: ignore[attr-defined]
        named = get_named_type(field.type)
        required = [arg for arg, spec in field.args.items() if is_required_argument(spec)]
        sized = "(first: 2)" if "first" in field.args else ""
        if required:
            continue
        if is_leaf_type(named):
            chosen.append(name)
        elif depth:
            chosen.append(f"{name}{sized} {_select(named.name, depth - 1)}")
    return "{ __typename " + " ".join(chosen) + " }"
