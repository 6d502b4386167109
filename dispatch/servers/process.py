"""Children of this process: started, tied to its life, waited for, ended."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.02


class ServerFailed(RuntimeError):
    """A server ended, or did not become ready in time."""


def dies_with_parent(death_signal: int) -> Callable[[], None]:
    """A function for the new child: the kernel sends it `death_signal` when its parent ends, even by kill -9.

    Linux only; elsewhere the supervisor's own clean stop is all there is.
    """
    parent = os.getpid()
    library = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def in_the_child() -> None:
        if library is not None:
            library.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return in_the_child


def stop_process(process: subprocess.Popen[bytes], stop_signal: int, seconds: float) -> None:
    """Ask a child to end, wait `seconds`, then kill its whole process group."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    kill_group(process.pid)


def kill_group(group: int) -> None:
    """End what is left of a child's process group (its own children that outlived it)."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def spawn(
    command: Sequence[str],
    log: Path,
    death_signal: int,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in its own process group, its output appended to `log`, tied to this process's life."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            group="nogroup" if user else None,
            extra_groups=[] if user else None,
            env=dict(os.environ if environment is None else environment),
            process_group=0,
            # PLW1509: only this single-threaded supervisor and the test run start servers
            preexec_fn=dies_with_parent(death_signal),  # noqa: PLW1509
        )


def run_quietly(command: Sequence[str], log: Path, user: str | None, text: str = "") -> None:
    """Run a program to its end with `text` as its input; raises ServerFailed with the end of its output."""
    log.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command,
        input=text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        user=user,
        group="nogroup" if user else None,
        extra_groups=[] if user else None,
    )
    with log.open("ab") as output:
        output.write(done.stdout)
    if done.returncode != 0:
        reason = f"{Path(command[0]).name} failed:\n{done.stdout.decode(errors='replace')[-2000:]}"
        raise ServerFailed(reason)


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes] | None, name: str, seconds: float, log: Path
) -> None:
    """Poll `ready` until it is true; raises ServerFailed when the process ends or the time is over."""
    limit = time.monotonic() + seconds
    while not ready():
        if process is not None and process.poll() is not None:
            reason = f"{name} ended with code {process.returncode}; see {log}"
            raise ServerFailed(reason)
        if time.monotonic() > limit:
            reason = f"{name} was not ready after {seconds:.0f} s; see {log}"
            raise ServerFailed(reason)
        time.sleep(POLL_SECONDS)


def private_folder(folder: Path, user: str | None = None) -> Path:
    """Make a folder that only its owner can enter (this user, or `user` where given) and return it.

    Raises ServerFailed when the folder belongs to somebody else: a socket there could be a trap.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if user is not None:
        shutil.chown(folder, user)
    elif folder.stat().st_uid != os.geteuid():
        reason = f"{folder} belongs to another user"
        raise ServerFailed(reason)
    folder.chmod(0o700)
    return folder
