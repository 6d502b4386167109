"""A whole installation for the fault tests: started, looked into, hurt, and stopped; and its HTTP side."""

import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis

from config.settings import embedded_redis_url
from dispatch.clock import SHANGHAI
from dispatch.servers import PostgresServer, find_postgres
from dispatch.servers.process import wait_until
from dispatch.supervisor.home import read_json
from dispatch.supervisor.inbox import FOLDER, PORTS, smtp_url
from tests.processes import descendants, free_port

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 300.0
ANSWER_SECONDS = 30.0
SUPERUSER = "postgres"
DATABASE = "dispatch"
SATURDAY = 6
TEN = time(10)
ROOM = 10_000


@dataclass(frozen=True, slots=True)
class Town:
    """One running `dispatch up --demo`."""

    home: Path
    port: int
    supervisor: "subprocess.Popen[bytes]"
    quiet: threading.Event = field(default_factory=threading.Event)
    hits: Counter[str] = field(default_factory=Counter)

    @property
    def keys(self) -> Mapping[str, str]:
        """The demo's API keys by scope."""
        return dict(read_json(self.home / "demo.json")["api_keys"])

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to be one of this home, as `dispatch up` gives it to its own."""
        environment = {**os.environ, "DISPATCH_HOME": str(self.home), "DISPATCH_DEMO": "1", "PYTHONUNBUFFERED": "1"}
        environment["DISPATCH_PORT"] = str(self.port)
        environment["DISPATCH_SMTP_URL"] = smtp_url(read_json(self.home / FOLDER / PORTS))
        for name in ("DISPATCH_SECRET", "DISPATCH_FIELD_KEYS"):
            environment.pop(name, None)
        return environment

    @property
    def processes(self) -> dict[str, int]:
        """The processes by name, as they are now."""
        return {str(name): int(number) for name, number in read_json(self.home / "processes.json").items()}

    def ask(
        self, method: str, path: str, content: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """One HTTP request, once: (status, JSON); (0, None) when no answer came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        sent = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
        try:
            connection.request(method, path, None if content is None else json.dumps(content), sent)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()
        return answer.status, json.loads(body) if body.startswith((b"{", b"[")) else None

    def api(self, method: str, path: str, content: object = None, *, once: str | None = None) -> tuple[int, Any]:
        """A request with the key that may do all."""
        headers = {"Authorization": f"Bearer {self.keys['all']}"}
        return self.ask(method, path, content, headers | ({"Idempotency-Key": once} if once else {}))

    def answer(self, link: str, act: str, content: Mapping[str, str], *, once: str) -> int:
        """What a firm does on the phone page; gives the status."""
        headers = {"Idempotency-Key": once}
        return self.ask("POST", f"{urlsplit(link).path}/{act}", dict(content), headers)[0]

    def rows(self, query: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """What the database says to its superuser, on a connection of its own."""
        server = PostgresServer(self.home, find_postgres(os.environ), self.home / "logs" / "postgres.log")
        with psycopg.connect(server.url(SUPERUSER, DATABASE), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def redis(self) -> "redis.Redis":
        """The broker itself."""
        return redis.Redis.from_url(embedded_redis_url(self.home), socket_timeout=2)

    def command(self, *words: str, expected: int | None = 0, environment: Mapping[str, str] | None = None) -> str:
        """Run `dispatch …` for this home to its end; fails when it ends with another code than one that is named.

        Where none is named, whatever it complained of stands under what it told.
        """
        done = subprocess.run(
            [sys.executable, "-m", "dispatch.cli", *words],
            cwd=ROOT, env=environment or self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert expected is None or done.returncode == expected, done.stdout + done.stderr
        return done.stdout if expected is not None else done.stdout + done.stderr

    def next_working_morning(self) -> datetime:
        """Ten o'clock of a coming day from Monday to Friday; a clock set back would strand what is planned."""
        today = self.rows("SELECT dispatch_now()")[0][0].astimezone(SHANGHAI).date()
        days = (today + timedelta(days=ahead) for ahead in itertools.count(1))
        return datetime.combine(next(day for day in days if day.isoweekday() < SATURDAY), TEN, SHANGHAI)

    def let_firms_take_all(self) -> None:
        """Give every firm room for all orders: the demo's are full after a hundred, and then nobody takes anything."""
        self.rows(f"UPDATE performers SET capacity = {ROOM}")  # noqa: S608 - a number of ours
        self.rows("UPDATE organisations SET catalogue_version = catalogue_version + 1")

    def hit(self, name: str, number: int = signal.SIGKILL, *, children: bool = True) -> None:
        """Send a signal to a process by its name, and to all below it."""
        root = self.processes.get(name)
        if root is None:
            return
        self.hits[signal.Signals(number).name] += 1
        for each in [root, *(process.number for process in descendants(root))] if children else [root]:
            try:
                os.kill(each, number)
            except ProcessLookupError:
                continue

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.quiet.wait(seconds)

    def until(self, ready: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait for a condition; fails with its name."""
        wait_until(ready, self.supervisor, what, seconds, self.home / "logs" / "worker.log")


@contextmanager
def town(*options: str, folder: Path | None = None) -> Iterator[Town]:
    """A town with the demo community, at ten o'clock on a working day; gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="hq-", dir="/tmp", ignore_cleanup_errors=True) as fresh:
        home = folder or Path(fresh)
        with running(home, free_port(), *options) as started:
            yield started


@contextmanager
def running(home: Path, port: int, *options: str) -> Iterator[Town]:
    """`dispatch up --demo` on this home until the block ends."""
    command = [sys.executable, "-m", "dispatch.cli", "up", "--demo", "--home", str(home), "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    for kind in ("PG", "REDIS"):
        if os.environ.get(f"DISPATCH_TEST_{kind}_BIN"):
            environment[f"DISPATCH_{kind}_BIN"] = os.environ[f"DISPATCH_TEST_{kind}_BIN"]
    said = home / "said"
    with (
        said.open("wb") as output,
        subprocess.Popen([*command, *options], cwd=ROOT, env=environment, stdout=output) as supervisor,
    ):
        try:
            wait_until(lambda: "ready:" in said.read_text("utf-8"), supervisor, "up", START_SECONDS, said)
            yield Town(home, port, supervisor)
            supervisor.send_signal(signal.SIGTERM)
            supervisor.wait(60)
        finally:
            supervisor.kill()
