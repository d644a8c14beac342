"""One Shopify shop as the flows see it: satisfies `pickgate.flows.ports.ShopPort`."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pickgate.clock import Clock
from pickgate.connectors.shopify import documents, wire
from pickgate.connectors.shopify.batches import unreadable, unreadable_problem
from pickgate.connectors.shopify.budget import Budget, CostBudget, Lane
from pickgate.connectors.shopify.client import ShopifyClient
from pickgate.connectors.shopify.errors import CallFailed, PayloadUnreadable
from pickgate.connectors.shopify.gathering import Gathering
from pickgate.connectors.shopify.incoming import parse_gid, parse_shape
from pickgate.connectors.shopify.outcomes import outcome_of_failure, outcome_of_root
from pickgate.connectors.shopify.outgoing import (
    ORIGINAL_METAFIELD,
    NotSendable,
    Step,
    render_command,
    split_metafield,
)
from pickgate.connectors.shopify.reading import OrderAnswer, OrderReader
from pickgate.connectors.shopify.subscriptions import mend_subscriptions
from pickgate.connectors.shopify.tokens import ClientCredentials, StaticToken, TokenSource
from pickgate.domain.commands import ShopCommand
from pickgate.domain.facts import Missing, Unreadable
from pickgate.domain.shop import ShopOrder
from pickgate.flows.ports import (
    ChangedPage,
    Confirmed,
    NotSent,
    OrderChanged,
    Outcome,
    OutcomeNotKnown,
    Refused,
    SubscriptionReport,
)
from pickgate.http import Transport
from pickgate.settings import ShopSettings

NEEDED_SCOPES = (
    "read_orders",
    "write_orders",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_customers",
    "read_locations",
    "read_inventory",
    "write_inventory",
)
"""Without one of these, reads lack fields or, worse, look like an order with nothing to ship."""

_NO_METAFIELD = ("pickgate", "none")
_OWNERS_AT_ONCE = 50


class ShopifyShop:
    """One shop. Reads answer Unreadable rather than raise; `send` answers an Outcome, never raises for the vendor.

    `gather_seconds`: how long a single read waits for others to share its request; 0: not at all, and then no method
    needs a running event loop. `max_ids`: orders in one read at most. `notify_customer`: whether Shopify mails the
    customer about a fulfilment. `budget`: by default one for this object alone; give one to share it.
    """

    def __init__(
        self,
        settings: ShopSettings,
        *,
        transport: Transport,
        clock: Clock,
        budget: Budget | None = None,
        tokens: TokenSource | None = None,
        gather_seconds: float = 0.08,
        max_ids: int = 10,
        notify_customer: bool = True,
        tries: int = 4,
        longest_wait_seconds: float = 30.0,
        rng: random.Random | None = None,
    ) -> None:
        self._notify_customer = notify_customer
        self.client = ShopifyClient(
            transport=transport,
            clock=clock,
            api_base=settings.api_base,
            api_version=settings.api_version,
            tokens=tokens or token_source(settings, transport=transport, clock=clock),
            budget=budget or CostBudget(clock=clock, longest_wait_seconds=longest_wait_seconds),
            tries=tries,
            longest_wait_seconds=longest_wait_seconds,
            rng=rng,
        )
        names: dict[str, str] = {}
        for alias, name in (
            ("cutoff", settings.window.cutoff_metafield),
            ("lock", settings.lock.metafield),
            ("original", ORIGINAL_METAFIELD),
        ):
            names[f"{alias}Namespace"], names[f"{alias}Key"] = split_metafield(name) if name else _NO_METAFIELD
        self._reader = OrderReader(self.client, metafields=names, max_ids=max_ids)
        self._gathering: Gathering[OrderAnswer] = Gathering(
            self._read_for_a_look, clock=clock, seconds=gather_seconds, at_most=max_ids
        )

    async def read_order(self, order_id: str) -> ShopOrder | Missing | Unreadable:
        """Read one order whole. Calls within `gather_seconds` of each other share a request.

        Missing also for an order older than 60 days when the app lacks `read_all_orders`: Shopify does not say which.
        """
        return await self._gathering.get(order_id)

    async def read_orders(self, order_ids: Sequence[str]) -> Mapping[str, ShopOrder | Missing | Unreadable]:
        """Read many orders, several in one request; for sweeps and audits, which leave budget to others."""
        return await self._reader.read(order_ids, lane=Lane.BULK)

    async def find_orders_by_name(self, name: str) -> tuple[ShopOrder, ...] | Unreadable:
        """Find orders with exactly this name ("#1031", or "1031" without the sign), usually none or one."""
        bare = name.strip().removeprefix("#")
        if not bare:
            return ()
        quoted = bare.replace("\\", "\\\\").replace('"', '\\"')
        try:
            answer = await self.client.read(documents.ORDERS_BY_NAME, {"query": f'name:"#{quoted}"'}, lane=Lane.LOOK)
            if answer.problems:
                return unreadable_problem(answer.problems)
            page = parse_shape(wire.NamedOrders, answer.data.get("orders"), what="orders")
            ids = [
                parse_gid(order.id, "Order")
                for order in page.nodes
                if order.name.strip().removeprefix("#").casefold() == bare.casefold()
            ]
        except CallFailed as error:
            return unreadable(error)
        except PayloadUnreadable as error:
            return _unreadable_payload(error)
        if not ids and page.pageInfo.hasNextPage:
            return Unreadable(why=f"Too many orders match the name {name!r}, and none of the first is it.")
        found = []
        for order in (await self._reader.read(ids, lane=Lane.LOOK)).values():
            if isinstance(order, Unreadable):
                return order
            if isinstance(order, ShopOrder):
                found.append(order)
        return tuple(found)

    async def changed_orders(self, *, since: datetime, cursor: str | None) -> ChangedPage:
        """List orders changed at or after `since`, 50 a page, oldest change first."""
        instant = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        variables = {"query": f"updated_at:>='{instant}'", "after": cursor}
        try:
            answer = await self.client.read(documents.CHANGED_ORDERS, variables, lane=Lane.BULK)
            if answer.problems:
                return ChangedPage(unreadable=unreadable_problem(answer.problems))
            page = parse_shape(wire.ChangedOrders, answer.data.get("orders"), what="orders")
            items = tuple(
                OrderChanged(order_id=parse_gid(order.id, "Order"), updated_at=order.updatedAt) for order in page.nodes
            )
        except CallFailed as error:
            return ChangedPage(unreadable=unreadable(error))
        except PayloadUnreadable as error:
            return ChangedPage(unreadable=_unreadable_payload(error))
        following = page.pageInfo.endCursor if page.pageInfo.hasNextPage else None
        if page.pageInfo.hasNextPage and (following is None or following == cursor):
            return ChangedPage(unreadable=Unreadable(why="The list of changed orders has pages without end."))
        return ChangedPage(items=items, next_cursor=following)

    async def order_of_fulfilment_orders(self, ids: Sequence[str]) -> Mapping[str, str] | Unreadable:
        """Map fulfilment order ids to order ids; an unknown id is left out."""
        wanted = [number for number in dict.fromkeys(ids) if number.isascii() and number.isdigit()]
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _OWNERS_AT_ONCE):
            gids = [f"gid://shopify/FulfillmentOrder/{number}" for number in wanted[start : start + _OWNERS_AT_ONCE]]
            try:
                answer = await self.client.read(documents.ORDERS_OF_FULFILLMENT_ORDERS, {"ids": gids}, lane=Lane.LOOK)
                if answer.problems:
                    return unreadable_problem(answer.problems)
                nodes = answer.data.get("nodes")
                if not isinstance(nodes, list):
                    raise PayloadUnreadable("nodes", "should be a list")
                for node in nodes:
                    if node is not None:
                        owner = parse_shape(wire.FulfillmentOrderOwner, node, what="fulfillmentOrder")
                        found[parse_gid(owner.id, "FulfillmentOrder")] = parse_gid(owner.orderId, "Order")
            except CallFailed as error:
                return unreadable(error)
            except PayloadUnreadable as error:
                return _unreadable_payload(error)
        return found

    async def find_missing_scopes(self) -> tuple[str, ...] | Unreadable:
        """Say which of the scopes that we need this app has not been granted."""
        try:
            answer = await self.client.read(documents.ACCESS_SCOPES, {}, lane=Lane.BULK)
        except CallFailed as error:
            return unreadable(error)
        if answer.problems:
            return unreadable_problem(answer.problems)
        installation = answer.data.get("currentAppInstallation")
        scopes = installation.get("accessScopes") if isinstance(installation, dict) else None
        if not isinstance(scopes, list):
            return Unreadable(why="Shopify's answer about this app's scopes cannot be read.")
        granted = {scope.get("handle") for scope in scopes if isinstance(scope, dict)}
        # A scope to write includes the one to read.
        granted |= {str(handle).replace("write_", "read_", 1) for handle in granted if handle}
        return tuple(scope for scope in NEEDED_SCOPES if scope not in granted)

    async def ensure_subscriptions(self, callback_url: str) -> SubscriptionReport:
        """Create missing webhook subscriptions and remove doubles and strays. Repeatable."""
        return await mend_subscriptions(self.client, callback_url)

    async def send(self, command: ShopCommand) -> Outcome:
        """Carry out one command. Never repeats a change whose outcome is not known."""
        try:
            steps = render_command(command, notify_customer=self._notify_customer)
        except NotSendable as error:
            return Refused(code=error.code, problem=error.problem, remedy=error.remedy)
        ids: dict[str, str] = {}
        something_done = False
        for step in steps:
            for outcome in await self._send_step(step):
                if not isinstance(outcome, Confirmed):
                    return _after_part(outcome) if something_done else outcome
                ids |= outcome.ids
                something_done = True
        return Confirmed(ids=ids)

    async def _send_step(self, step: Step) -> list[Outcome]:
        """Send one request; one outcome for each of its mutations, done ones first."""
        try:
            answer = await self.client.change(step.document, step.variables, lane=Lane.DESPATCH)
        except CallFailed as error:
            return [outcome_of_failure(error)]
        outcomes = [outcome_of_root(answer, root) for root in step.roots]
        return sorted(outcomes, key=lambda outcome: not isinstance(outcome, Confirmed))

    async def _read_for_a_look(self, order_ids: Sequence[str]) -> Mapping[str, OrderAnswer]:
        return await self._reader.read(order_ids, lane=Lane.LOOK)


def token_source(settings: ShopSettings, *, transport: Transport, clock: Clock) -> TokenSource:
    """Choose where tokens come from: the one in the settings, else the client-credentials grant. Raises ValueError."""
    if settings.access_token is not None:
        return StaticToken(settings.access_token.get_secret_value())
    if settings.client_id is None or settings.client_secret is None:
        raise ValueError(
            f"shop {settings.key!r} has neither access_token nor client_id with client_secret; give one of them"
        )
    return ClientCredentials(
        transport=transport,
        clock=clock,
        token_url=f"{settings.api_base}/admin/oauth/access_token",
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value(),
    )


def _after_part(outcome: Outcome) -> Outcome:
    """Say what a failure means once an earlier part took effect: "nothing happened" would no longer be true."""
    match outcome:
        case Refused():
            return Refused(code=outcome.code, problem=outcome.problem, remedy=outcome.remedy, partly=True)
        case NotSent():
            return OutcomeNotKnown(why=f"A part took effect, the rest was not sent: {outcome.why}")
        case _:
            return outcome


def _unreadable_payload(error: PayloadUnreadable) -> Unreadable:
    return Unreadable(why=f"Shopify's answer cannot be read: {error}")
