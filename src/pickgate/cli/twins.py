"""`twins`: serve the twins of Shopify and Clarus on loopback, to try an installation against."""

from __future__ import annotations

import asyncio
import random

import click

from pickgate.cli.runtime import run_async
from pickgate.clock import RealClock
from pickgate.simulation.world import (
    ACCESS_TOKEN,
    CLARUS_ID,
    CLARUS_SECRET,
    CLIENT_SECRET,
    DOMAIN,
    SUBDOMAIN,
    make_world,
)
from pickgate.twins.server import serve_twin


@click.command()
@click.option("--shopify-port", type=int, default=9001, show_default=True)
@click.option("--clarus-port", type=int, default=9002, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@run_async
async def twins(shopify_port: int, clarus_port: int, seed: int) -> None:
    """Serve a Shopify shop and a Clarus tenant that behave as their dossiers say, until interrupted."""
    world = make_world(RealClock(), random.Random(seed))  # noqa: S311 - a twin, not a secret
    shop = await serve_twin(world.shop.handle, port=shopify_port)
    warehouse = await serve_twin(world.warehouse.handle, port=clarus_port)
    click.echo(f"Shopify: {shop.url}  shop {DOMAIN}  token {ACCESS_TOKEN}  webhook secret {CLIENT_SECRET}")
    click.echo(f"Clarus:  {warehouse.url}  subdomain {SUBDOMAIN}  client {CLARUS_ID} / {CLARUS_SECRET}")
    try:
        while True:
            world.tick()
            await asyncio.sleep(0.2)
    finally:
        await shop.aclose()
        await warehouse.aclose()
