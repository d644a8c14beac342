"""The bundled server: cold, warm, stale, killed, started twice; what was acknowledged is there afterwards."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from pickgate.store.embedded import EmbeddedPostgres, EmbeddedPostgresFailed, find_postmaster

pytestmark = pytest.mark.postgres


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own OS user may enter; pytest's is closed to others."""
    path = Path(tempfile.mkdtemp(prefix="pickgate-embedded-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder / "data")
    yield server
    server.stop()


def ask(dsn: str, *statements: str) -> object:
    """Run statements, each committed by itself; return the last one's value."""

    async def run() -> object:
        connection = await asyncpg.connect(dsn, timeout=5)
        try:
            answer = None
            for statement in statements:
                answer = await connection.fetchval(statement)
            return answer
        finally:
            await connection.close()

    return asyncio.run(run())


def cluster_of(folder: Path) -> Path:
    return (folder / "data" / "postgres").resolve() / "cluster"


def kill_all(pid: int) -> None:
    """What a power cut does to the server: every process at once, nothing written any more."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for one in (pid, *map(int, children)):
        os.kill(one, signal.SIGKILL)


def test_cold_and_warm_and_durable(server: EmbeddedPostgres, folder: Path) -> None:
    began = time.monotonic()
    dsn = server.start()
    cold = time.monotonic() - began
    assert ask(dsn, "CREATE TABLE t (id int)", "INSERT INTO t VALUES (7)", "SELECT id FROM t") == 7
    settings = "SELECT string_agg(current_setting(name), ' ' ORDER BY name) FROM unnest(ARRAY['fsync', 'full_page_writes', 'listen_addresses', 'synchronous_commit']) AS name"  # noqa: E501
    assert ask(dsn, settings) == "on on  on"
    base = cluster_of(folder).parent
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (folder, base, base / "socket", base / "cluster")}
    assert list(modes.values()) == ["0o755", "0o700", "0o700", "0o700"]  # nobody else may enter
    server.stop()
    assert find_postmaster(cluster_of(folder)) is None
    began = time.monotonic()
    assert server.start() == dsn
    warm = time.monotonic() - began
    assert ask(dsn, "SELECT id FROM t") == 7
    # About 0.6 s and 0.1 s on an idle machine; the bounds only catch a wait that should not be there.
    assert (cold < 30, warm < 15) == (True, True), f"cold {cold:.2f} s, warm {warm:.2f} s"


def test_killed_it_comes_back_with_every_acknowledged_row(server: EmbeddedPostgres, folder: Path) -> None:
    dsn = server.start()
    ask(dsn, "CREATE TABLE t (id int)")
    acknowledged: list[int] = []

    async def insert_until_it_dies() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            for number in range(100_000):
                await connection.execute("INSERT INTO t VALUES ($1)", number)
                acknowledged.append(number)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            pass
        finally:
            connection.terminate()

    thread = threading.Thread(target=lambda: asyncio.run(insert_until_it_dies()))
    thread.start()
    while len(acknowledged) < 50:
        threading.Event().wait(0.01)
    pid = find_postmaster(cluster_of(folder))
    assert pid is not None
    kill_all(pid)
    thread.join()
    assert server.start() == dsn
    assert find_postmaster(cluster_of(folder)) not in (None, pid)
    count = ask(dsn, f"SELECT count(*) FROM t WHERE id < {len(acknowledged)}")
    assert count == len(acknowledged) >= 50


def test_a_stale_pid_file_does_no_harm(server: EmbeddedPostgres, folder: Path) -> None:
    """After a reboot the number in the file may be another living process's (1), nobody's, or cut off."""
    dsn = server.start()
    cluster = cluster_of(folder)
    kept = (cluster / "postmaster.pid").read_text().split("\n")
    for text in ("\n".join(["1", *kept[1:]]), "\n".join(["4194303", *kept[1:]]), "", "x"):
        server.stop()
        (cluster / "postmaster.pid").write_text(text)
        shutil.chown(cluster / "postmaster.pid", *owner_of(cluster))
        assert find_postmaster(cluster) is None
        assert server.start() == dsn
        assert ask(dsn, "SELECT 1") == 1


def owner_of(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


def test_several_starters_at_once_share_one_server(folder: Path) -> None:
    servers = [EmbeddedPostgres(folder / "data") for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(EmbeddedPostgres.start, servers))
        assert len(set(answers)) == 1
        assert [server.is_owner for server in servers].count(True) == 1
        for server in servers:
            if not server.is_owner:
                server.stop()
        assert ask(answers[0], "SELECT 1") == 1
    finally:
        for server in servers:
            server.stop()
    assert find_postmaster(cluster_of(folder)) is None


def test_the_server_outlives_its_starter_and_is_adopted(folder: Path) -> None:
    script = "import sys, time; from pathlib import Path; from pickgate.store.embedded import EmbeddedPostgres;" \
        "server = EmbeddedPostgres(Path(sys.argv[1])); print(server.start(), flush=True); time.sleep(60)"  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder / "data")],
        stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as starter:  # fmt: skip
        assert starter.stdout is not None
        dsn = starter.stdout.readline().strip()
        second = EmbeddedPostgres(folder / "data")
        assert (second.start(), second.is_owner) == (dsn, False)
        starter.kill()
    pid = find_postmaster(cluster_of(folder))
    heir = EmbeddedPostgres(folder / "data")
    assert (heir.start(), heir.is_owner, find_postmaster(cluster_of(folder))) == (dsn, True, pid)
    heir.stop()
    assert find_postmaster(cluster_of(folder)) is None


def test_who_starts_while_the_owner_stops_becomes_the_owner(server: EmbeddedPostgres, folder: Path) -> None:
    """Else the server that it starts has no owner, and stays when everybody has gone."""
    server.start()
    other = EmbeddedPostgres(folder / "data")
    with (folder / "data" / "postgres" / "start.lock").open("a") as starter, ThreadPoolExecutor() as pool:
        fcntl.flock(starter, fcntl.LOCK_EX)
        stopping = pool.submit(server.stop)
        time.sleep(0.5)
        assert (find_postmaster(cluster_of(folder)), stopping.done()) != (None, True), "it stopped amid a start"
        fcntl.flock(starter, fcntl.LOCK_UN)
        stopping.result(timeout=20)
    other.start()
    assert other.is_owner
    other.stop()
    assert find_postmaster(cluster_of(folder)) is None


def test_an_interrupted_first_start_is_begun_anew(server: EmbeddedPostgres, folder: Path) -> None:
    half_made = folder / "data" / "postgres" / "cluster.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    dsn = server.start()
    assert ask(dsn, "SELECT current_database()::text") == "pickgate"
    assert not half_made.exists()


def test_a_long_path_gets_a_short_socket_folder(folder: Path) -> None:
    server = EmbeddedPostgres(folder / ("long" * 30))
    try:
        dsn = server.start()
        assert ask(dsn, "SELECT 1") == 1
        assert dsn.startswith("postgresql://pickgate@/pickgate?host=%2Ftmp%2Fpickgate-")
    finally:
        server.stop()


def test_without_programs_it_says_what_to_do(folder: Path) -> None:
    with pytest.raises(EmbeddedPostgresFailed, match="Set database_url to a server of your own"):
        EmbeddedPostgres(folder / "data", binaries=folder).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another OS user")
def test_below_a_closed_folder_of_root_it_lives_elsewhere(folder: Path) -> None:
    closed = folder / "root"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "data")
    home = None
    try:
        dsn = server.start()
        home = (closed / "data" / "postgres").resolve()
        assert ask(dsn, "SELECT 1") == 1
        assert home.parent == Path("/var/lib/pickgate")
        assert oct(closed.stat().st_mode & 0o777) == "0o700"
    finally:
        server.stop()
        if home is not None:
            shutil.rmtree(home, ignore_errors=True)


def test_a_start_while_another_process_stops_the_server_starts_it_again(folder: Path) -> None:
    owner, other = EmbeddedPostgres(folder / "data"), EmbeddedPostgres(folder / "data", patience_seconds=10)
    dsn = owner.start()
    pid = find_postmaster(cluster_of(folder))
    assert pid is not None
    try:
        with ThreadPoolExecutor() as pool:
            starting = pool.submit(other.start)
            owner.stop()
            assert starting.result(timeout=12) == dsn
        assert ask(dsn, "SELECT 1") == 1
        assert find_postmaster(cluster_of(folder)) not in (None, pid)
    finally:
        owner.stop()
        other.start()
        other.stop()
