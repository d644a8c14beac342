"""Preview tokens: a change is made only as it was previewed, by the one who previewed it, while it still holds.

A token is stateless: any process of the installation can check it.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from pickgate.operations.errors import Conflict
from pickgate.operations.models import ChangeShape
from pickgate.operations.roles import Actor

GOOD_FOR = timedelta(minutes=10)
_REMEDY = "Call the tool without preview_token, read what it would do, and call it again with the new token."


class PreviewTokens:
    """Makes and checks tokens. `secret`: 32 bytes or more that all processes of an installation share."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def make(self, actor: Actor, operation: str, values: BaseModel, preview: BaseModel | None, now: datetime) -> str:
        """Return a token for exactly this change. `preview` None: what it would do need not stay the same."""
        expires = int((now + GOOD_FOR).timestamp())
        return ".".join((f"{expires:x}", *self._marks(actor, operation, values, preview, expires)))

    def check(
        self, token: str, actor: Actor, operation: str, values: BaseModel, preview: BaseModel | None, now: datetime
    ) -> None:
        """Raises Conflict when the token is not for this change, has expired, or the change is another one by now."""
        head, _, marks = token.partition(".")
        try:
            expires = int(head, 16)
        except ValueError:
            expires = 0
        asked, state = self._marks(actor, operation, values, preview, expires)
        found_asked, _, found_state = marks.partition(".")
        if not hmac.compare_digest(found_asked.encode(), asked.encode()):
            raise Conflict("The preview token is not for this change as it is asked for now.", remedy=_REMEDY)
        if now.timestamp() >= expires:
            raise Conflict("The preview is too old.", remedy=_REMEDY)
        if not hmac.compare_digest(found_state.encode(), state.encode()):
            raise Conflict("What it would do has changed since the preview. Nothing was done.", remedy=_REMEDY)

    def _marks(
        self, actor: Actor, operation: str, values: BaseModel, preview: BaseModel | None, expires: int
    ) -> tuple[str, str]:
        asked = [actor.name, actor.role.value, operation, values.model_dump(mode="json", exclude={"dry_run"}), expires]
        return self._mark("asked", asked), self._mark("state", [*asked, _state(preview)])

    def _mark(self, kind: str, value: Any) -> str:
        text = json.dumps([kind, value], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return urlsafe_b64encode(hmac.digest(self._secret, text.encode(), sha256)).decode().rstrip("=")


def _state(preview: BaseModel | None) -> Any:
    if not isinstance(preview, ChangeShape):
        return None
    return preview.model_dump(mode="json", include={"order", "exceptions", "version", "before", "after"})
