"""The Clarus twin as others see it: HTTP on one side, the warehouse's own doings on the other."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pickgate.clock import Clock
from pickgate.http import HttpRequest, HttpResponse
from pickgate.twins.clarus.automations import Automations
from pickgate.twins.clarus.floor import Floor
from pickgate.twins.clarus.knobs import DEFAULT_KNOBS, ClarusKnobs
from pickgate.twins.clarus.reads import GraphQLReads
from pickgate.twins.clarus.rest import Rest
from pickgate.twins.clarus.sessions import Sessions, answer
from pickgate.twins.clarus.tenant import Tenant
from pickgate.twins.deliveries import Delivery, DeliveryQueue
from pickgate.twins.history import History


class ClarusTwin(Floor):
    """
    One Clarus tenant.

    Call `tick()` (or any other method) when `next_due_at()` has come: jobs that the tenant does by itself run
    then, at their own instants. Methods of the floor raise ImpossibleOnTheFloor for what no picker could do, and
    ClarusRefusal for what the software refuses; either way nothing has changed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        rng: random.Random,
        subdomain: str,
        client_id: str,
        client_secret: str,
        knobs: ClarusKnobs = DEFAULT_KNOBS,
    ) -> None:
        self._tenant = Tenant(clock=clock, rng=rng, subdomain=subdomain, knobs=knobs)
        self._automations = Automations(self._tenant)
        self._sessions = Sessions(self._tenant, client_id=client_id, client_secret=client_secret)
        self._rest = Rest(self._tenant, self._automations)
        self._reads = GraphQLReads(self._tenant)

    @property
    def history(self) -> History:
        """What truly happened."""
        return self._tenant.history

    @property
    def deliveries(self) -> DeliveryQueue:
        """Webhooks waiting to be carried."""
        return self._tenant.deliveries

    @property
    def knobs(self) -> ClarusKnobs:
        return self._tenant.knobs

    def turn(self, **changes: Any) -> None:
        """Turn knobs while the twin runs, by their names."""
        self._tenant.knobs = replace(self._tenant.knobs, **changes)

    def next_due_at(self) -> datetime | None:
        """When the tenant next does something by itself; None: never."""
        return self._tenant.next_job_at()

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one HTTP request. Only the URL's path counts, not its host."""
        self.tick()
        path = urlsplit(request.url).path
        if path == "/oauth/token" and request.method.upper() == "POST":
            return self._sessions.issue(request)
        refusal = self._sessions.find_refusal(request) or self._sessions.find_excess()
        if refusal is not None:
            return refusal
        if path == "/graphql" and request.method.upper() == "POST":
            response = answer(200, self._reads.answer(request.body))
        else:
            # The longest prefix first: /api is also the beginning of /api/v1.
            prefixes = sorted(self.knobs.prefixes, key=len, reverse=True)
            prefix = next((p for p in prefixes if path.startswith(f"{p}/")), None)
            rest_path = "?" if prefix is None else path.removeprefix(prefix)
            response = self._rest.handle(request, rest_path)
        self.tick()
        return response

    def revoke_tokens(self) -> None:
        """Somebody signed in with the API's account: every token is worthless now."""
        self._sessions.revoke_all()

    def redeliver(self, delivery: Delivery) -> bool:
        """Queue a failed delivery again, when the knobs allow one more attempt."""
        waits = self.knobs.webhook_retries_after_seconds
        if delivery.attempt > len(waits):
            return False
        due_at = self._tenant.now() + timedelta(seconds=waits[delivery.attempt - 1])
        self.deliveries.put(replace(delivery, due_at=due_at, attempt=delivery.attempt + 1))
        return True
