"""Processor time by what processes are: what work costs, told also where a busy machine makes every clock late."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROC = Path("/proc")
PARENT, TIMES = 1, slice(11, 15)
"""Fields of /proc/…/stat behind the name: the parent; time of the process and of its children that have ended."""

TICKS = os.sysconf("SC_CLK_TCK")
KINDS = (("dispatch.workers.alarm", "receiver"), ("celery", "workers"), ("postgres", "database"))


@dataclass(frozen=True, slots=True)
class Process:
    """A process as it is now."""

    line: str
    parent: int
    seconds: float

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """What /proc says of it; None when it has ended meanwhile."""
        try:
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return cls(line, int(fields[PARENT]), sum(map(int, fields[TIMES])) / TICKS)


def used() -> Counter[str]:
    """Seconds that the processes below this one have taken so far, by what they are."""
    found = {int(one.name): process for one in PROC.iterdir() if one.name.isdigit() and (process := Process.read(one))}
    seconds: Counter[str] = Counter()
    for number, process in found.items():
        if os.getpid() in ancestors(number, found):
            seconds[next((name for word, name in KINDS if word in process.line), "others")] += process.seconds  # type: ignore[assignment]
    return seconds


def ancestors(number: int, found: dict[int, Process]) -> set[int]:
    """The processes above one."""
    above: set[int] = set()
    while number in found and found[number].parent not in above:
        number = found[number].parent
        above.add(number)
    return above
