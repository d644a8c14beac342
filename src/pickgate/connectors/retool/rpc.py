"""The agent: asks Retool for calls, runs them, answers them. It only ever connects outwards.

Registers its functions, asks for the next call, answers; again and again, several calls side by side. What it logs
names functions and codes, never a parameter, an answer or a person.
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from pickgate.clock import Clock
from pickgate.connectors.retool.arguments import ArgumentsUnusable, read_arguments
from pickgate.connectors.retool.backoff import Backoff
from pickgate.connectors.retool.errors import (
    RetoolProblem,
    RetoolRefused,
    RetoolRejected,
    RetoolUnexpected,
    RetoolUnreached,
    check_status,
)
from pickgate.connectors.retool.wire import (
    TEST_CONNECTION,
    RpcAnswer,
    RpcFunction,
    RpcLink,
    RpcQuery,
    parse_pop,
    parse_registration,
    render_answer,
    render_pop,
    render_registration,
)
from pickgate.http import HttpRequest, NothingSent, OutcomeUnknown, Transport

Run = Callable[[RpcQuery, Mapping[str, Any]], Awaitable[Any]]
_REMEMBERED = 64  # answers kept for calls that Retool hands out twice
_TRIES = 5  # to post one answer
_log = structlog.get_logger("pickgate.retool")


class FunctionRefused(Exception):
    """The function did nothing, and says why: a stable code, and words for the person who asked."""

    def __init__(self, code: str, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds. `poll`: between two questions when there was nothing. `grace`: for running calls after a stop."""

    poll: float = 1.0
    request: float = 5.0
    run: float = 110.0
    grace: float = 10.0


@dataclass(frozen=True, slots=True)
class _Answered:
    query: RpcQuery
    answer: RpcAnswer
    received_at: datetime
    finished_at: datetime


class RpcAgent:
    """
    One agent of one process.

    Args:
        run: Runs a function with its values, and returns what JSON can say. Raises FunctionRefused; any other error
            is told to nobody but the log, by its kind.
        groups: Retool's groups that may call; none: whom the app lets in.
        rng: For the pauses after failures, so that many agents do not come back in step.
    """

    def __init__(
        self,
        *,
        link: RpcLink,
        functions: Sequence[RpcFunction],
        run: Run,
        transport: Transport,
        clock: Clock,
        rng: random.Random,
        groups: Sequence[str] = (),
        concurrency: int = 4,
        timing: Timing | None = None,
        package_version: str = "0",
    ) -> None:
        self._link = link
        self._functions = {function.name: function for function in functions}
        self._run = run
        self._transport = transport
        self._clock = clock
        self._rng = rng
        self._groups = tuple(groups)
        self._concurrency = concurrency
        self._timing = timing or Timing()
        self._package_version = package_version
        self._hash = ""
        self._answering: dict[str, asyncio.Task[None]] = {}
        self._working: dict[str, asyncio.Task[RpcAnswer]] = {}
        self._answered: OrderedDict[str, _Answered] = OrderedDict()
        self._refused: RetoolProblem | None = None

    async def serve(self, stopping: asyncio.Event) -> None:
        """Answer calls until told to stop; then finish those that run, and return.

        Raises RetoolRefused when the token is no longer accepted, RetoolRejected when the first registration is not.
        """
        stop = asyncio.create_task(stopping.wait())
        try:
            await self._serve(stop)
            await self._finish(stop)
        finally:
            left = [stop, *self._working.values(), *self._answering.values()]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        if self._refused is not None:
            raise self._refused

    async def _serve(self, stop: asyncio.Task[bool]) -> None:
        backoff = Backoff(self._rng)
        was_registered = False
        while not stop.done() and self._refused is None:
            try:
                if not self._hash:
                    self._hash = await self._register()
                    was_registered = True
                await self._wait_for_a_place(stop)
                if stop.done() or self._refused is not None:
                    return
                query = parse_pop(await self._call("popQuery", render_pop(self._link, self._hash)))
            except RetoolRefused as problem:
                self._refused = problem
                return
            except RetoolRejected as problem:
                if not was_registered:
                    self._refused = problem
                    return
                _log.info("retool_registration_stale", status=problem.status)
                self._hash = ""
                await self._pause(backoff.next(), stop)
                continue
            except (RetoolUnreached, RetoolUnexpected) as problem:
                seconds = max(backoff.next(), problem.retry_after_seconds)
                _log.warning("retool_out_of_reach", problem=problem.problem, again_in_seconds=round(seconds, 2))
                await self._pause(seconds, stop)
                continue
            backoff.reset()
            if query is None or not self._take(query, stop):
                await self._pause(self._timing.poll, stop)

    async def _register(self) -> str:
        functions = list(self._functions.values())
        body = render_registration(self._link, functions, self._groups)
        found = parse_registration(await self._call("registerAgent", body))
        _log.info("retool_registered", functions=len(functions), environment=self._link.environment)
        return found

    def _take(self, query: RpcQuery, stop: asyncio.Task[bool]) -> bool:
        """Begin a call. False: it is nothing new, so there is no hurry for the next."""
        if not query.id:
            _log.warning("retool_call_without_id")
            return False
        if query.id in self._answering:
            _log.info("retool_call_twice", state="running")
            return False
        known = self._answered.get(query.id)
        if known is not None:
            # Retool has not heard the answer, or forgot it. Nothing is run a second time.
            _log.info("retool_call_twice", state="answered")
        work = self._answer(query, stop) if known is None else self._post(known, stop)
        task = asyncio.create_task(work)
        self._answering[query.id] = task
        task.add_done_callback(lambda _: self._answering.pop(query.id, None))
        return known is None

    async def _answer(self, query: RpcQuery, stop: asyncio.Task[bool]) -> None:
        received_at = self._clock.now()
        work = asyncio.create_task(self._work_out(query))
        self._working[query.id] = work
        try:
            await asyncio.wait({work})
        finally:
            self._working.pop(query.id, None)
            work.cancel()  # without effect when it is done
        if work.cancelled():
            answer = RpcAnswer(
                code="STOPPING", message="Pickgate's agent was stopped before this was done. Look, then ask again."
            )
        else:
            answer = work.result()
        done = _Answered(query, answer, received_at, self._clock.now())
        self._answered[query.id] = done
        while len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)
        _log.info(
            "retool_call_answered",
            function=query.method if query.method in self._functions else "other",
            result=answer.code or "done",
            seconds=round((done.finished_at - received_at).total_seconds(), 3),
        )
        await self._post(done, stop)

    async def _work_out(self, query: RpcQuery) -> RpcAnswer:
        if query.fault:
            return RpcAnswer(code="INPUT_INVALID", message=f"Retool's call cannot be read: {query.fault}.")
        if query.method == TEST_CONNECTION:
            return RpcAnswer(value=self._connection_test(query))
        function = self._functions.get(query.method)
        if function is None:
            return RpcAnswer(
                code="NOT_FOUND",
                message="There is no such function here. Refresh the resource's functions in Retool.",
            )
        try:
            values = read_arguments(function, query.parameters)
            async with asyncio.timeout(self._timing.run):
                return RpcAnswer(value=await self._run(query, values))
        except ArgumentsUnusable as error:
            return RpcAnswer(
                code="INPUT_INVALID",
                message=f"The input cannot be used. {error}. Correct the arguments named and ask again.",
                details={"fields": error.fields},
            )
        except FunctionRefused as error:
            return RpcAnswer(code=error.code, message=error.message, details=error.details)
        except TimeoutError:
            _log.warning("retool_call_timed_out", function=query.method)
            return RpcAnswer(
                code="TIMED_OUT",
                message=f"It took longer than {self._timing.run:g} s. Look whether it was done, then ask again.",
            )
        except Exception as error:
            return _failed(query, error)

    def _connection_test(self, query: RpcQuery) -> dict[str, Any]:
        version, agent = self._link.version, self._link.agent_id
        return {"success": True, "version": version, "agentUuid": agent, "context": dict(query.context)}

    async def _post(self, done: _Answered, stop: asyncio.Task[bool]) -> None:
        backoff = Backoff(self._rng)
        try:
            body = self._render(done)
        except (TypeError, ValueError, RecursionError) as error:
            answer = _failed(done.query, error)
            body = self._render(_Answered(done.query, answer, done.received_at, done.finished_at))
        for attempt in range(1, _TRIES + 1):
            try:
                await self._call("postQueryResponse", body)
                return
            except RetoolRefused as problem:
                self._refused = problem
                return
            except RetoolRejected as problem:
                _log.warning("retool_answer_not_taken", status=problem.status)
                return
            except (RetoolUnreached, RetoolUnexpected) as problem:
                _log.warning("retool_answer_not_delivered", attempt=attempt, problem=problem.problem)
                if stop.done() and attempt > 1:
                    return
                await self._pause(max(backoff.next(), problem.retry_after_seconds), stop)

    def _render(self, done: _Answered) -> bytes:
        return render_answer(
            self._link,
            self._hash,
            done.query,
            done.answer,
            received_at=done.received_at,
            finished_at=done.finished_at,
            package_version=self._package_version,
        )

    async def _call(self, endpoint: str, body: bytes) -> bytes:
        request = HttpRequest(
            method="POST",
            url=f"{self._link.url}/api/v1/retoolrpc/{endpoint}",
            headers={
                "Authorization": f"Bearer {self._link.token}",
                "Content-Type": "application/json",
                "User-Agent": f"RetoolRPC/{self._package_version} (Pickgate)",
            },
            body=body,
            timeout_seconds=self._timing.request,
        )
        try:
            answer = await self._transport.send(request)
        except (NothingSent, OutcomeUnknown) as error:
            raise RetoolUnreached(
                f"Retool gave no answer to {endpoint} ({type(error).__name__}).",
                remedy="Check `retool.url`, the network and its proxies.",
            ) from error
        check_status(answer, endpoint, scope="RPC")
        return answer.body

    async def _wait_for_a_place(self, stop: asyncio.Task[bool]) -> None:
        """A call is only taken from Retool when somebody is free to run it: another agent may be."""
        while len(self._answering) >= self._concurrency and not stop.done():
            await asyncio.wait({*self._answering.values(), stop}, return_when=asyncio.FIRST_COMPLETED)

    async def _pause(self, seconds: float, stop: asyncio.Task[bool]) -> None:
        sleep = asyncio.create_task(self._clock.sleep(seconds))
        await asyncio.wait({sleep, stop}, return_when=asyncio.FIRST_COMPLETED)
        sleep.cancel()
        await asyncio.gather(sleep, return_exceptions=True)

    async def _finish(self, stop: asyncio.Task[bool]) -> None:
        if self._answering:
            await asyncio.wait(set(self._answering.values()), timeout=self._timing.grace)
        for work in list(self._working.values()):
            work.cancel()
        if self._answering:
            await asyncio.wait(set(self._answering.values()), timeout=2 * self._timing.request)


def _failed(query: RpcQuery, error: BaseException) -> RpcAnswer:
    _log.error("retool_call_failed", function=query.method, error=type(error).__name__)
    return RpcAnswer(code="FAILED", message="Pickgate could not do this. Its agent's log has the kind of error.")
