"""Where the bundled PostgreSQL lives and as whom it runs: folders, ownership, OS users. It changes no folder above."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

# A unix socket's whole path has at most 107 bytes.
_LONGEST_SOCKET_DIR = 107 - len("/.s.PGSQL.5432.lock")
_USER_NAMES = ("pickgate", "postgres")
_SHARED = Path("/var/lib/pickgate")


class EmbeddedPostgresFailed(Exception):
    """The bundled PostgreSQL cannot run here. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class OsUser:
    """As whom the server runs. `switch`: this process is root and must change to it."""

    name: str
    uid: int
    gid: int
    switch: bool


def choose_user(base: Path) -> OsUser:
    """Choose the server's OS user: oneself, or for root the owner of the existing folder, or a user without rights.

    Root makes the system user `pickgate` when there is none, and takes `nobody` when that fails.
    """
    uid = os.geteuid()
    if uid != 0:
        return OsUser(own_name(), uid, os.getegid(), switch=False)
    if base.exists() and base.stat().st_uid != 0:
        try:
            found = pwd.getpwuid(base.stat().st_uid)
        except KeyError:
            raise EmbeddedPostgresFailed(
                f"{base} belongs to user {base.stat().st_uid}, who does not exist here. Make it belong to one who does."
            ) from None
        return OsUser(found.pw_name, found.pw_uid, found.pw_gid, switch=True)
    for name in _USER_NAMES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(found.pw_name, found.pw_uid, found.pw_gid, switch=True)
    return _make_user()


def run_as(user: OsUser) -> dict[str, Any]:
    """Return the arguments that make `subprocess` run something as this user."""
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    if not user.switch:
        return {"env": environment}
    return {"env": environment, "user": user.uid, "group": user.gid, "extra_groups": []}


def ensure_base(data_dir: Path, user: OsUser) -> Path:
    """Return the folder for everything of the server: `data_dir/postgres`, owned by the user, 0700.

    Root's own folders are often closed to others (/root is 0700). Then the folder lies under /var/lib/pickgate, and
    `data_dir/postgres` is a link to it. Raises EmbeddedPostgresFailed when the user can reach neither.
    """
    base = data_dir / "postgres"
    if user.switch and not base.is_symlink() and _blocked_at(data_dir, user) is not None:
        if base.exists():
            raise EmbeddedPostgresFailed(_cannot_reach(base, user))
        home = _SHARED / sha256(str(data_dir.resolve()).encode()).hexdigest()[:16]
        try:
            home.mkdir(parents=True, exist_ok=True)
            base.symlink_to(home)
        except FileExistsError:
            pass  # another starter was faster
        except OSError as error:
            raise EmbeddedPostgresFailed(f"{_cannot_reach(base, user)} ({error})") from error
    base.mkdir(exist_ok=True)
    base = base.resolve()
    if (blocked := _blocked_at(base.parent, user)) is not None:
        raise EmbeddedPostgresFailed(f"{_cannot_reach(base, user)} {blocked} is closed to it.")
    if user.switch:
        os.chown(base, user.uid, user.gid)
    base.chmod(0o700)
    return base


def ensure_socket_dir(base: Path, user: OsUser) -> Path:
    """Return the folder of the socket: below `base`, or a short one under the temporary folder, 0700."""
    socket = base / "socket"
    if len(os.fsencode(socket)) > _LONGEST_SOCKET_DIR:
        name = f"pickgate-{sha256(os.fsencode(base)).hexdigest()[:16]}"
        socket = Path(tempfile.gettempdir()) / name
    socket.mkdir(mode=0o700, exist_ok=True)
    found = socket.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), user.uid):
        raise EmbeddedPostgresFailed(f"{socket} belongs to somebody else. Remove it, or choose a shorter data_dir.")
    if user.switch:
        os.chown(socket, user.uid, user.gid)
    socket.chmod(0o700)
    return socket


def ensure_binaries(binaries: Path, user: OsUser) -> Path:
    """Return a folder with PostgreSQL's programs that the user can reach: the given one, or for root a copy of it."""
    if not (binaries / "postgres").exists():
        raise EmbeddedPostgresFailed(f"No PostgreSQL in {binaries}. Set database_url to a server of your own.")
    if not user.switch or _blocked_at(binaries.resolve(), user) is None:
        return binaries
    source = binaries.resolve().parent
    libraries = source.parent.parent / f"{source.parent.name}.libs"
    mark = f"{source}:{(source / 'bin' / 'postgres').stat().st_mtime_ns}"
    home = _SHARED / f"programs-{sha256(mark.encode()).hexdigest()[:16]}"
    target = home / source.parent.name / source.name
    if not target.exists():
        unfinished = home.with_name(f"{home.name}.{os.getpid()}")
        try:
            # The programs look for their libraries beside the package: the copy keeps the same shape.
            shutil.copytree(source, unfinished / source.parent.name / source.name, symlinks=True)
            if libraries.exists():
                shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
            unfinished.rename(home)
        except OSError as error:
            remove_tree(unfinished)
            if not target.exists():
                raise EmbeddedPostgresFailed(f"{_cannot_reach(binaries, user)} ({error})") from error
    return target / "bin"


def works_in(pid: int, folder: Path) -> bool:
    """Say whether the process runs and has this working folder, as a PostgreSQL server has its cluster."""
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", folder)
    except OSError:
        pass
    if Path("/proc/self").exists():
        return False
    shown = subprocess.run(  # noqa: S603 - systems without /proc
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return str(folder) in shown.stdout


def process_runs(pid: int) -> bool:
    """Say whether the process exists, and is not one that has ended and was not waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()


def remove_tree(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


def own_name() -> str:
    """The name of the user who runs this process; PostgreSQL cannot run for one without a name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise EmbeddedPostgresFailed(
            f"User {os.geteuid()} has no name on this system, and PostgreSQL wants one. Add it, or set database_url."
        ) from None


def _make_user() -> OsUser:
    useradd = shutil.which("useradd", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if useradd is not None:
        options = ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
        subprocess.run([useradd, *options, "pickgate"], capture_output=True, check=False)  # noqa: S603
    for name in ("pickgate", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(found.pw_name, found.pw_uid, found.pw_gid, switch=True)
    raise EmbeddedPostgresFailed("PostgreSQL does not run as root, and there is no other user. Add a user `pickgate`.")


def _blocked_at(folder: Path, user: OsUser) -> Path | None:
    """Return the first folder on the way that the user may not enter, by its permission bits; None: the way is free."""
    for step in (*reversed(folder.resolve().parents), folder.resolve()):
        found = step.stat()
        bit = stat.S_IXOTH
        if found.st_uid == user.uid:
            bit = stat.S_IXUSR
        elif found.st_gid == user.gid:
            bit = stat.S_IXGRP
        if not found.st_mode & bit:
            return step
    return None


def _cannot_reach(path: Path, user: OsUser) -> str:
    return (
        f"PostgreSQL does not run as root, and the user {user.name} cannot reach {path}. "
        "Set data_dir to a folder that others may enter, such as /var/lib/pickgate, or set database_url."
    )
