"""The order of a start, the watch, and the order of a stop."""

import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from dispatch.servers import (
    PostgresServer,
    RedisServer,
    ServerFailed,
    ServerMissing,
    find_postgres,
    find_redis,
)
from dispatch.servers.process import wait_until
from dispatch.supervisor.children import Child, Family, house_child, last_lines, run_once
from dispatch.supervisor.home import AlreadyRunning, lock_home, make_secrets, read_json, write_json
from dispatch.supervisor.inbox import choose_ports, smtp_url

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOOK_SECONDS = 0.1
WEB_READY_SECONDS = 180.0
PORT_SECONDS = 3.0
POSTGRES_STOP_SECONDS = 20.0
REDIS_STOP_SECONDS = 10.0
EXIT_WELL = 0
EXIT_FAILED = 1
EXIT_RUNNING_ALREADY = 3


class StartFailed(RuntimeError):
    """A step of the start went wrong; the message says which and where to read more."""


class StopAsked(Exception):
    """Somebody asked the supervisor to end (SIGTERM or Ctrl-C)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start: where, on which port, with the demo community or not, and how many of each."""

    home: Path
    host: str
    port: int
    demo: bool
    workers: int = 1
    sweeps: int = 1
    beats: int = 1
    alarm: bool = True

    @property
    def base_url(self) -> str:
        """Where the pages are."""
        return f"http://{self.host}:{self.port}"

    def processes(self) -> list[tuple[str, str]]:
        """(name, command) of the house's own processes in the order of their start."""
        counts = {"web": 1, "worker": self.workers, "sweep": self.sweeps, "beat": self.beats}
        counts["alarm"] = int(self.alarm)
        if self.demo:
            counts = {"inbox": 1, **counts}
        return [
            (command if number == 1 else f"{command}-{number}", command)
            for command, count in counts.items()
            for number in range(1, count + 1)
        ]


def up(plan: Plan, environment: Mapping[str, str]) -> int:
    """Start everything, keep it alive until SIGTERM or Ctrl-C, stop it; returns the exit code.

    0: stopped as asked; 1: could not start; 3: this home is already running.
    """
    tell(f"后庆派单 · Houqing Dispatch — {plan.home}")
    try:
        holder = lock_home(plan.home)
    except AlreadyRunning as other:
        tell(f"已在运行(进程 {other})· already running (process {other}); {plan.base_url}")
        return EXIT_RUNNING_ALREADY
    with holder:
        return Supervisor(plan, dict(environment)).run()


@dataclass(slots=True)
class Supervisor:
    """One run of `dispatch up`."""

    plan: Plan
    inherited: dict[str, str]
    family: Family = field(init=False)
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.family = Family(self.plan.home / "processes.json", tell)
        self.environment = {
            **self.inherited,
            "DISPATCH_HOME": str(self.plan.home),
            "DISPATCH_HOST": self.plan.host,
            "DISPATCH_PORT": str(self.plan.port),
            "DISPATCH_DEMO": "1" if self.plan.demo else "0",
            "PYTHONUNBUFFERED": "1",
        }

    def run(self) -> int:
        """Start, watch, stop."""
        for number in STOP_SIGNALS:
            signal.signal(number, ask_to_stop)
        try:
            self.start()
            self.watch()
        except StopAsked:
            return EXIT_WELL
        except (StartFailed, ServerFailed, ServerMissing) as error:
            tell(f"启动失败 · start failed: {error}")
            return EXIT_FAILED
        finally:
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            tell("正在停止 · stopping")
            self.family.stop()
            tell("已全部停止 · everything has stopped")

    def start(self) -> None:
        """Redis, PostgreSQL, tables, demo, then the house; each waits for the one before."""
        refuse_taken_port(self.plan.host, self.plan.port)
        make_secrets(self.plan.home)
        self.start_redis()
        self.start_postgres()
        self.once("更新数据库结构 · migrating the database", "init")
        if self.plan.demo:
            self.load_demo()
        for name, command in self.plan.processes():
            tell(f"启动 {name} · starting {name}")
            self.family.add(house_child(name, command, self.plan.home, self.environment))
        self.wait_for_web()
        self.say_where()

    def start_redis(self) -> None:
        """Start the embedded Redis, unless DISPATCH_REDIS_URL names another."""
        if self.inherited.get("DISPATCH_REDIS_URL"):
            tell("使用 DISPATCH_REDIS_URL 的 Redis · using the Redis of DISPATCH_REDIS_URL")
            return
        server = RedisServer(self.plan.home, find_redis(self.inherited), self.log("redis"))
        tell(f"启动 Redis · starting Redis ({server.program.name})")
        self.family.add(Child("redis", server.start, signal.SIGTERM, REDIS_STOP_SECONDS))
        server.wait_ready()

    def start_postgres(self) -> None:
        """Start the embedded PostgreSQL, unless DISPATCH_DATABASE_URL names another."""
        if self.inherited.get("DISPATCH_DATABASE_URL"):
            tell("使用 DISPATCH_DATABASE_URL 的数据库 · using the database of DISPATCH_DATABASE_URL")
            return
        server = PostgresServer(self.plan.home, find_postgres(self.inherited), self.log("postgres"))
        first = "" if server.data.exists() else ",首次建库 · making its cluster first"
        tell(f"启动 PostgreSQL · starting PostgreSQL{first}")
        self.family.add(Child("postgres", server.start, signal.SIGINT, POSTGRES_STOP_SECONDS))
        server.wait_ready()

    def load_demo(self) -> None:
        """Load the demo community once; a home that has it only learns its new addresses.

        Its firms' webhooks and its mail lead to the demo inbox, unless DISPATCH_SMTP_URL names a mail server.
        """
        ports, are_new = choose_ports(self.plan.home)
        if not self.environment.get("DISPATCH_SMTP_URL"):
            self.environment["DISPATCH_SMTP_URL"] = smtp_url(ports)
        path = self.plan.home / "demo.json"
        if are_new or not path.exists():
            self.once("载入演示社区 · loading the demo community", "demo")
        content = read_json(path)
        if content and content.get("base_url") != self.plan.base_url:
            write_json(path, {**content, "base_url": self.plan.base_url})

    def once(self, what: str, command: str) -> None:
        """Run one `dispatch` command to its end; raises StartFailed with the end of its log."""
        began = time.monotonic()
        tell(what)
        log = self.log(command)
        if run_once((command,), log, self.environment) != 0:
            message = f"dispatch {command}; {log}\n{last_lines(log)}"
            raise StartFailed(message)
        tell(f"  {time.monotonic() - began:.1f} s")

    def wait_for_web(self) -> None:
        """Return when /readyz answers 200; children that end meanwhile are started again."""

        def ready() -> bool:
            self.family.look()
            return answers_ready(self.plan.host, self.plan.port)

        wait_until(ready, None, "web", WEB_READY_SECONDS, self.log("web"))

    def watch(self) -> None:
        """Keep the children alive until somebody asks to stop."""
        while True:
            self.family.look()
            time.sleep(LOOK_SECONDS)

    def say_where(self) -> None:
        """Print the addresses and, in the demo, who can log in."""
        tell(f"就绪 · ready: {self.plan.base_url}")
        tell(f"  日志 · logs: {self.plan.home / 'logs'}")
        for line in login_lines(read_json(self.plan.home / "demo.json") if self.plan.demo else {}):
            tell(line)
        tell("按 Ctrl-C 停止 · Ctrl-C stops everything")

    def log(self, name: str) -> Path:
        """The log file of one process."""
        return self.plan.home / "logs" / f"{name}.log"


def tell(line: str) -> None:
    """Say one line to the terminal at once."""
    print(line, flush=True)


def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
    """Signal handler: leave whatever is going on and stop in order."""
    raise StopAsked


def login_lines(demo: Mapping[str, object]) -> list[str]:
    """The demo's accounts as lines for the terminal: role, log-in, password."""
    accounts = demo.get("accounts")
    if not isinstance(accounts, list):
        return []
    rows = [[str(account.get(key, "")) for key in ("role", "login", "password")] for account in accounts]
    columns = [f"  {role:<16}{login:<20}{password}" for role, login, password in rows]
    return ["演示账号 · demo log-ins:", *columns]


def refuse_taken_port(host: str, port: int) -> None:
    """Raise StartFailed when something else keeps listening on the port.

    The children of a supervisor that was killed a moment ago get the time to leave.
    """
    limit = time.monotonic() + PORT_SECONDS
    while (reason := why_taken(host, port)) is not None:
        if time.monotonic() > limit:
            message = f"端口 {port} 不可用 · port {port} cannot be used ({reason}); --port"
            raise StartFailed(message)
        time.sleep(LOOK_SECONDS)


def why_taken(host: str, port: int) -> str | None:
    """The reason why this address cannot be bound, or None when it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror
    return None


def answers_ready(host: str, port: int) -> bool:
    """Whether GET /readyz answers 200."""
    request = f"GET /readyz HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode()
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(request)
            first = connection.recv(64).split(b"\r\n")[0].split()
    except OSError:
        return False
    return first[1:2] == [b"200"]
