"""Alarm devices: a town that polls each minute and a storm within a second, through the real receiver and a worker."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.house import House
from benchmarks.measure import tell
from config.settings import get_settings
from dispatch.commands import worker
from tests.alarms.wire import PRESS, Caller, answer_to

AIM = 1.0
WAIT_SECONDS = 30.0
STORM_AFTER = 1 / 3
"""Of the polling time, until the storm breaks."""

TOWN = """
INSERT INTO alarm_devices (uid, community_id, number, account, model, state, resident_id, household_id, consented_at,
    consent_by, installed_at, tested_at)
SELECT gen_random_uuid(), community_id, 'BENCH-' || place, upper(to_hex(x'B0000'::int + place)), 'standard', 'tested',
    id, household_id, dispatch_now(), 'self', dispatch_now(), dispatch_now()
FROM (SELECT residents.*, row_number() OVER (ORDER BY id) AS place FROM residents WHERE household_id IS NOT NULL
    AND left_at IS NULL AND id NOT IN (SELECT resident_id FROM alarm_devices WHERE resident_id IS NOT NULL)) AS free
WHERE place <= %s RETURNING account
"""
STATES = (
    "INSERT INTO alarm_states (device_id, community_id) SELECT id, community_id FROM alarm_devices "
    "WHERE number LIKE 'BENCH-%'"
)
OUT = (
    "SELECT count(*), count(*) FILTER (WHERE orders.state NOT IN ('received', 'awaiting_dispatch')), "
    "count(DISTINCT orders.id), count(*) FILTER (WHERE orders.urgency = 'emergency') FROM alarm_events "
    "JOIN alarm_devices ON alarm_devices.id = device_id JOIN orders ON orders.id = order_id "
    "WHERE alarm_devices.number LIKE 'BENCH-%'"
)


@dataclass(slots=True)
class Town:
    """Devices and what each waited for its answer, in seconds."""

    port: int
    polls: list[float] = field(default_factory=list)
    presses: list[float] = field(default_factory=list)
    unanswered: int = 0

    async def say(self, account: str, event: str, delay: float, waited: list[float]) -> None:
        """Connect after some time, send one frame, wait for its ACK."""
        await asyncio.sleep(delay)
        frame = Caller(self.port, account).frame(event, 1 if event else 0)
        began = time.monotonic()
        try:
            word = await asyncio.wait_for(answer_to(self.port, frame), WAIT_SECONDS)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            word = ""
        if word == "ACK":
            waited.append(time.monotonic() - began)
        else:
            self.unanswered += 1

    async def live(self, accounts: Sequence[str], pressing: int, seconds: float) -> None:
        """All poll once, spread over the time; so many press within one second of it."""
        work: list[Coroutine[Any, Any, None]] = [
            self.say(account, "", place * seconds / len(accounts), self.polls) for place, account in enumerate(accounts)
        ]
        work += [
            self.say(account, PRESS, seconds * STORM_AFTER + place / pressing, self.presses)
            for place, account in enumerate(accounts[:pressing])
        ]
        await asyncio.gather(*work)


def measure(house: House, *, short: bool) -> None:
    """Measure and print."""
    devices, pressing, seconds = (200, 40, 10.0) if short else (1_000, 200, 60.0)
    tell(f"== Alarms: {devices:,} devices poll within {seconds:.0f} s, {pressing} of them press within one second")
    with house.owner() as owner, house.child("worker", worker.command(get_settings())):
        accounts = [str(row[0]) for row in owner.execute(TOWN, (devices,)).fetchall()]
        owner.execute(STATES)
        for name, those, number, span in (
            ("one alarm in calm", accounts[-1:], 1, 1.0),
            ("the storm", accounts, pressing, seconds),
        ):
            town = Town(get_settings().alarm_port)
            asyncio.run(town.live(those, number, span))
            tell_times(f"{name}, frame to ACK (event and order are committed by then)", town.presses)
            tell_times("    polls beside it, frame to ACK", town.polls)
            tell(f"    {town.unanswered} without an answer")
        began = time.monotonic()
        while time.monotonic() - began < WAIT_SECONDS:
            events, routed, orders, emergencies = owner.execute(OUT).fetchone() or (0, 0, 0, 0)
            if routed == events:
                break
            time.sleep(0.05)
        tell(f"    {events} events, {orders} orders, {emergencies} emergencies, {routed} of them routed by the worker")


def tell_times(name: str, waited: Sequence[float]) -> None:
    """Print how long it took: half, nearly all, the slowest; and whether the aim is reached."""
    ordered = sorted(waited)
    if not ordered:
        tell(f"{name}: NONE")
        return
    half, most, last = (ordered[int((len(ordered) - 1) * part)] for part in (0.5, 0.99, 1))
    verdict = "reached" if last < AIM else "NOT REACHED"
    tell(f"{name}: {half:.3f} s half, {most:.3f} s 99 %, {last:.3f} s slowest (aim < {AIM:.0f} s: {verdict})")
