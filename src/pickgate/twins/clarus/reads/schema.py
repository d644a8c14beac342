"""The executable schema: the SDL beside this file, plus the query type and connections made from the roots."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from graphql import GraphQLSchema, build_schema

from pickgate.twins.clarus.reads.roots import ROOTS

_PAGE_INFO = """
type PageInfo {
  hasNextPage: Boolean!, hasPreviousPage: Boolean!, startCursor: String, endCursor: String
}
"""


@lru_cache(maxsize=4)
def get_schema(*, extras: bool, line_references: bool) -> GraphQLSchema:
    """Build the documented schema, widened by what the tenant's knobs show."""
    names = ["schema.graphql"]
    if extras:
        names.append("extras.graphql")
    if line_references:
        names.append("line_references.graphql")
    here = files(__package__)
    parts = [here.joinpath(name).read_text("utf-8") for name in names]
    return build_schema("\n".join([*parts, _PAGE_INFO, *_made()]))


def _made() -> list[str]:
    made = ["type Query {", *(f"  {root.name}: {root.node}Root!" for root in ROOTS), "}"]
    for root in ROOTS:
        extra = ", include_archived: Boolean" if root.name == "transactions" else ""
        made.append(
            f"type {root.node}Root {{ all(filter: {root.filter}, first: Int, after: String{extra}):"
            f" {root.node}Connection! }}\n"
            f"type {root.node}Connection {{ pageInfo: PageInfo!, edges: [{root.node}Edge!]! }}\n"
            f"type {root.node}Edge {{ cursor: String!, node: {root.node}! }}"
        )
    return made
