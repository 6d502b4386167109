"""Looking at real processes from the tests: who lives, who descends from whom, which port is free."""

import socket
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process of this machine: its number and when it began, since numbers are given again."""

    number: int
    began: int

    @property
    def lives(self) -> bool:
        """Whether this very process still runs."""
        found = _stat(self.number)
        return found is not None and found.began == self.began


class Stat(NamedTuple):
    """What the kernel says of a living process."""

    parent: int
    began: int


def is_alive(number: int) -> bool:
    """Whether a process with this number runs (a zombie does not)."""
    return _stat(number) is not None


def descendants(root: int) -> set[Process]:
    """All living processes below `root`."""
    living = {
        int(folder.name): found
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and (found := _stat(int(folder.name))) is not None
    }
    below = {root}
    while more := {number for number, stat in living.items() if stat.parent in below} - below:
        below |= more
    return {Process(number, living[number].began) for number in below - {root}}


def free_port() -> int:
    """A port of the loopback address on which nothing listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stat(number: int) -> Stat | None:
    try:
        words = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if words[0] in "ZX" else Stat(parent=int(words[1]), began=int(words[19]))
