"""Alarm devices: a town that polls each minute and a storm within a second, through the real receiver and a worker."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from benchmarks import bare_receiver
from benchmarks.house import HOST, House, module_command
from benchmarks.measure import tell
from benchmarks.processor import used
from config.settings import APP_ROLE, get_settings
from dispatch.commands import worker
from dispatch.servers.process import wait_until
from dispatch.supervisor.inbox import free_ports
from tests.alarms.wire import PRESS, Caller, answer_to

MINUTE = 60.0
AIM = 1.0
WAIT_SECONDS = 30.0
STORM_AFTER = 1 / 3
"""Of the polling time, until the storm breaks."""

PEER_SECONDS = 3.0

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

    async def live(self, polling: Sequence[str], pressing: Sequence[str], seconds: float) -> None:
        """Some poll, spread over the time; some press within one second of it."""
        work: list[Coroutine[Any, Any, None]] = [
            self.say(account, "", place * seconds / len(polling), self.polls) for place, account in enumerate(polling)
        ]
        work += [
            self.say(account, PRESS, seconds * STORM_AFTER + place / len(pressing), self.presses)
            for place, account in enumerate(pressing)
        ]
        await asyncio.gather(*work)


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the town and its storms are; in a minute every device polls once."""

    devices: int
    pressing: int
    seconds: float
    rounds: int

    def polling(self, accounts: Sequence[str], seconds: float) -> Sequence[str]:
        """Those whose turn to poll comes within so many seconds."""
        return accounts[: max(1, round(len(accounts) * seconds / MINUTE))]


def measure(house: House, *, short: bool) -> None:
    """Measure and print."""
    plan = Plan(200, 40, 6.0, 1) if short else Plan(1_000, 200, 20.0, 3)
    tell(
        f"== Alarms: {plan.devices:,} devices poll once a minute, {plan.pressing} press within one second, "
        f"{plan.rounds} times; in turns with a receiver that keeps each frame as one row"
    )
    port = free_ports()["http"]
    with house.owner() as owner:
        owner.execute(bare_receiver.TABLE)
        owner.execute(f"GRANT SELECT, INSERT ON bare_frames TO {APP_ROLE}")
        peer = house.child("bare_receiver", module_command("benchmarks.bare_receiver", str(port)))
        with house.child("worker", worker.command(get_settings())), peer as process:
            accounts = [str(row[0]) for row in owner.execute(TOWN, (plan.devices,)).fetchall()]
            owner.execute(STATES)
            wait_until(lambda: listens(port), process, "bare_receiver", WAIT_SECONDS, house.log("bare_receiver"))
            blow(plan, accounts, port)
            tell_orders(owner)


def blow(plan: Plan, accounts: list[str], peer_port: int) -> None:
    """One press in calm, then storms: the peer's and ours in turns, each of ours on other devices."""
    calm = town_after(get_settings().alarm_port, accounts[-1:], accounts[-1:], 1.0)
    tell_times("one press in calm, frame to ACK", calm.presses, AIM)
    ours, theirs, cost = Town(get_settings().alarm_port), Town(peer_port), Counter[str]()
    for place in range(plan.rounds):
        pressing = accounts[place * plan.pressing : (place + 1) * plan.pressing]
        asyncio.run(theirs.live(plan.polling(accounts, PEER_SECONDS), pressing, PEER_SECONDS))
        before = used()
        asyncio.run(ours.live(plan.polling(accounts, plan.seconds), pressing, plan.seconds))
        cost += used() - before
    tell_times("the storm, frame to ACK (event and order are committed by then)", ours.presses, AIM)
    tell_times("    its peer: one row a frame is committed by then", theirs.presses)
    tell_ratio(ours.presses, theirs.presses)
    tell_times("    polls beside it, frame to ACK", ours.polls)
    tell(f"    {calm.unanswered + ours.unanswered + theirs.unanswered} without an answer")
    each = ", ".join(f"{name} {1_000 * seconds / len(ours.presses):.1f} ms" for name, seconds in sorted(cost.items()))
    tell(f"    processor time by presses, polls and routing included: {each}")


def town_after(port: int, polling: Sequence[str], pressing: Sequence[str], seconds: float) -> Town:
    """A town that has lived for some seconds."""
    town = Town(port)
    asyncio.run(town.live(polling, pressing, seconds))
    return town


def listens(port: int) -> bool:
    """Whether somebody can connect."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def tell_orders(owner: psycopg.Connection) -> None:
    """Print what the presses have become, once the worker has routed it."""
    began = time.monotonic()
    while time.monotonic() - began < WAIT_SECONDS:
        events, routed, orders, emergencies = owner.execute(OUT).fetchone() or (0, 0, 0, 0)
        if routed == events:
            break
        time.sleep(0.05)
    tell(f"    {events} events, {orders} orders, {emergencies} emergencies, {routed} of them routed by the worker")


def parts(waited: Sequence[float]) -> tuple[float, float, float]:
    """Half, 95 of a hundred and all of them were answered within so many seconds."""
    ordered = sorted(waited)
    half, most, last = (ordered[int((len(ordered) - 1) * part)] for part in (0.5, 0.95, 1))
    return half, most, last


def tell_times(name: str, waited: Sequence[float], aim: float | None = None) -> None:
    """Print how long it took, and whether the aim is reached by the slowest."""
    if not waited:
        tell(f"{name}: NONE")
        return
    half, most, last = parts(waited)
    verdict = "" if aim is None else f" (aim < {aim:.0f} s: {'reached' if last < aim else 'NOT REACHED'})"
    tell(f"{name}: {half:.3f} s median, {most:.3f} s 95 %, {last:.3f} s slowest{verdict}")


def tell_ratio(ours: Sequence[float], theirs: Sequence[float]) -> None:
    """Print by how much ours took longer than the peer's."""
    if ours and theirs:
        half, most, last = (mine / its for mine, its in zip(parts(ours), parts(theirs), strict=True))
        tell(f"    by the peer's: {half:.1f} median, {most:.1f} 95 %, {last:.1f} slowest")
