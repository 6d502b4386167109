"""Looking at real processes from the tests: who lives, who descends from whom, which port is free."""

import socket
from pathlib import Path


def is_alive(number: int) -> bool:
    """Whether a process with this number runs (a zombie does not)."""
    return _state_and_parent(number) is not None


def descendants(root: int) -> set[int]:
    """The numbers of all living processes below `root`."""
    parents = {
        int(folder.name): found[1]
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and (found := _state_and_parent(int(folder.name))) is not None
    }
    found = {root}
    while more := {number for number, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def free_port() -> int:
    """A port of the loopback address on which nothing listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _state_and_parent(number: int) -> tuple[str, int] | None:
    try:
        words = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if words[0] in "ZX" else (words[0], int(words[1]))
