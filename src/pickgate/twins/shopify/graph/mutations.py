"""The root mutations, from their files."""

from __future__ import annotations

from pickgate.twins.shopify.graph import (
    mutations_bulk,
    mutations_edit,
    mutations_fulfilment,
    mutations_hooks,
    mutations_orders,
    mutations_stock,
)
from pickgate.twins.shopify.graph.plan import Reader

MUTATIONS: dict[str, Reader] = {
    f"Mutation.{name}": done
    for part in (
        mutations_bulk,
        mutations_edit,
        mutations_fulfilment,
        mutations_hooks,
        mutations_orders,
        mutations_stock,
    )
    for name, done in part.MUTATIONS.items()
}
