"""The offline check: only the database's history and the receivers' own log, after the dust has settled."""

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

from dispatch.gateways.messages.received import arrivals, log_path
from dispatch.rules.queue import LEASE_SECONDS, Lane
from tests.faults.flow import Flow
from tests.faults.town import Town

SETTLE_SECONDS = 240.0
KNOWN_PLACES = (
    "'offered', 'accepted', 'arrived', 'finished', 'fed_back', 'calling_back', 'closed', 'archived', "
    "'awaiting_human', 'voided'"
)
ASTRAY = (
    "FROM orders JOIN services ON services.id = orders.service_id "
    f"WHERE NOT is_canary AND state NOT IN ({KNOWN_PLACES}) AND NOT (state = 'dispatched' AND signed_for)"
)
"""A kind that is signed for waits, dispatched, for its team's signature."""
UNSETTLED = (
    f"SELECT (SELECT count(*) {ASTRAY}) "  # noqa: S608 - our own words
    "+ (SELECT count(*) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL AND lane <= %(lane)s "
    "AND (run_at < dispatch_now() OR attempts > 0)) "
    "+ (SELECT count(*) FROM notices WHERE state = 'waiting')"
)
MOST_WITHOUT_DEDUPE = 2


@dataclass(slots=True)
class Finding:
    """The figures of one fault, and what is wrong (nothing should be)."""

    name: str
    orders: int
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    assigned_twice: list[str] = field(default_factory=list)
    notified_twice: list[str] = field(default_factory=list)
    astray: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    stranded: list[str] = field(default_factory=list)
    repeats: int = 0
    accepted: int = 0
    hits: int = 0
    seconds: float = 0.0

    @property
    def wrong(self) -> list[str]:
        """Everything that breaks the promise."""
        return [
            *(*self.lost, *self.doubled, *self.assigned_twice, *self.notified_twice, *self.astray),
            *(*self.crashed, *self.early, *self.stranded),
        ]

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.orders} orders, {self.hits} hits, {len(self.lost)} lost, {len(self.doubled)} doubled, "
            f"{self.accepted} accepted, {len(self.assigned_twice)} assigned twice, "
            f"{len(self.notified_twice)} notified twice, {self.repeats} repeats that receivers recognised, "
            f"{len(self.astray)} in no known place, {len(self.early)} lapsed early, {self.seconds:.0f} s"
        )


def settle(town: Town, up_to: Lane = Lane.DEADLINE) -> None:
    """Wait until nothing is on its way any more, as far as these lanes do it."""
    town.until(lambda: town.rows(UNSETTLED, {"lane": int(up_to)})[0][0] == 0, "settling", SETTLE_SECONDS)


def check(town: Town, flow: Flow) -> Finding:
    """Look at the orders of one flow, and at the whole log of the receivers."""
    finding = Finding(flow.name, flow.orders)
    found = Counter[str]()
    numbers: dict[str, str] = {}
    for key, number in town.rows("SELECT description, number FROM orders WHERE source = 'api'"):
        found[key] += 1
        numbers[key] = number
    for key in flow.keys:
        if flow.numbers.get(key) != numbers.get(key) or key not in flow.numbers:
            finding.lost.append(f"{key}: answered {flow.numbers.get(key)}, stored {numbers.get(key)}")
        if found[key] > 1:
            finding.doubled.append(f"{key}: {found[key]} orders")
    finding.crashed = [f"{what} times {count}" for what, count in flow.told.items() if what.endswith(" 500")]
    finding.doubled += [f"{key}: two answers" for key in flow.clashes]
    look_at_assignments(town, flow, finding)
    look_at_notices(town, finding)
    look_at_places(town, finding)
    look_at_times(town, finding)
    finding.hits, finding.seconds = town.hits.total(), monotonic() - flow.began
    town.hits.clear()
    return finding


def look_at_assignments(town: Town, flow: Flow, finding: Finding) -> None:
    """One open round, one taker a round and a cycle; who was told that they have it has it."""
    for query in (
        "SELECT offer_id FROM offer_recipients WHERE outcome = 'accepted' GROUP BY 1 HAVING count(*) > 1",
        "SELECT order_id FROM offers WHERE outcome = 'accepted' GROUP BY order_id, cycle HAVING count(*) > 1",
        "SELECT order_id FROM offers WHERE closed_at IS NULL GROUP BY 1 HAVING count(*) > 1",
        "SELECT order_id FROM offers GROUP BY order_id, round HAVING count(*) > 1",
    ):
        finding.assigned_twice += [f"{query}: {row[0]}" for row in town.rows(query)]
    rows = town.rows(
        "SELECT count(*) FROM orders WHERE accepted_at IS NOT NULL AND description = ANY(%(keys)s)", {"keys": flow.keys}
    )
    finding.accepted = rows[0][0]
    links = {one.link: one.order_number for one in arrivals(log_path(town.home)) if one.link}
    takers = Counter(links[link] for link in flow.taken)
    twice = [(number, count) for number, count in takers.items() if count > 1]
    finding.assigned_twice += [f"{number}: {count} firms were told yes" for number, count in twice]


def look_at_notices(town: Town, finding: Finding) -> None:
    """What is called delivered is in the receivers' log, once as new; elsewhere at most twice, with its number."""
    new, all_of = Counter[str](), Counter[str]()
    channels: dict[str, str] = {}
    for one in arrivals(log_path(town.home)):
        all_of[one.message_id] += 1
        channels[one.message_id] = one.channel
        new[one.message_id] += not one.repeat
        finding.repeats += one.repeat
    for message_id, count in all_of.items():
        if new[message_id] > 1:
            finding.notified_twice.append(f"{message_id}: taken as new {new[message_id]} times")
        if channels[message_id] == "email" and count > MOST_WITHOUT_DEDUPE:
            finding.notified_twice.append(f"{message_id}: {count} mails")
    for (dedupe,) in town.rows("SELECT dedupe FROM notices WHERE state = 'delivered' AND channel <> 'app'"):
        if dedupe not in all_of:
            finding.lost.append(f"notice {dedupe} is called delivered and never arrived")


def look_at_places(town: Town, finding: Finding) -> None:
    """Every order in a known place, no dead job without an alarm, no version missing."""
    for number, state in town.rows(f"SELECT number, state {ASTRAY}"):
        finding.astray.append(f"{number}: {state}")
    for number, count, last in town.rows(
        "SELECT number, count(event.version), max(event.version) FROM orders "
        "JOIN order_events AS event ON event.order_id = orders.id GROUP BY orders.id "
        "HAVING count(event.version) <> max(event.version) OR max(event.version) <> max(orders.version)"
    ):
        finding.astray.append(f"{number}: {count} events up to version {last}")


def look_at_times(town: Town, finding: Finding) -> None:
    """No round lapsed before its hold time by the database's clock; no lease ends further away than any may."""
    for offer_id, closed_at, done_at in town.rows(
        "SELECT offers.id, closed_at, jobs.done_at FROM offers "
        "LEFT JOIN jobs ON jobs.kind = 'orders.lapse' AND jobs.reference = offers.id "
        "WHERE outcome = 'lapsed' AND (closed_at < hold_until OR jobs.done_at < hold_until OR jobs.id IS NULL)"
    ):
        finding.early.append(f"offer {offer_id}: closed {closed_at}, done {done_at}")
    for job_id, lease_until in town.rows(
        "SELECT id, lease_until FROM jobs WHERE done_at IS NULL AND dead_at IS NULL "  # noqa: S608 - a number of ours
        f"AND lease_until > clock_timestamp() + interval '{LEASE_SECONDS + 5} seconds'"
    ):
        finding.stranded.append(f"job {job_id}: leased until {lease_until}")
