"""The GraphQL documents that we send, one operation a file. Only documented fields and filters are used."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def get_document(name: str) -> str:
    """Return the text of `name`.graphql, read once."""
    return files(__package__).joinpath(f"{name}.graphql").read_text("utf-8")


def render_shipments_document(count: int) -> str:
    """Write one document that lists the shipments of `count` goods-outs: roots `g0…`, filters `$f0…`.

    A shipment does not say whose it is, so each goods-out asks for its own.
    """
    variables = ", ".join(f"$f{number}: ShipmentFilterType" for number in range(count))
    fields = "pageInfo { hasNextPage endCursor } edges { cursor node { id status carrier { code name } } }"
    roots = "\n".join(
        f"  g{number}: shipments {{ all(filter: $f{number}, first: $first) {{ {fields} }} }}" for number in range(count)
    )
    return f"query ShipmentsOfMany($first: Int, {variables}) {{\n{roots}\n}}\n"
