"""Who may talk: OAuth client credentials, bearer tokens with a life, the tenant header, and the limiter."""

from __future__ import annotations

import base64
import binascii
import json
from collections import deque
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from pickgate.http import HttpRequest, HttpResponse
from pickgate.twins.clarus.tenant import Tenant


class Sessions:
    """Issues tokens and checks them."""

    def __init__(self, tenant: Tenant, *, client_id: str, client_secret: str) -> None:
        self._tenant = tenant
        self._client = (client_id, client_secret)
        self._expiry: dict[str, datetime] = {}
        self._recent: deque[datetime] = deque()

    def issue(self, request: HttpRequest) -> HttpResponse:
        """POST /oauth/token: form or JSON body, or HTTP Basic."""
        fields = _read_fields(request)
        given = _basic(request) or (fields.get("client_id", ""), fields.get("client_secret", ""))
        if fields.get("grant_type") != "client_credentials":
            return answer(400, {"error": "unsupported_grant_type"})
        if given != self._client:
            return answer(401, {"error": "invalid_client"})
        knobs = self._tenant.knobs
        if knobs.one_session:
            self._expiry.clear()
        token = f"{self._tenant.rng.getrandbits(160):040x}"
        now = self._tenant.now()
        self._expiry = {known: until for known, until in self._expiry.items() if until > now}
        self._expiry[token] = now + timedelta(seconds=knobs.token_life_seconds)
        reply: dict[str, object] = {"access_token": token, "token_type": "Bearer"}
        if knobs.token_reply_tells_life:
            reply["expires_in"] = knobs.token_life_seconds
        return answer(200, reply)

    def revoke_all(self) -> None:
        """Forget every token: somebody signed in with the same account."""
        self._expiry.clear()

    def find_refusal(self, request: HttpRequest) -> HttpResponse | None:
        """Return the 401 that this request deserves, or None."""
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        until = self._expiry.get(token.strip())
        if scheme.lower() != "bearer" or until is None:
            return answer(401, {"error": "The access token is invalid"})
        if until <= self._tenant.now():
            return answer(401, {"error": "The access token expired"})
        if request.header("X-Clarus-Subdomain") != self._tenant.subdomain:
            return answer(401, {"error": "Unknown subdomain"})
        return None

    def find_excess(self) -> HttpResponse | None:
        """Return a 429 when this second's requests are used up, or None (and count one)."""
        knobs = self._tenant.knobs
        if knobs.requests_per_second is None:
            return None
        now = self._tenant.now()
        while self._recent and self._recent[0] <= now - timedelta(seconds=1):
            self._recent.popleft()
        if len(self._recent) < max(1.0, knobs.requests_per_second):
            self._recent.append(now)
            return None
        response = answer(
            429,
            {
                "errors": [
                    {
                        "code": 9016,
                        "symbol": "too_many_requests",
                        "details": "Too many requests",
                        "source": None,
                        "context": None,
                    }
                ]
            },
        )
        if knobs.retry_after_seconds is None:
            return response
        headers = {**response.headers, "Retry-After": str(knobs.retry_after_seconds)}
        return HttpResponse(status=429, headers=headers, body=response.body)


def answer(status: int, body: object | None = None) -> HttpResponse:
    """Make a JSON response; no body for None."""
    if body is None:
        return HttpResponse(status=status)
    return HttpResponse(
        status=status,
        headers={"Content-Type": "application/json; charset=utf-8"},
        body=json.dumps(body, separators=(",", ":")).encode(),
    )


def _read_fields(request: HttpRequest) -> dict[str, str]:
    text = request.body.decode("utf-8", "replace")
    if "json" in (request.header("Content-Type") or ""):
        try:
            loaded = json.loads(text)
        except ValueError:
            return {}
        return {str(k): str(v) for k, v in loaded.items()} if isinstance(loaded, dict) else {}
    return {name: values[0] for name, values in parse_qs(text).items()}


def _basic(request: HttpRequest) -> tuple[str, str] | None:
    scheme, _, encoded = (request.header("Authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret
