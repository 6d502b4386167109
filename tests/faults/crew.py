"""A crew of a machine of its own: worker, sweeper and beat that the test starts, with the true time or a wrong one.

The wrong time is real to them: libfaketime answers when they ask their machine. What measures how long something
takes (the monotonic clock) stays right, as on a machine whose clock was set wrong.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatch.supervisor.children import Family, house_child
from tests.faults.town import Town

READY = {"worker": "[queues]", "sweep": '"sweeper_started"', "beat": "maxinterval"}
"""The members of a crew, and what each says in its log as soon as it works."""
WITHOUT_WORKER = ("sweep", "beat")
RIGHT = "+0"
LIBRARIES = Path("/usr/lib")
SHARED = Path("/dev/shm")  # noqa: S108 - the place is libfaketime's
"""Where libfaketime leaves what it shares with its children."""
LEFT = ("faketime_shm_*", "sem.faketime_sem_*")
LIBRARY = "*/faketime/libfaketimeMT.so.1"
MACHINE = Path(__file__).parent / "machine"
"""What each Python of a machine with a wrong clock reads first."""
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Crew:
    """The processes of one machine beside a town."""

    town: Town
    name: str
    has_own_clock: bool

    @property
    def time_file(self) -> Path:
        """Where libfaketime reads how far this machine's clock is away."""
        return self.town.home / f"{self.name}.time"

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes a process one of this machine."""
        if not self.has_own_clock:
            return self.town.environment
        return {
            **self.town.environment,
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self.time_file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": str(MACHINE),
        }

    def set_clock(self, away: str) -> None:
        """Let this machine's clock be so far from the true time: +5m, -3h, +1d, or +0."""
        fresh = self.time_file.with_suffix(".new")
        fresh.write_text(f"{away}\n", encoding="ascii")
        fresh.replace(self.time_file)

    def said(self, event: str, *members: str) -> int:
        """How many lines of its logs tell of an event."""
        return sum(self.log(member).count(f'"{event}"') for member in members or READY)

    def log(self, member: str) -> str:
        """All that a member has written so far."""
        log = self.town.home / "logs" / f"{self.name}-{member}.log"
        return log.read_text(encoding="utf-8") if log.is_file() else ""

    def starts(self, member: str) -> int:
        """How often a member has begun to work."""
        return self.log(member).count(READY[member])


def library() -> Path:
    """Debian's libfaketime; without it the test is skipped and says what to install."""
    found = next(iter(sorted(LIBRARIES.glob(LIBRARY))), None)
    if found is None:
        pytest.skip("no libfaketime on this machine: apt-get install faketime")
    return found


@contextmanager
def crew(town: Town, name: str, away: str | None = None, *, members: tuple[str, ...] = tuple(READY)) -> Iterator[Crew]:
    """The members, at work, until the block ends; with a clock of their own when it says how far away."""
    started = Crew(town, name, has_own_clock=away is not None)
    started.set_clock(away or RIGHT)
    before, left = {member: started.starts(member) for member in members}, leavings()
    family = Family(town.home / f"{name}.json", lambda _: None)
    for member in members:
        family.add(house_child(f"{name}-{member}", member, town.home, started.environment))
    try:
        for member in members:
            town.until(lambda one=member: started.starts(one) > before[one], f"{name}-{member}", START_SECONDS)
        yield started
    finally:
        family.stop()
        for each in leavings() - left:
            each.unlink(missing_ok=True)


def leavings() -> set[Path]:
    """What libfaketime has put into the shared memory of this machine."""
    return {each for pattern in LEFT for each in SHARED.glob(pattern)}
