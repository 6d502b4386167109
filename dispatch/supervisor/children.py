"""The children: what starts one, when it is started again, and the list of who is alive."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dispatch.servers.process import kill_group, spawn, stop_process
from dispatch.supervisor.backoff import BackOff
from dispatch.supervisor.home import write_json

Process = subprocess.Popen[bytes]


@dataclass(slots=True)
class Child:
    """One process that is kept alive: how it is started, and how it is asked to end."""

    name: str
    start: Callable[[], Process]
    stop_signal: int
    stop_seconds: float
    process: Process | None = None
    started_at: float = 0.0
    due_at: float | None = None
    back_off: BackOff = field(default_factory=BackOff)

    def launch(self, moment: float) -> None:
        """Start it now (`moment` in seconds of the monotonic clock)."""
        self.process = self.start()
        self.started_at = moment
        self.due_at = None

    def ended(self, moment: float) -> float:
        """Note that it ended and clear what it left; returns the seconds until it is started again."""
        if self.process is not None:
            kill_group(self.process.pid)
        due = self.back_off.after(moment - self.started_at)
        self.due_at = moment + due.seconds
        self.back_off = due.doubled()
        self.process = None
        return due.seconds

    def stop(self) -> None:
        """Ask it to end, wait its limit, then kill it and what it started."""
        self.due_at = None
        if self.process is not None:
            stop_process(self.process, self.stop_signal, self.stop_seconds)
            self.process = None


@dataclass(slots=True)
class Family:
    """All children in the order of their start; `record` always names the living ones with their numbers."""

    record: Path
    tell: Callable[[str], None]
    children: list[Child] = field(default_factory=list)

    def add(self, child: Child) -> None:
        """Start a child and keep it alive from now on."""
        self.children.append(child)
        child.launch(time.monotonic())
        self.write()

    def write(self) -> None:
        """Write the record: name → process number."""
        alive = {child.name: child.process.pid for child in self.children if child.process is not None}
        write_json(self.record, alive)

    def look(self) -> None:
        """Find who ended, and start again whose wait is over."""
        changed = False
        for child in self.children:
            changed = self._look_at(child, time.monotonic()) or changed
        if changed:
            self.write()

    def stop(self) -> None:
        """Stop all in the reverse order of their start."""
        for child in reversed(self.children):
            child.stop()
            self.write()

    def _look_at(self, child: Child, moment: float) -> bool:
        if child.process is not None and child.process.poll() is not None:
            code = child.process.returncode
            wait = child.ended(moment)
            self.tell(f"{child.name} 已退出 · ended ({code}); {wait:g} 秒后重启 · again in {wait:g} s")
            return True
        if child.process is None and child.due_at is not None and moment >= child.due_at:
            child.launch(moment)
            return True
        return False


def house_child(name: str, command: str, home: Path, environment: Mapping[str, str]) -> Child:
    """A child that is `dispatch <command>`, with its output in the home's logs."""
    limits = {"web": 12.0, "worker": 25.0, "sweep": 10.0, "beat": 5.0, "alarm": 10.0, "inbox": 5.0}
    # gunicorn's workers end with a quick stop; Celery's children are tied to their parent by themselves, and its own
    # quick stop can wait for ever on a lock when the machine is busy
    at_death = signal.SIGQUIT if command == "web" else signal.SIGKILL

    def start() -> Process:
        return spawn(house_command(command), home / "logs" / f"{name}.log", at_death, environment=environment)

    return Child(name, start, signal.SIGTERM, limits[command])


def house_command(*words: str) -> list[str]:
    """The command line of `dispatch …` with this interpreter."""
    return [sys.executable, "-m", "dispatch.cli", *words]


def run_once(words: tuple[str, ...], log: Path, environment: Mapping[str, str]) -> int:
    """Run `dispatch …` to its end; its output goes to `log`. Returns its exit code."""
    return spawn(house_command(*words), log, signal.SIGKILL, environment=environment).wait()


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, for the terminal of somebody whose start failed."""
    with log.open("rb") as file:
        return _tail(file, count)


def _tail(file: IO[bytes], count: int) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 20_000))
    return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
