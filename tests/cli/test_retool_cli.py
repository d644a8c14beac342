"""`pickgate retool …` against the twin of Retool: what is written, what is created, what is found, exit codes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pickgate.api.openapi import build_openapi
from pickgate.cli.people import token
from pickgate.cli.retool import retool
from pickgate.clock import RealClock
from pickgate.connectors.retool.pack.build import read_zip
from pickgate.connectors.retool.pack.lint import lint_app
from pickgate.http import HttpRequest, HttpResponse
from pickgate.twins.retool import RetoolTwin
from pickgate.twins.server import Handle, serve_twin

UUID = "00000000-0000-4000-8000-000000000001"
TOKEN = "pkg_" + "a" * 43
DOCUMENT = build_openapi(version="1", public_url="https://pickgate.example.com")


@contextlib.contextmanager
def served(handle: Handle) -> Iterator[str]:
    """Serve in a thread: the commands run loops of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve_twin(handle), loop).result(10)
    try:
        yield server.url
    finally:
        asyncio.run_coroutine_threadsafe(server.aclose(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def twin() -> RetoolTwin:
    return RetoolTwin(RealClock(), tokens={"good": {"resources:read", "resources:write", "apps:read"}})


@pytest.fixture
def retool_url(twin: RetoolTwin) -> Iterator[str]:
    with served(twin.handle) as url:
        yield url


def own_api(request: HttpRequest) -> HttpResponse:
    """A Pickgate whose one token delegates."""
    if request.url.endswith("/openapi.json"):
        return HttpResponse(status=200, body=json.dumps({"openapi": "3.1.0"}).encode())
    if request.header("Authorization") != f"Bearer {TOKEN}":
        return HttpResponse(status=401)
    return HttpResponse(status=200 if request.header("X-Pickgate-Actor") == "retool doctor" else 403)


def settings(folder: Path, **values: str) -> Path:
    public = values.pop("public_url", "http://127.0.0.1:9")
    lines = [f'{name} = "{value}"' for name, value in values.items()]
    path = folder / "pickgate.toml"
    path.write_text(
        f'secret_key = "{"k" * 32}"\n[server]\npublic_url = "{public}"\n[retool]\n' + "\n".join(lines), "utf-8"
    )
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(retool, [str(word) for word in words])


def test_the_pack_is_written_with_the_resource_in_it(tmp_path: Path) -> None:
    config = settings(tmp_path, resource_uuid=UUID, resource_name="Pickgate live")
    out = tmp_path / "app.zip"
    result = run("build", "--config", config, "--out", out, "--dir", tmp_path / "app")
    assert result.exit_code == 0, result.output
    assert "has not been verified" in result.output
    files = read_zip(out.read_bytes())
    assert lint_app(files, DOCUMENT) == []
    assert f'resourceName="{UUID}"' in files["functions.rsx"]
    assert 'resourceDisplayName="Pickgate live"' in files["functions.rsx"]
    written = {
        path.relative_to(tmp_path / "app").as_posix() for path in (tmp_path / "app").rglob("*") if path.is_file()
    }
    assert written == set(files)


def test_a_pack_without_settings_has_a_placeholder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PICKGATE_CONFIG", raising=False)
    result = run("build", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["out"], told["resource_uuid"], len(told["files"])) == ("pickgate-retool.zip", None, 10)
    assert "REPLACE_WITH_RESOURCE_UUID" in read_zip((tmp_path / told["out"]).read_bytes())["functions.rsx"]


@pytest.mark.parametrize(
    ("words", "says"),
    [(["--resource-uuid", "pickgate"], "'pickgate' is not an id"), (["--out", "/nowhere/x.zip"], "cannot be written")],
)
def test_a_pack_that_cannot_be_written_is_refused(tmp_path: Path, words: list[str], says: str) -> None:
    result = run("build", "--config", settings(tmp_path), *words)
    assert (result.exit_code, says in result.output) == (2, True), result.output


def test_bootstrap_creates_the_resource_once(tmp_path: Path, twin: RetoolTwin, retool_url: str) -> None:
    config = settings(
        tmp_path, url=retool_url, access_token="good", api_token=TOKEN, public_url="https://pickgate.example.com"
    )
    first, second = run("bootstrap", "--config", config), run("bootstrap", "--config", config, "--json")
    assert (first.exit_code, first.stdout) == (0, f"{UUID}\n"), first.output
    assert json.loads(second.stdout) == {"id": UUID, "name": "Pickgate", "created": False}
    assert [resource["display_name"] for resource in twin.shelf.resources] == ["Pickgate"]
    assert twin.shelf.options[UUID]["base_url"] == "https://pickgate.example.com"


def test_bootstrap_says_what_is_missing_and_what_is_refused(tmp_path: Path, retool_url: str) -> None:
    result = run("bootstrap", "--config", settings(tmp_path, url=retool_url))
    assert (result.exit_code, "retool.access_token is not set" in result.output) == (2, True), result.output
    result = run("bootstrap", "--config", settings(tmp_path, url=retool_url, access_token="bad", api_token=TOKEN))
    assert (result.exit_code, "refused GET resources (401)" in result.output) == (1, True), result.output
    assert TOKEN not in result.output


def verdicts(*words: str | Path) -> tuple[int, dict[str, tuple[str, str]]]:
    result = run("doctor", "--json", *words)
    rows = json.JSONDecoder().raw_decode(result.stdout)[0]
    return result.exit_code, {row["name"]: (row["verdict"], row["found"]) for row in rows}


def test_doctor_finds_nothing_wrong(tmp_path: Path, twin: RetoolTwin, retool_url: str) -> None:
    with served(own_api) as url:
        config = settings(
            tmp_path, url=retool_url, access_token="good", api_token=TOKEN, resource_uuid=UUID, public_url=url
        )
        assert run("bootstrap", "--config", config).exit_code == 0
        code, found = verdicts("--config", config)
    assert (code, {name: verdict for name, (verdict, _) in found.items()}) == (
        0,
        {
            "address": "ok", "Pickgate": "ok", "token": "ok", "Retool": "ok", "resource": "ok", "Toolscript": "ok",
            "pack": "ok", "agent": "not checked",
        },
    )  # fmt: skip
    assert {file["path"] for file in twin.shelf.validated[0]} >= {"main.rsx", "metadata.json", ".positions.json"}
    assert twin.count("POST resources") == 1


def test_doctor_names_each_thing_that_is_wrong(tmp_path: Path, twin: RetoolTwin, retool_url: str) -> None:
    twin.knobs.complaints.append(("main.rsx", "no such component"))
    config = settings(
        tmp_path, url=retool_url, access_token="good", api_token="pkg_" + "b" * 43, public_url="http://example.com:1"
    )
    code, found = verdicts("--config", config)
    assert code == 1
    assert found["address"] == ("failed", "http://example.com:1 is not encrypted")
    assert found["Pickgate"][0] == "failed" and found["token"][0] == "not checked"
    assert found["resource"] == ("failed", "Retool has 0 REST resources called 'Pickgate'")
    assert found["Toolscript"] == ("failed", "Retool finds 1 errors, first: main.rsx: no such component")
    with served(own_api) as url:
        config = settings(tmp_path, url="https://acme.retool.com", api_token="pkg_" + "b" * 43, public_url=url)
        code, found = verdicts("--config", config)
    assert (code, found["address"][0], found["Pickgate"][0]) == (1, "failed", "ok")
    assert found["token"] == ("failed", "retool.api_token is not valid, or has ended")
    assert found["Retool"] == ("failed", "retool.url or retool.access_token is not set")


def test_doctor_does_not_call_a_missing_validator_a_fault(tmp_path: Path, twin: RetoolTwin, retool_url: str) -> None:
    twin.knobs.validates_toolscript = False
    with served(own_api) as url:
        config = settings(
            tmp_path, url=retool_url, access_token="good", api_token=TOKEN, resource_uuid=UUID, public_url=url
        )
        assert run("bootstrap", "--config", config).exit_code == 0
        code, found = verdicts("--config", config)
    assert (code, found["Toolscript"]) == (0, ("not checked", "this Retool has no validator for it"))


def test_the_agent_says_what_is_missing(tmp_path: Path) -> None:
    config = settings(tmp_path, url="https://acme.retool.com", rpc_token="t", rpc_resource_id="r")
    result = run("agent", "--config", config)
    assert (result.exit_code, "retool.api_token is not set" in result.output) == (2, True), result.output


def test_the_committed_pack_is_the_one_that_is_built(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "retool" / "app"
    result = run("build", "--config", settings(tmp_path), "--out", tmp_path / "app.zip")
    assert result.exit_code == 0, result.output
    built = read_zip((tmp_path / "app.zip").read_bytes())
    kept = {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }
    assert kept == built, "write it anew: pickgate retool build --dir retool/app --out …"


@pytest.mark.postgres
def test_a_delegating_token_is_made_and_listed_as_one(tmp_path: Path, database: str) -> None:
    config = tmp_path / "pickgate.toml"
    config.write_text(f'database_url = "{database}"\nsecret_key = "{"k" * 32}"\n', "utf-8")
    for words in (["retool", "--role", "ops", "--delegating"], ["bi"]):
        made = CliRunner().invoke(token, ["create", *words, "--json", "--config", str(config)])
        assert made.exit_code == 0, made.output
        assert json.loads(made.stdout)["delegating"] is ("--delegating" in words)
    listed = CliRunner().invoke(token, ["list", "--json", "--config", str(config)])
    assert {row["name"]: row["delegating"] for row in json.loads(listed.stdout)} == {"retool": True, "bi": False}
