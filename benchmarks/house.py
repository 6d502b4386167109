"""A house of its own for the measurements: `dispatch up` with the demo in a temporary home, without workers."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from config.settings import embedded_database_url, get_settings
from dispatch.demo.clock import set_clock
from dispatch.rules.shanghai import SHANGHAI
from dispatch.servers.process import spawn, stop_process, wait_until
from dispatch.supervisor.children import house_command
from dispatch.supervisor.home import read_json
from dispatch.supervisor.inbox import free_ports, smtp_url
from dispatch.supervisor.run import answers_ready

READY_SECONDS = 300
STOP_SECONDS = 40
WITHOUT_WORKERS = ("--workers", "0", "--sweeps", "0", "--beats", "0")
HOST = "127.0.0.1"
FOR_EVER = 30_000
MORNING_HOUR = 9
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class House:
    """A running house: its home, port, keys and the environment of its processes."""

    home: Path
    port: int
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://{HOST}:{self.port}"

    def api_key(self) -> str:
        """The demo's key with all scopes."""
        return str(read_json(self.home / "demo.json")["api_keys"]["all"])

    def log(self, name: str) -> Path:
        """A log file of a benchmark's process."""
        return self.home / "logs" / f"{name}.log"

    def owner(self, database: str = "dispatch", user: str = "dispatch_owner") -> psycopg.Connection:
        """A connection as the owner of the tables, each statement committed."""
        return psycopg.connect(embedded_database_url(self.home, user, database), autocommit=True)

    @contextmanager
    def child(self, name: str, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        """A process of the house beside it, ended with the block."""
        process = spawn(command, self.log(name), signal.SIGKILL, environment=self.environment)
        try:
            yield process
        finally:
            stop_process(process, signal.SIGTERM, STOP_SECONDS)


@contextmanager
def house() -> Iterator[House]:
    """Start a house in a new home, make this process one of its own, and remove everything at the end.

    The firms' capacity is raised so far that a backlog of thousands finds somebody for every order, and business
    time is a working morning, so that the firms are on shift whatever the hour of the measurement.
    """
    home = Path(tempfile.mkdtemp(prefix="hq-bench-", dir="/tmp"))
    port = free_ports()["http"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCH_")}
    environment |= {"DISPATCH_HOME": str(home), "DISPATCH_PORT": str(port), "DISPATCH_DEMO": "1"}
    environment["PYTHONUNBUFFERED"] = "1"
    words = house_command("up", "--home", str(home), "--port", str(port), "--demo", *WITHOUT_WORKERS)
    process = spawn(words, home / "logs" / "up.log", signal.SIGTERM, environment=environment)
    try:
        wait_until(lambda: answers_ready(HOST, port), process, "dispatch up", READY_SECONDS, home / "logs" / "up.log")
        environment["DISPATCH_SMTP_URL"] = smtp_url(read_json(home / "inbox" / "ports.json"))
        os.environ.update(environment)
        get_settings.cache_clear()
        running = House(home, port, environment)
        with running.owner() as owner:
            owner.execute("UPDATE performers SET capacity = %s", (FOR_EVER,))
        set_clock(get_settings().owner_database_url, next_working_morning(datetime.now(UTC)))
        yield running
    finally:
        stop_process(process, signal.SIGTERM, STOP_SECONDS)
        shutil.rmtree(home, ignore_errors=True)


def next_working_morning(after: datetime) -> datetime:
    """Nine o'clock in Shanghai on the next day from Monday to Friday."""
    morning = after.astimezone(SHANGHAI).replace(hour=MORNING_HOUR, minute=0, second=0, microsecond=0)
    while morning <= after or morning.weekday() >= SATURDAY:
        morning += timedelta(days=1)
    return morning


def module_command(module: str, *words: str) -> list[str]:
    """The command line of one of our modules with this interpreter."""
    return [sys.executable, "-m", module, *words]
