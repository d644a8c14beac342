"""Ids that come out the same in every build, so that two packs can be compared line by line."""

from __future__ import annotations

from hashlib import sha256
from uuid import NAMESPACE_URL, uuid5

_SPACE = "https://pickgate.invalid/retool/"


def short_id(*path: str) -> str:
    """Return five hexadecimal digits: Retool's ids of columns, views and options."""
    return sha256("/".join(path).encode()).hexdigest()[:5]


def tiny_id(*path: str) -> str:
    """Return two hexadecimal digits: Retool's ids of toolbar buttons, unique within their table."""
    return sha256("/".join(path).encode()).hexdigest()[:2]


def app_uuid(*path: str) -> str:
    """Return a UUID for the app or a screen."""
    return str(uuid5(NAMESPACE_URL, _SPACE + "/".join(path)))
