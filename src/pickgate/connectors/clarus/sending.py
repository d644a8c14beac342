"""The three writes: create, recall, amend. Each is sent once; whether it may be sent again is said by its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from pickgate.connectors.clarus.catalogue import ClarusCatalogue, CodeKind
from pickgate.connectors.clarus.client import ClarusClient
from pickgate.connectors.clarus.errors import ClarusProblem, SaidNo, not_sent, outcome_of
from pickgate.connectors.clarus.incoming import parse_written_id, stage_of
from pickgate.connectors.clarus.outgoing import (
    FieldTooLong,
    Ids,
    NotRenderable,
    render_amend,
    render_create,
    render_day,
    with_required_fields,
)
from pickgate.connectors.clarus.reading import GoodsOutReader
from pickgate.connectors.clarus.wire import Body, GoodsOutNode
from pickgate.domain.commands import AmendGoodsOut, CreateGoodsOut, RecallGoodsOut
from pickgate.domain.warehouse import Content, ContentLine, Stage
from pickgate.flows.ports import Confirmed, NotSent, Outcome, OutcomeNotKnown, Refused
from pickgate.settings import ClarusSettings

# A creation cannot be sent twice without harm. Its codes are looked up after it was journalled; when that takes longer,
# its lease may be lost and its outcome judged by somebody else, so that it must not leave any more.
_LONGEST_PREPARATION = timedelta(seconds=10)


class _Unmapped(Exception):
    """A code that the tenant does not know. Carries the refusal."""

    def __init__(self, code: str, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.refusal = Refused(code=code, problem=problem, remedy=remedy)


class Sender:
    """Sends warehouse commands. Never raises for the vendor's sake."""

    def __init__(
        self, settings: ClarusSettings, client: ClarusClient, reader: GoodsOutReader, catalogue: ClarusCatalogue
    ) -> None:
        self._settings = settings
        self._client = client
        self._reader = reader
        self._catalogue = catalogue

    # create

    async def create(self, command: CreateGoodsOut) -> Outcome:
        """Create a goods-out. After any refusal it is looked up: one that is there already is adopted."""
        not_after = self._client.now() + _LONGEST_PREPARATION
        prepared = await self._prepare_create(command)
        if not isinstance(prepared, tuple):
            return prepared
        ids, body = prepared
        outcome = await self._post(command, body, not_after=not_after)
        if not isinstance(outcome, SaidNo):
            return outcome
        if outcome.status in (404, 405) and not outcome.entries:
            why = f"{outcome.why}: there is no such address; check clarus.base_url and clarus.api_prefix"
            return NotSent(why=why, exception_code="WMS_REFUSED")
        # A refusal may mean that an id we remembered is no longer right: ask anew, and try once more if it was.
        self._catalogue.forget([line.product_code for line in command.content.lines])
        prepared = await self._prepare_create(command)
        if not isinstance(prepared, tuple):
            return prepared
        if prepared[0] != ids:
            outcome = await self._post(command, prepared[1], not_after=not_after)
        return _refused(outcome) if isinstance(outcome, SaidNo) else outcome

    async def _prepare_create(self, command: CreateGoodsOut) -> tuple[Ids, Body] | Refused | NotSent:
        try:
            ids = await self._find_ids(command.content, command.content.lines)
            return ids, render_create(command, ids, company_in=self._settings.company_in)
        except ClarusProblem as problem:
            return not_sent(problem)
        except _Unmapped as unmapped:
            return unmapped.refusal
        except (FieldTooLong, NotRenderable) as error:
            return _unfit(error)

    async def _post(self, command: CreateGoodsOut, body: Body, *, not_after: datetime) -> Outcome | SaidNo:
        """Post once. SaidNo comes back only when a look-up has shown that no such goods-out exists."""
        try:
            answer = await self._client.write("POST", "/goods_outs", body, not_after=not_after)
        except SaidNo as refusal:
            try:
                heads = await self._reader.find_heads(command.reference, command.content.account)
            except ClarusProblem as problem:
                return OutcomeNotKnown(why=f"{refusal.why}; looking the reference up failed: {problem.why}")
            if heads:
                return Confirmed(ids={"clarus_id": _newest(heads).id}, detail={"adopted": True})
            return refusal
        except ClarusProblem as problem:
            return outcome_of(problem)
        clarus_id = parse_written_id(answer.body)
        if clarus_id is None:
            return OutcomeNotKnown(why=f"Clarus answered {answer.status} to a creation without an id")
        return Confirmed(ids={"clarus_id": clarus_id})

    # recall

    async def recall(self, command: RecallGoodsOut) -> Outcome:
        """Ask for a cancellation. Confirmed says that the request was taken; a later read says what became of it."""
        clarus_id = command.clarus_id
        if not clarus_id:
            try:
                heads = await self._reader.find_heads(command.reference, command.account)
            except ClarusProblem as problem:
                return not_sent(problem)
            live = [head for head in heads if stage_of(head.status_code) is not Stage.CANCELLED]
            if not live:
                return Confirmed(detail={"gone": True})
            if len(live) > 1:
                return Refused(
                    code="DUPLICATE_SUSPECTED",
                    problem=f"{len(live)} goods-outs in Clarus carry the reference {command.reference}",
                    remedy="Cancel the ones in Clarus that must not be sent.",
                )
            clarus_id = live[0].id
        try:
            answer = await self._client.write("POST", f"/goods_outs/{quote(clarus_id, safe='')}/cancel", None)
        except SaidNo as refusal:
            if refusal.status == 404:
                return Confirmed(ids={"clarus_id": clarus_id}, detail={"gone": True})
            return await self._judge_refused_cancel(command, clarus_id, refusal)
        except ClarusProblem as problem:
            return outcome_of(problem)
        if answer.body is not None and not isinstance(answer.body, dict):
            return OutcomeNotKnown(why=f"Clarus answered {answer.status} to a cancellation with something else")
        return Confirmed(ids={"clarus_id": clarus_id})

    async def _judge_refused_cancel(self, command: RecallGoodsOut, clarus_id: str, refusal: SaidNo) -> Outcome:
        """A cancelled goods-out cannot be cancelled again: then the refusal is good news."""
        try:
            heads = await self._reader.find_heads(command.reference, command.account)
        except ClarusProblem:
            return _refused(refusal)
        if any(head.id == clarus_id and stage_of(head.status_code) is Stage.CANCELLED for head in heads):
            return Confirmed(ids={"clarus_id": clarus_id}, detail={"cancelled": True})
        return _refused(refusal)

    # amend

    async def amend(self, command: AmendGoodsOut) -> Outcome:
        """Patch the parts that changed. A tenant that wants the four required fields gets them the second time."""
        before = {line.product_code for line in command.previous.lines}
        new = [line for line in command.content.lines if line.product_code not in before]
        try:
            ids = await self._find_ids(command.content, [*new, *_split(command)])
            body = render_amend(
                command, ids, company_in=self._settings.company_in, delete_verb=self._settings.line_delete_verb
            )
        except ClarusProblem as problem:
            return not_sent(problem)
        except _Unmapped as unmapped:
            return unmapped.refusal
        except (FieldTooLong, NotRenderable) as error:
            return _unfit(error)
        if body == {"data": {"type": "goods_outs", "attributes": {}}}:
            return Confirmed(ids={"clarus_id": command.clarus_id}, detail={"unchanged": True})
        outcome = await self._patch(command, body)
        if isinstance(outcome, SaidNo) and outcome.names_required_fields:
            try:
                heads = await self._reader.find_heads(command.reference, command.content.account)
            except ClarusProblem as problem:
                return not_sent(problem)
            expected = _expected_date(heads, command.clarus_id)
            if expected is not None:
                full = with_required_fields(
                    body, reference=command.reference, account=ids.account, expected_date_of_dispatch=expected
                )
                outcome = await self._patch(command, full)
        if isinstance(outcome, SaidNo):
            self._catalogue.forget([line.product_code for line in command.content.lines])
            return _refused(outcome, code="WMS_ORDER_MISSING" if outcome.status == 404 else "WMS_REFUSED")
        return outcome

    async def _patch(self, command: AmendGoodsOut, body: Body) -> Outcome | SaidNo:
        try:
            answer = await self._client.write("PATCH", f"/goods_outs/{quote(command.clarus_id, safe='')}", body)
        except SaidNo as refusal:
            return refusal
        except ClarusProblem as problem:
            return outcome_of(problem)
        if not isinstance(answer.body, dict):
            return OutcomeNotKnown(why=f"Clarus answered {answer.status} to an amendment without a record")
        return Confirmed(ids={"clarus_id": command.clarus_id})

    # ids

    async def _find_ids(self, content: Content, lines: Sequence[ContentLine]) -> Ids:
        """Look up everything the content names. Raises _Unmapped, and ClarusProblem when it could not be read."""
        account = await self._get_id(CodeKind.ACCOUNT, "LOCATION_UNMAPPED", content.account)
        warehouse = await self._get_id(CodeKind.WAREHOUSE, "LOCATION_UNMAPPED", content.warehouse)
        carrier = service = None
        if content.carrier or content.service:
            if not (content.carrier and content.service):
                raise _Unmapped(
                    "SERVICE_UNMAPPED",
                    f"Carrier {content.carrier or ''!r} and service {content.service or ''!r} make half a pair",
                    "Give both codes or neither in services.csv.",
                )
            carrier = await self._get_id(CodeKind.CARRIER, "SERVICE_UNMAPPED", content.carrier)
            service = await self._get_id(CodeKind.SERVICE, "SERVICE_UNMAPPED", content.carrier, content.service)
        answer = await self._catalogue.find_product_ids([line.product_code for line in lines])
        for problem in answer.failed.values():
            raise problem
        if unknown := sorted({line.product_code for line in lines} - answer.ids.keys()):
            raise _Unmapped(
                "SKU_UNMAPPED",
                f"Clarus knows no product with the code {', '.join(map(repr, unknown))}",
                "Create the product in Clarus, or map the SKU in skus.csv.",
            )
        return Ids(account=account, warehouse=warehouse, carrier=carrier, service=service, products=answer.ids)

    async def _get_id(self, kind: CodeKind, exception_code: str, *key: str) -> str:
        found = await self._catalogue.find_id(kind, *key) if all(key) else None
        if found is None:
            noun = {CodeKind.SERVICE: "carrier service"}.get(kind, kind.name.lower())
            table = "locations.csv" if exception_code == "LOCATION_UNMAPPED" else "services.csv"
            raise _Unmapped(
                exception_code,
                f"Clarus knows no {noun} with the code {'/'.join(key)!r}",
                f"Correct the code in {table}, or create it in Clarus.",
            )
        return found


def _split(command: AmendGoodsOut) -> list[ContentLine]:
    """Lines of a product that the warehouse has in fewer lines than are wanted: some of them are added."""
    held: dict[str, int] = {}
    for code, _ in command.line_ids:
        held[code] = held.get(code, 0) + 1
    wanted: dict[str, int] = {}
    for line in command.content.lines:
        wanted[line.product_code] = wanted.get(line.product_code, 0) + 1
    return [line for line in command.content.lines if wanted[line.product_code] > held.get(line.product_code, 0)]


def _newest(heads: Sequence[GoodsOutNode]) -> GoodsOutNode:
    """Prefer one that is live; among several, the one with the highest id."""
    return max(heads, key=lambda head: (stage_of(head.status_code) is not Stage.CANCELLED, len(head.id), head.id))


def _expected_date(heads: Sequence[GoodsOutNode], clarus_id: str) -> str | None:
    """The despatch date that the warehouse shows, as an instant with a zone. A bare date means that day."""
    for head in heads:
        if head.id == clarus_id and head.expected_date_of_dispatch is not None:
            try:
                instant = datetime.fromisoformat(head.expected_date_of_dispatch)
            except ValueError:
                return None
            return instant.isoformat() if instant.tzinfo is not None else render_day(instant.date())
    return None


def _refused(refusal: SaidNo, *, code: str = "WMS_REFUSED") -> Refused:
    return Refused(
        code=code,
        problem=refusal.why,
        remedy="Correct the order or the record in Clarus that it names, then look at the order again.",
    )


def _unfit(error: FieldTooLong | NotRenderable) -> Refused:
    if isinstance(error, FieldTooLong) and error.in_address:
        return Refused(
            code="ADDRESS_UNUSABLE", problem=str(error), remedy="Shorten it in the order's address; nothing is cut off."
        )
    remedy = "Shorten it." if isinstance(error, FieldTooLong) else "Correct the rulebook, or recall and reissue."
    return Refused(code="WMS_REFUSED", problem=str(error), remedy=remedy)
