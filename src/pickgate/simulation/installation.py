"""An installation between the twins, one shop and one warehouse: settings in memory, or files for processes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from pickgate.rulebook.csv_files import render_files
from pickgate.rulebook.tables import Tables
from pickgate.settings import Settings
from pickgate.simulation.world import (
    ACCESS_TOKEN,
    CLARUS_ID,
    CLARUS_SECRET,
    CLIENT_SECRET,
    DOMAIN,
    SHOP,
    SUBDOMAIN,
    Timing,
    World,
)

SHOP_URL, WAREHOUSE_URL = "https://shop.twin", "https://warehouse.twin"
CALLBACK, CLARUS_CALLBACK = "https://pickgate.test/webhooks/shopify", "https://pickgate.test/webhooks/clarus/t"


def simulation_settings(world: World, **sections: Any) -> Settings:
    """The settings of the simulated installation; `sections` are laid over."""
    shop = {**shop_section(world.timing, SHOP_URL), **sections.pop("shop", {})}
    clarus = {
        **clarus_section(WAREHOUSE_URL, webhook_token="t"),  # noqa: S106 - nobody listens
        "requests_per_second": 1000,
        **sections.pop("clarus", {}),
    }
    return Settings.model_validate(
        {"secret_key": "simulated-simulated-simulated-simulated", "shops": [shop], "clarus": clarus, **sections}
    )


def shop_section(timing: Timing, url: str) -> dict[str, Any]:
    """One shop's settings, for the twin at `url`."""
    return {
        "key": SHOP,
        "domain": DOMAIN,
        "api_base": url,
        "access_token": ACCESS_TOKEN,
        "client_secrets": [CLIENT_SECRET],
        "window": {
            "edit_window": f"{timing.edit_window}s",
            "guard": f"{timing.guard}s",
            "min_age": f"{timing.min_age}s",
            "quiet": f"{timing.quiet}s",
        },
    }


def clarus_section(url: str, *, webhook_token: str) -> dict[str, Any]:
    """The warehouse's settings, for the twin at `url`."""
    return {
        "base_url": url,
        "token_url": f"{url}/oauth/token",
        "subdomain": SUBDOMAIN,
        "client_id": CLARUS_ID,
        "client_secret": CLARUS_SECRET,
        "webhook_token": webhook_token,
    }


def write_installation(
    folder: Path, *, data_dir: Path, port: int, sections: Mapping[str, Any], tables: Tables | None = None
) -> Path:
    """Write `pickgate.toml`, with a key of its own, and the rulebook's CSV files. Returns the settings' file.

    `sections` are laid over key by key, so `{"server": {"hint_delay": "3s"}}` keeps the port.
    """
    settings: dict[str, Any] = {
        "data_dir": str(data_dir),
        "secret_key": secrets.token_urlsafe(48),
        "server": {"port": port, "public_url": f"http://127.0.0.1:{port}"},
    }
    for name, values in sections.items():
        settings[name] = {**settings.get(name, {}), **values} if isinstance(values, Mapping) else values
    config = folder / "pickgate.toml"
    config.write_text(tomli_w.dumps(settings), "utf-8")
    config.chmod(0o600)
    if tables is not None:
        rules = folder / "rulebook"
        rules.mkdir()
        for name, content in render_files(tables).items():
            (rules / name).write_bytes(content)
    return config
