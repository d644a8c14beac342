"""The settings of the simulated installation: one shop, one warehouse, both twins."""

from __future__ import annotations

from typing import Any

from pickgate.settings import Settings
from pickgate.simulation.world import (
    ACCESS_TOKEN,
    CLARUS_ID,
    CLARUS_SECRET,
    CLIENT_SECRET,
    DOMAIN,
    SHOP,
    SUBDOMAIN,
    World,
)

SHOP_URL, WAREHOUSE_URL = "https://shop.twin", "https://warehouse.twin"
CALLBACK, CLARUS_CALLBACK = "https://pickgate.test/webhooks/shopify", "https://pickgate.test/webhooks/clarus/t"


def simulation_settings(world: World, **sections: Any) -> Settings:
    """The settings of the simulated installation; `sections` are laid over."""
    timing = world.timing
    shop = {
        "key": SHOP,
        "domain": DOMAIN,
        "api_base": SHOP_URL,
        "access_token": ACCESS_TOKEN,
        "client_secrets": [CLIENT_SECRET],
        "window": {
            "edit_window": f"{timing.edit_window}s",
            "guard": f"{timing.guard}s",
            "min_age": f"{timing.min_age}s",
            "quiet": f"{timing.quiet}s",
        },
        **sections.pop("shop", {}),
    }
    clarus = {
        "base_url": WAREHOUSE_URL,
        "token_url": f"{WAREHOUSE_URL}/oauth/token",
        "subdomain": SUBDOMAIN,
        "client_id": CLARUS_ID,
        "client_secret": CLARUS_SECRET,
        "webhook_token": "t",
        "requests_per_second": 1000,
        **sections.pop("clarus", {}),
    }
    return Settings.model_validate(
        {"secret_key": "simulated-simulated-simulated-simulated", "shops": [shop], "clarus": clarus, **sections}
    )
