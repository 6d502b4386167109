"""The embedded PostgreSQL: its command lines, its first making, its life."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import (
    APP_ROLE,
    DATABASE,
    OWNER_ROLE,
    POSTGRES_SOCKET_PORT,
    embedded_database_url,
    socket_folder,
)
from dispatch.servers.process import (
    POLL_SECONDS,
    ServerFailed,
    private_folder,
    run_quietly,
    spawn,
    stop_process,
    wait_until,
)

SUPERUSER = "postgres"
EXTENSIONS = ("pg_trgm", "btree_gist")
ROLE_STATEMENTS = (
    f"CREATE ROLE {OWNER_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
    f"CREATE ROLE {APP_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
)
DATABASE_STATEMENTS = (
    f"CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}",
    f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
    f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP_ROLE}",
)
INSIDE_STATEMENTS = (
    *(f"CREATE EXTENSION IF NOT EXISTS {name}" for name in EXTENSIONS),
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    f"ALTER SCHEMA public OWNER TO {OWNER_ROLE}",
    f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
)
TUNING = {
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_connections": "120",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "jit": "off",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_min_duration_statement": "1s",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_min_messages": "log",  # an error's message quotes values; the house logs its class, state and constraint
}
WITHOUT_DURABILITY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
}
BUILTIN_LOCALE_SINCE = 17
READY_LINE = 7  # counted from 0 in postmaster.pid, where pg_ctl looks too
LEFTOVER_SECONDS = 15


def initdb_command(binaries: Path, version: int, data: Path) -> list[str]:
    """Make a cluster with checksums and plain code-point order; `version` is PostgreSQL's major number."""
    command = [
        str(binaries / "initdb"),
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
        "--no-instructions",
    ]
    if version >= BUILTIN_LOCALE_SINCE:
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return command


def single_user_command(binaries: Path, data: Path, database: str) -> list[str]:
    """PostgreSQL without a network: it executes statements from its standard input, as superuser."""
    return [str(binaries / "postgres"), "--single", "-j", "-D", str(data), "-c", "exit_on_error=on", database]


def postgres_command(binaries: Path, data: Path, sockets: Path, tuning: Mapping[str, str]) -> list[str]:
    """The server itself, reachable through its Unix socket only (folder and socket for this user alone)."""
    places = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "port": str(POSTGRES_SOCKET_PORT),
        "logging_collector": "off",
        "log_destination": "stderr",
    }
    command = [str(binaries / "postgres"), "-D", str(data)]
    for name, value in {**tuning, **places}.items():
        command += ["-c", f"{name}={value}"]
    return command


def postgres_version(binaries: Path) -> int:
    """The major version of the PostgreSQL in a folder."""
    done = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, check=True, text=True)
    return int(done.stdout.split()[2].partition(".")[0])


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom PostgreSQL runs: a prefix for its command line, and perhaps another user of the machine."""

    prefix: tuple[str, ...] = ()
    user: str | None = None


def postgres_identity() -> Identity:
    """PostgreSQL refuses to run as root: give it its own user namespace, else the user nobody."""
    if os.geteuid() != 0:
        return Identity()
    prefix = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    unshare = shutil.which("unshare")
    if unshare and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return Identity((unshare, *prefix[1:]))
    return Identity(user="nobody")


@dataclass(slots=True)
class PostgresServer:
    """An embedded PostgreSQL whose files live in `home`/postgres and whose log is `log`."""

    home: Path
    binaries: Path
    log: Path
    tuning: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The cluster's folder."""
        return self.home / "postgres" / "data"

    def start(self) -> subprocess.Popen[bytes]:
        """Make the cluster at the first start, clear what a killed server left, and start the server."""
        identity = postgres_identity()
        sockets = private_folder(socket_folder(self.home), identity.user)
        private_folder(self.data.parent, identity.user)
        if not self.data.exists():
            self._create(identity)
        check_version(self.data, postgres_version(self.binaries))
        clear_stale_lock(self.data)
        command = postgres_command(self.binaries, self.data, sockets, {**TUNING, **self.tuning})
        self.process = spawn([*identity.prefix, *command], self.log, signal.SIGINT, identity.user)
        return self.process

    def is_ready(self) -> bool:
        """Whether the server itself says in its lock file that it takes connections."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            return False
        return len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"

    def wait_ready(self, seconds: float = 60) -> None:
        """Return when connections are taken; raises ServerFailed when it ends or the time is over."""
        wait_until(self.is_ready, self.process, "PostgreSQL", seconds, self.log)

    def stop(self, seconds: float = 20) -> None:
        """Fast shutdown: open transactions are rolled back, the cluster is left clean."""
        if self.process is not None:
            stop_process(self.process, signal.SIGINT, seconds)

    def url(self, role: str = APP_ROLE, database: str = DATABASE) -> str:
        """The address of one database for one role."""
        return embedded_database_url(self.home, role, database)

    def _create(self, identity: Identity) -> None:
        """Make cluster, roles, database and extensions beside the final place, then move them there."""
        unfinished = self.data.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        version = postgres_version(self.binaries)
        command = [*identity.prefix, *initdb_command(self.binaries, version, unfinished)]
        run_quietly(command, self.log, identity.user)
        for database, statements in (
            (SUPERUSER, (*ROLE_STATEMENTS, *DATABASE_STATEMENTS)),
            (DATABASE, INSIDE_STATEMENTS),
        ):
            single = [*identity.prefix, *single_user_command(self.binaries, unfinished, database)]
            run_quietly(single, self.log, identity.user, ";\n\n".join([*statements, ""]))
        unfinished.rename(self.data)


def check_version(data: Path, version: int) -> None:
    """Refuse a cluster that another major version of PostgreSQL has made; raises ServerFailed."""
    made_by = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    if made_by != str(version):
        reason = f"{data} was made by PostgreSQL {made_by}, not {version}: name it in DISPATCH_PG_BIN"
        raise ServerFailed(reason)


def clear_stale_lock(data: Path) -> None:
    """Make way for a new server: end one that outlived its supervisor, forget a dead one's lock file.

    The caller holds the lock of the home, so nobody else's server can be meant. A lock file whose number
    now belongs to another program would make PostgreSQL refuse to start.
    """
    lock = data / "postmaster.pid"
    limit = time.monotonic() + LEFTOVER_SECONDS
    while (pid := _locked_by(lock)) is not None:
        if not _is_server_of(pid, data):
            lock.unlink(missing_ok=True)
            return
        if time.monotonic() > limit:
            os.kill(pid, signal.SIGQUIT)
        time.sleep(POLL_SECONDS)


def _locked_by(lock: Path) -> int | None:
    try:
        first = lock.read_text(encoding="ascii").split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else 0


def _is_server_of(pid: int, data: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data) in command
