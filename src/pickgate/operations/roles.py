"""Who may do what. A viewer reads; a team also acts on what it owns; an admin may do everything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    VIEWER = "viewer"
    OPS = "ops"
    CX = "cx"
    FINANCE = "finance"
    ECOMMERCE = "ecommerce"
    ADMIN = "admin"


EVERYONE = frozenset(Role)
TEAMS = EVERYONE - {Role.VIEWER}


def only(*roles: Role) -> frozenset[Role]:
    """These roles, and admins."""
    return frozenset({*roles, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks: a person or a program with a token. `shops` None: every shop.

    `name` goes into the audit: the e-mail address or login of a person, `token:NAME` for a program.
    """

    name: str
    role: Role
    shops: frozenset[str] | None = None

    def may_see(self, shop: str) -> bool:
        """Things that belong to no shop are for actors of every shop."""
        return self.shops is None or shop in self.shops
