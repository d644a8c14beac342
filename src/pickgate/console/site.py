"""The console's routes: log in and out, pages and their JSON and CSV twins, changes, live updates, static files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pickgate.api.parts import AppParts
from pickgate.api.problems import STATUS, Problem, problem_of, render_problem
from pickgate.console.files import csv_of_list, download_of
from pickgate.console.forms import read_form, read_values
from pickgate.console.limiter import LoginLimiter
from pickgate.console.live import ChangeFeed
from pickgate.console.pages import PAGES, Page, hold_choices
from pickgate.console.sessions import Sessions, Visitor
from pickgate.console.views import STATIC, Views, wants_json
from pickgate.console.words import body_text, summary_of
from pickgate.operations.errors import NotFound, OperationRefused
from pickgate.operations.passwords import PasswordCheck
from pickgate.operations.registry import REGISTRY, run_operation


class Console:
    """Holds what the pages share."""

    def __init__(self, parts: AppParts, feed: ChangeFeed) -> None:
        self._parts = parts
        self._feed = feed
        self._zone = ZoneInfo(parts.zone)
        self._views = Views(version=parts.version, zone=self._zone)
        self._sessions = Sessions(parts)
        self._limiter = LoginLimiter()
        self._passwords = PasswordCheck()

    def routes(self) -> list[Any]:
        """Return every route of the console."""
        found: list[Any] = [
            Route("/login", self.show_login, methods=["GET"]),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
            Route("/bodies/{id}", self.show_body, methods=["GET"]),
            Route("/money/file", self.money_file, methods=["GET"]),
            Route("/rulebook/{number}/file", self.rulebook_file, methods=["GET"]),
            Route("/events", self.events, methods=["GET"]),
            Route("/do/{operation_id}", self.change, methods=["POST"]),
            Mount("/static", StaticFiles(directory=str(STATIC))),
        ]
        for page in sorted(PAGES, key=lambda page: page.path.count("{")):
            twins = ["/index.json" if page.path == "/" else page.path + ".json"]
            twins += [page.path + ".csv"] if page.lists else []
            for path in (page.path, *twins):
                found.append(Route(path, self._endpoint(page), methods=["GET"], name=page.title + path))
        # A twin's ".json" must win over "{ref}" taking it for a part of the order's name.
        return sorted(found, key=lambda route: not getattr(route, "path", "").endswith((".json", ".csv")))

    def _endpoint(self, page: Page) -> Any:
        async def endpoint(request: Request) -> Response:
            visitor = await self._sessions.find(request)
            if visitor is None:
                return self._ask_to_log_in(request)
            context = self._parts.context(visitor.actor)
            values = page.values(request, self._today())
            try:
                if page.lists and request.url.path.endswith(".csv"):
                    return await csv_of_list(context, REGISTRY.get(page.operation), values)
                output = await run_operation(context, page.operation, values)
                if wants_json(request):
                    return JSONResponse(output.model_dump(mode="json"))
                more = await page.more(context, values)
            except OperationRefused as refused:
                return self._refused(request, visitor, problem_of(refused))
            shown = self._shared(page) | {"it": output, "offset": _offset(values)} | more
            return self._views.render(request, page.template, visitor, shown)

        return endpoint

    def _shared(self, page: Page) -> dict[str, Any]:
        return {
            "page": page,
            "now": self._parts.clock.now(),
            "ends": hold_choices(self._today()),
            "shops": list(self._parts.shops),
        }

    def _today(self) -> datetime:
        return self._parts.clock.now().astimezone(self._zone)

    def _refused(self, request: Request, visitor: Visitor | None, problem: Problem) -> Response:
        if wants_json(request):
            return render_problem(problem)
        return self._views.render(
            request,
            "notice.html" if request.headers.get("hx-request") else "problem.html",
            visitor,
            {
                "problem": problem,
                "done": None,
                "now": self._parts.clock.now(),
                "is_part": bool(request.headers.get("hx-request")),
            },
            # htmx shows only successful answers; the notice says what went wrong.
            status=200 if request.headers.get("hx-request") else STATUS[problem.code],
        )

    def _ask_to_log_in(self, request: Request) -> Response:
        if wants_json(request):
            return render_problem(Problem("UNAUTHENTICATED", "Nobody is logged in.", remedy="Log in at /login."))
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if not wanted.startswith("/") or wanted == "/":
            wanted = ""
        target = "/login" + (f"?{urlencode({'next': wanted})}" if wanted else "")
        if request.headers.get("hx-request"):
            return Response(status_code=204, headers={"HX-Redirect": target})
        return RedirectResponse(target, 303)

    # ── log in and out ───────────────────────────────────────────────────────────────────────────────────────────────

    async def show_login(self, request: Request) -> Response:
        if await self._sessions.find(request) is not None:
            return RedirectResponse("/", 303)
        return self._login_page(request, problem="", status=200)

    def _login_page(
        self, request: Request, *, problem: str, status: int, login: str = "", wait_seconds: int = 0
    ) -> Response:
        values = {"problem": problem, "login": login, "next": _local(request.query_params.get("next", ""))}
        headers = {"Retry-After": str(wait_seconds)} if wait_seconds else {}
        return self._views.render(request, "login.html", None, values, status=status, headers=headers)

    async def log_in(self, request: Request) -> Response:
        """Check name and password. The answer and its time are the same whether or not the user exists."""
        if not self._sessions.is_from_here(request):
            return self._login_page(request, problem="This form came from another site. Try again here.", status=403)
        form = await request.form(max_fields=10, max_files=0)
        login, password = str(form.get("login", ""))[:200].strip(), str(form.get("password", ""))
        address = request.client.host if request.client else ""
        now, count = self._parts.clock.now(), self._parts.metrics.logins.labels
        wait_seconds = self._limiter.retry_after(login, address, now=now)
        if wait_seconds:
            count("limited").inc()
            words = f"Too many attempts. Try again in {wait_seconds // 60 + 1} minutes."
            return self._login_page(request, problem=words, status=429, login=login, wait_seconds=wait_seconds)
        user = await self._parts.access.find_user(login)
        if not await self._passwords.verify(user.password_hash if user else None, password) or user is None:
            self._limiter.failed(login, address, now=now)
            count("refused").inc()
            words = "That name and password do not belong together."
            return self._login_page(request, problem=words, status=401, login=login)
        self._limiter.succeeded(login, address)
        response = RedirectResponse(_local(request.query_params.get("next", "")) or "/", 303)
        await self._sessions.open(request, response, login=user.name)
        count("done").inc()
        return response

    async def log_out(self, request: Request) -> Response:
        visitor = await self._sessions.find(request)
        response = RedirectResponse("/login", 303)
        if visitor is not None:
            form = await request.form(max_fields=10, max_files=0)
            problem = self._forged(request, visitor, form.get("csrf"))
            if problem is not None:
                return self._refused(request, visitor, problem)
            await self._sessions.end(request, response)
        return response

    def _forged(self, request: Request, visitor: Visitor, sent: object) -> Problem | None:
        token = request.headers.get("x-csrf-token") or sent
        if self._sessions.is_from_here(request) and self._sessions.is_right_token(visitor, token):
            return None
        return Problem(
            "NOT_ALLOWED",
            "This form did not come from an open page of this console.",
            remedy="Reload the page and try again. Nothing was changed.",
        )

    # ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def change(self, request: Request) -> Response:
        """Run one changing operation with a form's fields."""
        visitor = await self._sessions.find(request)
        if visitor is None:
            return self._ask_to_log_in(request)
        try:
            form = await read_form(request)
        except Problem as problem:
            return self._refused(request, visitor, problem)
        try:
            return await self._change(request, visitor, form)
        finally:
            await form.close()

    async def _change(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        problem = self._forged(request, visitor, form.get("csrf"))
        if problem is not None:
            return self._refused(request, visitor, problem)
        operation_id = request.path_params["operation_id"]
        try:
            operation = REGISTRY.get(operation_id)
            if not operation.changes:
                raise NotFound(f"{operation_id} changes nothing.", remedy="Open its page instead.")
            values = await read_values(form, operation)
            output = await run_operation(self._parts.context(visitor.actor), operation_id, values)
        except OperationRefused as refused:
            return self._refused(request, visitor, problem_of(refused))
        if wants_json(request):
            return JSONResponse(output.model_dump(mode="json"))
        is_part = bool(request.headers.get("hx-request"))
        done = output.model_dump(mode="json")
        done["summary"] = summary_of(done)
        return self._views.render(
            request,
            "notice.html" if is_part else "done.html",
            visitor,
            {"problem": None, "done": done, "back": _back(request), "now": self._parts.clock.now(), "is_part": is_part},
            headers={} if done["dry_run"] else {"HX-Trigger": "pickgate-changed"},
        )

    async def money_file(self, request: Request) -> Response:
        """A month's sheet as CSV, or the month as a workbook."""
        visitor = await self._sessions.find(request)
        if visitor is None:
            return self._ask_to_log_in(request)
        asked = {"format": "csv"} | dict(request.query_params)
        try:
            if asked["format"] == "json":
                raise NotFound("That is not a file.", remedy="Ask for csv or xlsx.")
            found: Any = await run_operation(self._parts.context(visitor.actor), "money_report", asked)
        except OperationRefused as refused:
            return self._refused(request, visitor, problem_of(refused))
        return download_of(found.file)

    async def rulebook_file(self, request: Request) -> Response:
        """A version as a workbook, or one of its tables as CSV."""
        visitor = await self._sessions.find(request)
        if visitor is None:
            return self._ask_to_log_in(request)
        table = request.query_params.get("table", "")
        asked = {"number": request.path_params["number"], "format": "csv" if table else "xlsx"}
        try:
            found: Any = await run_operation(self._parts.context(visitor.actor), "export_rulebook", asked)
            file = next((file for file in found.files if not table or file.name == f"{table}.csv"), None)
            if file is None:
                raise NotFound(f"There is no table {table!r}.", remedy="Open the version and choose a table.")
        except OperationRefused as refused:
            return self._refused(request, visitor, problem_of(refused))
        return download_of(file)

    async def show_body(self, request: Request) -> Response:
        """Ask for a reason, then show a raw body; only that is an operation, and audited."""
        visitor = await self._sessions.find(request)
        if visitor is None:
            return self._ask_to_log_in(request)
        values: dict[str, Any] = {"it": None, "text": "", "now": self._parts.clock.now()}
        reason = request.query_params.get("reason", "")
        if reason:
            try:
                asked = {"id": request.path_params["id"], "reason": reason}
                it = await run_operation(self._parts.context(visitor.actor), "get_body", asked)
            except OperationRefused as refused:
                return self._refused(request, visitor, problem_of(refused))
            values |= {"it": it, "text": body_text(it.model_dump()["text"])}
        return self._views.render(request, "body.html", visitor, values)

    def problem_page(self, request: Request, problem: Problem) -> Response:
        """Answer for what no page answered: as a page for people, as problem details for programs."""
        is_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
        if not is_page:
            return render_problem(problem)
        values = {"problem": problem, "now": self._parts.clock.now()}
        return self._views.render(
            request, "problem.html", None, values, status=STATUS[problem.code], headers=problem.headers
        )

    async def events(self, request: Request) -> Response:
        """Server-sent events: "something changed", for pages that are open."""
        if await self._sessions.find(request) is None:
            return Response(status_code=204)  # tells the browser not to come again
        return await self._feed.stream(request.headers.get("last-event-id", "")[:100])


def _offset(values: Mapping[str, Any]) -> int:
    """Return where a list's page begins, from input that the operation has accepted."""
    cursor = values.get("cursor")
    return int(cursor[1:]) if cursor else int(values.get("offset", 0))


def _local(target: str) -> str:
    """Keep a redirect on this site: a path, never another host."""
    parts = urlsplit(target.replace("\\", "/"))
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if safe and not any(ord(sign) < 33 for sign in target) else ""


def _back(request: Request) -> str:
    referrer = urlsplit(request.headers.get("referer", ""))
    return _local(referrer.path) or "/"
