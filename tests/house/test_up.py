"""`dispatch up` as a whole, with the real processes: ready, every process replaced, nothing left."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dispatch.cli import COMMANDS, main
from dispatch.servers.process import wait_until
from dispatch.supervisor.home import read_json
from dispatch.supervisor.run import answers_ready
from tests.conftest import ROOT
from tests.processes import descendants, free_port

NAMES = ("redis", "postgres", "web", "worker", "sweep", "beat", "alarm")


@pytest.fixture
def home() -> Iterator[Path]:
    """A short folder: a socket's path has no room for pytest's long ones."""
    with tempfile.TemporaryDirectory(prefix="hq-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def running(home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A `dispatch up` that has said where it is; killed in the end if it still runs."""
    command = [sys.executable, "-m", "dispatch.cli", "up", "--no-demo", f"--home={home}", f"--port={port}"]
    said = home / "said"
    with said.open("wb") as output, subprocess.Popen(command, cwd=ROOT, stdout=output) as supervisor:
        try:
            wait_until(lambda: "ready:" in said.read_text(encoding="utf-8"), supervisor, "up", 120, said)
            yield supervisor
        finally:
            supervisor.kill()


def test_up_is_ready_replaces_every_killed_process_and_ends_cleanly(home: Path) -> None:
    port = free_port()
    with running(home, port) as supervisor:
        first = read_json(home / "processes.json")
        assert set(first) == set(NAMES)
        for name in NAMES:
            os.kill(first[name], signal.SIGKILL)

        def all_are_new() -> bool:
            now = read_json(home / "processes.json")
            return set(now) == set(NAMES) and all(now[name] != first[name] for name in NAMES)

        wait_until(all_are_new, supervisor, "processes", 120, home / "said")
        wait_until(lambda: answers_ready("127.0.0.1", port), supervisor, "web", 120, home / "said")
        below = descendants(supervisor.pid)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(60) == 0
        assert not [process for process in below if process.lives]


def test_nothing_of_a_killed_up_survives_and_the_same_home_starts_again(home: Path) -> None:
    port = free_port()
    with running(home, port) as supervisor:
        below = descendants(supervisor.pid)
        assert len(below) > len(NAMES)
        supervisor.kill()
        supervisor.wait()
        wait_until(lambda: not any(process.lives for process in below), None, "all", 60, home / "said")
    with running(home, port) as supervisor:
        assert answers_ready("127.0.0.1", port)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_helps(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: dispatch {name}")
