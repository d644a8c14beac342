"""The doors for webhooks, as bare ASGI: nothing is parsed, nothing is answered 200 before it is committed.

Shopify's door checks the signature over the raw body with the secrets of the shop that the headers name. The
warehouse signs nothing: its door is an unguessable address, and whatever comes through is only a hint to look.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from time import perf_counter
from typing import Any, Protocol
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from pickgate.api.intake_batch import InboxBatcher, IntakeFull, NotStored
from pickgate.clock import Clock
from pickgate.flows.ports import InboxItem
from pickgate.metrics import Metrics

MAX_BODY_BYTES = 2 * 1024 * 1024
BODY_WITHIN_SECONDS = 5.0
CLARUS_PREFIX = "/webhooks/clarus/"


class Envelope(Protocol):
    """What the shop connector reads from a webhook's headers; nothing in it is trusted before the signature is."""

    @property
    def topic(self) -> str: ...
    @property
    def shop_domain(self) -> str | None: ...
    @property
    def signature(self) -> str | None: ...
    @property
    def event_id(self) -> str: ...
    @property
    def webhook_id(self) -> str: ...
    @property
    def triggered_at(self) -> str: ...
    @property
    def api_version(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopifyDoor:
    """What the shop's door needs: the connector's two functions, and who may come in.

    `shops`: by lower-case domain, the shop's key and its webhook secrets, newest first.
    """

    parse_headers: Callable[[Mapping[str, str]], Envelope | None]
    verify_signature: Callable[[bytes, str | None, Sequence[str]], bool]
    shops: Mapping[str, tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarusDoor:
    """The warehouse's door. An empty token keeps it shut. `automation_header`: lower case, tells automations apart."""

    token: str
    automation_header: str = "x-claruswms-automation-id"


class Intake:
    """Answers the webhook paths. `handles(path)` says whether a path is one of them."""

    def __init__(
        self, *, shopify: ShopifyDoor, clarus: ClarusDoor, batcher: InboxBatcher, metrics: Metrics, clock: Clock
    ) -> None:
        self._shopify = shopify
        self._clarus = clarus
        self._batcher = batcher
        self._metrics = metrics
        self._clock = clock

    @staticmethod
    def handles(path: str) -> bool:
        return path.startswith("/webhooks/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.rstrip("/") == "/webhooks/shopify":
            await self._from_shopify(scope, receive, send)
        elif path.startswith(CLARUS_PREFIX):
            await self._from_clarus(scope, receive, send, path.removeprefix(CLARUS_PREFIX).rstrip("/"))
        else:
            await _answer(send, 404, "There is nothing here.")

    async def _from_shopify(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        count = self._metrics.intake.labels
        if scope["method"] != "POST":
            count("shopify", "method").inc()
            await _answer(send, 405, "Webhooks come by POST.", allow=True)
            return
        headers = _headers(scope)
        envelope = self._shopify.parse_headers(headers)
        candidates = self._candidates(envelope) if envelope else []
        if envelope is None or not candidates or not envelope.signature:
            count("shopify", "unknown").inc()
            await _answer(send, 401, "Not a webhook of a known shop.")
            return
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            count("shopify", "encoded").inc()
            await _answer(send, 415, "Send the body as it is, without Content-Encoding.")
            return
        body = await self._body(scope, headers, receive, send, "shopify")
        if body is None:
            return
        verify, signature = self._shopify.verify_signature, envelope.signature
        senders = [key for key, secrets in candidates if verify(body, signature, secrets)]
        if not senders:
            count("shopify", "forged").inc()
            await _answer(send, 401, "Not a webhook of a known shop.")
            return
        items = [
            InboxItem(
                source="shopify",
                shop=key,
                topic=_short(envelope.topic),
                event_id=_delivery(envelope.event_id or envelope.webhook_id, body),
                webhook_id=_short(envelope.webhook_id),
                body=body,
                received_at=self._clock.now(),
                triggered_at=_instant(envelope.triggered_at),
                api_version=_short(envelope.api_version),
            )
            for key in senders
        ]
        await self._store(items, send, started)

    def _candidates(self, envelope: Envelope) -> list[tuple[str, tuple[str, ...]]]:
        """Return the shops whose secrets may have signed this: the one that is named, or all when none is.

        An event that names no shop belongs to each shop whose secret signed it; for the others it is a look at an
        order that is not theirs, which finds nothing.
        """
        if envelope.shop_domain is None:
            return list(self._shopify.shops.values())
        named = self._shopify.shops.get(envelope.shop_domain.lower())
        return [] if named is None else [named]

    async def _from_clarus(self, scope: Scope, receive: Receive, send: Send, token: str) -> None:
        started = perf_counter()
        count = self._metrics.intake.labels
        known = hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._clarus.token.encode())
        if not known or not self._clarus.token:
            count("clarus", "unknown").inc()
            await _answer(send, 404, "There is nothing here.")
            return
        if scope["method"] != "POST":
            count("clarus", "method").inc()
            await _answer(send, 405, "Webhooks come by POST.", allow=True)
            return
        headers = _headers(scope)
        body = await self._body(scope, headers, receive, send, "clarus")
        if body is None:
            return
        now = self._clock.now()
        event = _event(scope)
        automation = headers.get(self._clarus.automation_header, "")
        digest = sha256(b"\0".join((automation.encode(), event.encode(), body))).hexdigest()
        item = InboxItem(
            source="clarus",
            shop="",
            topic=event,
            # An equal body an hour later is news: the same record may have changed and changed back.
            event_id=f"{digest}@{int(now.timestamp()) // 60}",
            webhook_id=_short(automation),
            body=body,
            received_at=now,
        )
        await self._store([item], send, started)

    async def _store(self, items: Sequence[InboxItem], send: Send, started: float) -> None:
        source = items[0].source
        try:
            fresh = [await self._batcher.put(item) for item in items]
        except (IntakeFull, NotStored):
            self._metrics.intake.labels(source, "unstored").inc()
            await _answer(send, 503, "It could not be stored. Send it again.", retry_after=True)
            return
        self._metrics.intake.labels(source, "stored" if any(fresh) else "duplicate").inc()
        self._metrics.intake_seconds.labels(source).observe(perf_counter() - started)
        await _answer(send, 200, "Stored.")

    async def _body(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send, source: str
    ) -> bytes | None:
        """Read the body, counting as it comes. None: it was answered already, or the sender has gone."""
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and (len(declared) > 12 or int(declared) > MAX_BODY_BYTES):
            await self._too_large(send, source)
            return None
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_WITHIN_SECONDS):
                while True:
                    message: Any = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    chunk = message.get("body", b"")
                    size += len(chunk)
                    if size > MAX_BODY_BYTES:
                        await self._too_large(send, source)
                        return None
                    chunks.append(chunk)
                    if not message.get("more_body", False):
                        return b"".join(chunks)
        except TimeoutError:
            self._metrics.intake.labels(source, "too_slow").inc()
            await _answer(send, 408, "The body took too long.", close=True)
            return None

    async def _too_large(self, send: Send, source: str) -> None:
        self._metrics.intake.labels(source, "too_large").inc()
        await _answer(send, 413, f"The body is larger than {MAX_BODY_BYTES} bytes.", close=True)


def _headers(scope: Scope) -> dict[str, str]:
    """Decode the headers; a repeated one is joined, so that a doubled signature verifies against nothing."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _delivery(sent_id: str | None, body: bytes) -> str:
    """Name a delivery: the sender's id, else the body's hash. The store compares bodies too, so that a wrong id in a
    header, which nobody signs, cannot make a true webhook look like a duplicate."""
    return _short(sent_id) if sent_id else sha256(body).hexdigest()


def _short(text: str) -> str:
    """Keep a header's text to 200 printable characters; a longer one becomes its hash."""
    clean = "".join(character for character in text.strip() if character.isprintable())
    return clean if len(clean) <= 200 else sha256(clean.encode()).hexdigest()


def _instant(text: str) -> datetime | None:
    """Read the sender's time; it only tells an age, so whatever is not a time is none."""
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _event(scope: Scope) -> str:
    try:
        values = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20).get("event", [""])
    except ValueError:
        return ""
    return _short(values[0])


async def _answer(
    send: Send, status: int, text: str, *, close: bool = False, allow: bool = False, retry_after: bool = False
) -> None:
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if close:
        headers.append((b"connection", b"close"))
    if allow:
        headers.append((b"allow", b"POST"))
    if retry_after:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
