"""The supervisor and the embedded servers, with real processes: order, restart, and nothing left behind."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.servers import (
    WITHOUT_DURABILITY,
    PostgresServer,
    RedisServer,
    ServerFailed,
    ServerMissing,
    find_postgres,
    find_redis,
)
from dispatch.servers.postgres import initdb_command, postgres_command
from dispatch.servers.process import private_folder, spawn, wait_until
from dispatch.servers.redis import redis_command
from dispatch.supervisor.backoff import BackOff
from dispatch.supervisor.children import Child, Family
from dispatch.supervisor.home import AlreadyRunning, lock_home, make_secrets, read_json, write_json
from dispatch.supervisor.run import Plan, login_lines
from tests.processes import is_alive

ROOT = Path(__file__).parent.parent.parent
HEAVY = ("flask", "celery", "sqlalchemy", "alembic", "psycopg", "redis", "structlog", "marshmallow")

ORPHANS = """
import os, signal, sys
from pathlib import Path
from dispatch.servers import PostgresServer, RedisServer, find_postgres, find_redis
from dispatch.servers.process import spawn
home = Path(sys.argv[1])
redis = RedisServer(home, find_redis(os.environ), home / "redis.log")
postgres = PostgresServer(home, find_postgres(os.environ), home / "postgres.log")
numbers = [redis.start().pid, postgres.start().pid]
redis.wait_ready()
postgres.wait_ready()
sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
numbers.append(spawn(sleeper, home / "x.log", signal.SIGKILL).pid)
print(*numbers, flush=True)
signal.pause()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A short folder: a socket's path has no room for pytest's long ones."""
    with tempfile.TemporaryDirectory(prefix="hq-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def postgres(home: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL that is not started yet and is stopped in the end."""
    server = PostgresServer(home, find_postgres(os.environ), home / "postgres.log", WITHOUT_DURABILITY)
    yield server
    server.stop()


def dispatch(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DISPATCH_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "dispatch.cli", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@given(st.lists(st.floats(0, 59.9), min_size=1, max_size=20))
def test_the_wait_doubles_from_half_a_second_to_thirty(lives: list[float]) -> None:
    waits = []
    back_off = BackOff()
    for lived in lives:
        due = back_off.after(lived)
        waits.append(due.seconds)
        back_off = due.doubled()
    assert waits == [min(0.5 * 2**number, 30.0) for number in range(len(lives))]


def test_a_minute_of_life_makes_the_wait_short_again() -> None:
    tired = BackOff(30.0)
    assert tired.after(59.9).seconds == 30.0
    assert tired.after(60.0).seconds == 0.5


def test_processes_are_named_and_started_web_first_and_the_receiver_last() -> None:
    plan = Plan(Path("/x"), "127.0.0.1", 8096, demo=False, workers=2, sweeps=2, beats=1)
    names = [name for name, _ in plan.processes()]
    assert names == ["web", "worker", "worker-2", "sweep", "sweep-2", "beat", "alarm"]


def test_a_home_has_one_supervisor_at_a_time(home: Path) -> None:
    with lock_home(home), pytest.raises(AlreadyRunning, match=str(os.getpid())):
        lock_home(home)
    lock_home(home).close()


def test_secrets_are_made_once_and_only_their_owner_reads_them(home: Path) -> None:
    make_secrets(home)
    first = (home / "secret").read_text(encoding="ascii"), (home / "keys").read_text(encoding="ascii")
    make_secrets(home)
    assert first == (
        (home / "secret").read_text(encoding="ascii"),
        (home / "keys").read_text(encoding="ascii"),
    )
    for name in ("secret", "keys"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600


def test_a_record_is_replaced_whole(home: Path) -> None:
    write_json(home / "processes.json", {"web": 1})
    write_json(home / "processes.json", {"web": 2, "演示": 3})
    assert read_json(home / "processes.json") == {"web": 2, "演示": 3}
    assert [path.name for path in home.iterdir()] == ["processes.json"]
    assert read_json(home / "missing.json") == {}


def test_a_killed_child_is_started_again_and_the_record_names_the_new_one(home: Path) -> None:
    said: list[str] = []
    family = Family(home / "processes.json", said.append)
    sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
    child = Child("web", lambda: spawn(sleeper, home / "web.log", signal.SIGKILL), signal.SIGTERM, 5)
    family.add(child)
    first = read_json(home / "processes.json")["web"]
    os.kill(first, signal.SIGKILL)

    def is_back() -> bool:
        family.look()
        return read_json(home / "processes.json").get("web", first) != first

    wait_until(is_back, None, "web", 10, home / "web.log")
    assert "web" in said[0]
    second = read_json(home / "processes.json")["web"]
    family.stop()
    assert not is_alive(second)
    assert read_json(home / "processes.json") == {}


def test_what_a_child_has_started_ends_with_it(home: Path) -> None:
    family = Family(home / "processes.json", lambda _: None)
    grandchild = "import os, signal; print(os.fork(), flush=True); signal.pause()"
    command = [sys.executable, "-c", grandchild]
    log = home / "web.log"
    child = Child("web", lambda: spawn(command, log, signal.SIGKILL), signal.SIGTERM, 5)
    family.add(child)
    wait_until(lambda: len(log.read_text().split()) == 2, None, "web", 10, log)
    number = max(int(word) for word in log.read_text().split())
    assert is_alive(number)
    family.stop()
    wait_until(lambda: not is_alive(number), None, "grandchild", 5, log)


def test_nothing_survives_a_killed_supervisor(home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ORPHANS, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        numbers = [int(word) for word in supervisor.stdout.readline().split()]
        assert len(numbers) == 3
        assert all(is_alive(number) for number in numbers)
        supervisor.kill()
    wait_until(lambda: not any(is_alive(number) for number in numbers), None, "all", 20, home)


def test_a_number_of_another_program_in_the_lock_file_does_not_stop_the_start(
    postgres: PostgresServer,
) -> None:
    postgres.start()
    postgres.wait_ready()
    assert postgres.process is not None
    lock = postgres.data / "postmaster.pid"
    content = lock.read_text(encoding="ascii").splitlines()
    postgres.process.kill()
    postgres.process.wait()
    lock.write_text("\n".join([str(os.getpid()), *content[1:]]), encoding="ascii")
    postgres.start()
    postgres.wait_ready()
    with psycopg.connect(postgres.url()) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("dispatch_app",)


def test_the_app_role_is_no_superuser_and_makes_no_tables(postgres: PostgresServer) -> None:
    postgres.start()
    postgres.wait_ready()
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert rights.fetchone() == (False, False, False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.mine (id int)")
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        installed = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
        assert {"pg_trgm", "btree_gist"} <= installed


def test_a_cluster_of_another_version_is_refused_and_left_alone(postgres: PostgresServer) -> None:
    postgres.start()
    postgres.wait_ready()
    postgres.stop()
    version = postgres.data / "PG_VERSION"
    version.write_text("12\n", encoding="ascii")
    with pytest.raises(ServerFailed, match="made by PostgreSQL 12"):
        postgres.start()
    assert version.exists()


def test_redis_keeps_its_keys_over_a_restart_and_refuses_to_forget(home: Path) -> None:
    for _ in range(2):
        redis = RedisServer(home, find_redis(os.environ), home / "redis.log")
        redis.start()
        redis.wait_ready()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(home / "run" / "redis.sock"))
            connection.sendall(b"INCR starts\r\n")
            answer = connection.recv(64)
            connection.sendall(b"CONFIG GET maxmemory-policy\r\n")
            assert b"noeviction" in connection.recv(256)
        redis.stop()
    assert answer == b":2\r\n"


def test_a_second_up_on_the_same_home_says_that_it_is_running(home: Path) -> None:
    with lock_home(home):
        done = dispatch("up", "--no-demo", home=home)
    assert done.returncode == 3
    assert f"already running (process {os.getpid()})" in done.stdout


def test_a_taken_port_is_said_before_anything_starts(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        done = dispatch("up", "--no-demo", "--port", str(number), home=home)
    assert done.returncode == 1
    assert f"port {number} cannot be used" in done.stdout
    assert not (home / "postgres").exists()


def test_a_missing_server_is_named(home: Path) -> None:
    with pytest.raises(ServerMissing, match="nowhere"):
        find_postgres({"DISPATCH_PG_BIN": "/nowhere"})
    with pytest.raises(ServerMissing, match="nowhere"):
        find_redis({"DISPATCH_REDIS_BIN": "/nowhere"})
    with pytest.raises(ServerMissing):
        find_redis({"DISPATCH_REDIS_FROM_PATH": "1", "PATH": str(home)})


def test_a_folder_of_somebody_else_is_not_used_for_sockets(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away: run this test as root")
    os.chown(home, 65_534, 65_534)
    with pytest.raises(ServerFailed, match="another user"):
        private_folder(home)


def test_the_servers_listen_on_no_network_address() -> None:
    here = Path("/x")
    assert "listen_addresses=" in postgres_command(here, here, here, {})
    words = redis_command(here, here, here)
    assert words[words.index("--port") + 1] == "0"


def test_only_a_postgresql_that_knows_the_builtin_locale_is_asked_for_it() -> None:
    here = Path("/x")
    assert "--locale-provider=builtin" in initdb_command(here, 18, here)
    assert "--locale-provider=builtin" not in initdb_command(here, 15, here)
    assert "--locale=C.UTF-8" in initdb_command(here, 15, here)
    assert "--data-checksums" in initdb_command(here, 15, here)


def test_up_loads_nothing_heavy() -> None:
    loaded = f"[name for name in {HEAVY!r} if name in sys.modules]"
    code = f"import sys, dispatch.cli, dispatch.commands.up; print({loaded})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_log_ins_of_the_demo_are_printed_with_their_passwords() -> None:
    demo = json.loads('{"accounts": [{"role": "operator", "login": "zuoxi", "password": "correct horse"}]}')
    assert [line.split() for line in login_lines(demo)[1:]] == [["operator", "zuoxi", "correct", "horse"]]
    assert login_lines({}) == []
