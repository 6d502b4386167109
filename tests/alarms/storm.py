"""A whole town of devices at once: polls each minute and alarms in a second, with a receiver that is killed."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.db import insert_rows
from dispatch.models.care import AlarmDevice, AlarmState
from dispatch.models.grid import Household, Resident
from dispatch.servers.process import wait_until
from tests.alarms.wire import PRESS, Caller, answer_to
from tests.conftest import ROOT, Database
from tests.factories.alarms import alarm_kinds
from tests.factories.world import World, make_world
from tests.processes import free_port

START_SECONDS = 120.0
PATIENCE = 3.0
"""A device waits so long for its answer before it sends the same frame again."""

PAUSE = 0.2
"""And so long before it connects again to a receiver that is not there."""


def make_town(session: Session, number: int) -> list[str]:
    """A world in which so many elders live alone with a device that was tested; the devices' accounts."""
    world = make_world(session)
    alarm_kinds(session, world)
    accounts = [f"{0xB0000 + place:X}" for place in range(number)]
    homes = insert_rows(session, Household, [home(world, place) for place in range(number)], "RETURNING id")
    at = homes.scalars().all()
    elders = [elder(world, place, household) for place, household in enumerate(at)]
    people = insert_rows(session, Resident, elders, "RETURNING id").scalars().all()
    now = clock.now(session)
    devices = [
        {
            "uid": str(uuid4()),
            "community_id": world.community.id,
            "number": f"N{place}",
            "account": account,
            "model": "standard",
            "state": "tested",
            "resident_id": people[place],
            "household_id": at[place],
            "consented_at": now,
            "consent_by": "self",
            "installed_at": now,
            "tested_at": now,
        }
        for place, account in enumerate(accounts)
    ]
    ids = insert_rows(session, AlarmDevice, devices, "RETURNING id").scalars().all()
    insert_rows(session, AlarmState, [{"device_id": one, "community_id": world.community.id} for one in ids])
    return accounts


def home(world: World, place: int) -> dict[str, object]:
    """A household in one of the stairwells."""
    stairwell = world.stairwells[place % len(world.stairwells)]
    return {"community_id": world.community.id, "stairwell_id": stairwell.id, "room": str(place)}


def elder(world: World, place: int, household_id: int) -> dict[str, object]:
    """Who lives there."""
    name = {"name": f"陈婆婆{place}", "name_key": f"chen {place}"}
    return {"uid": str(uuid4()), "community_id": world.community.id, "household_id": household_id, **name}


@dataclass(slots=True)
class Process:
    """`dispatch alarm`, as it runs now; killed and started again on the same port."""

    database: Database
    log: Path
    port: int = field(default_factory=free_port)
    running: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; who wants to know whether it listens tries."""
        environment = {
            **os.environ,
            "DISPATCH_DATABASE_URL": self.database.url,
            "DISPATCH_HOME": str(self.log.parent),
            "DISPATCH_ALARM_PORT": str(self.port),
            "DISPATCH_ALARM_PER_ADDRESS": "2000",
        }
        with self.log.open("ab") as output:
            command = [sys.executable, "-m", "dispatch.cli", "alarm"]
            self.running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)

    def listens(self) -> bool:
        """Whether somebody can connect."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """kill -9."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None


@contextmanager
def receiving(database: Database, log: Path) -> Iterator[Process]:
    """A receiver that runs until the block ends."""
    process = Process(database, log)
    process.start()
    try:
        wait_until(process.listens, process.running, "alarm", START_SECONDS, log)
        yield process
    finally:
        process.kill()


def run(work: "Coroutine[Any, Any, None]") -> None:
    """Do this in a loop of a thread of its own: a browser's test leaves one running in this thread."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@dataclass(slots=True)
class Storm:
    """Devices that all speak: how long each alarm took to its ACK, how many polls and repetitions there were."""

    process: Process
    seconds: list[float] = field(default_factory=list)
    polls: int = 0
    repeats: int = 0
    kills: int = 0

    async def send(self, frame: bytes) -> None:
        """Send a frame as a device does: again and again until it is acknowledged."""
        while True:
            try:
                word = await asyncio.wait_for(answer_to(self.process.port, frame), PATIENCE)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                word = ""
            if word == "ACK":
                return
            assert word == "", word
            self.repeats += 1
            await asyncio.sleep(PAUSE)

    async def alarm(self, account: str) -> None:
        """A press, until it is acknowledged."""
        began = monotonic()
        await self.send(Caller(0, account).frame(PRESS, 1))
        self.seconds.append(monotonic() - began)

    async def poll(self, account: str) -> None:
        """A poll, until it is acknowledged."""
        await self.send(Caller(0, account).frame())
        self.polls += 1

    async def blow(self, polling: list[str], pressing: list[str], *, kills: int) -> None:
        """All of them at once; the receiver is killed each time another part of the alarms is acknowledged."""
        tasks = [asyncio.create_task(self.poll(account)) for account in polling]
        tasks += [asyncio.create_task(self.alarm(account)) for account in pressing]
        for part in range(1, kills + 1):
            while len(self.seconds) < len(pressing) * part // (kills + 1):
                await asyncio.wait(tasks, timeout=0.01)
            self.process.kill()
            self.kills += 1
            self.process.start()
        await asyncio.gather(*tasks)

    def figures(self) -> str:
        """What was seen, in words."""
        ordered = sorted(self.seconds)
        middle, slowest = ordered[len(ordered) // 2], ordered[-1]
        return (
            f"{self.polls} polls, {len(ordered)} alarms acknowledged, {self.kills} kills, {self.repeats} repetitions; "
            f"press to ACK: half within {middle:.2f} s, all within {slowest:.2f} s"
        )
