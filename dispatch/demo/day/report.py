"""The end of the lived day: every 201 is looked for, every assignment counted, and the whole told in lines."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from dispatch.demo.day.story import Story
from dispatch.demo.day.wire import Wire
from dispatch.gateways.messages.received import Received, arrivals, log_path
from dispatch.rules.orders.states import ENDED, LABELS, OrderState

OK = 200
MOST_MAILS = 2
FREED_BY = frozenset({"withdraw_performer", "reopen", "reassign", "retry_routing", "dispatch"})
FEWEST_FOR_QUANTILES = 2


@dataclass(slots=True)
class Findings:
    """What the checker found; `faults` are sentences, empty when the promise was kept."""

    states: Counter[str] = field(default_factory=Counter)
    first_round: int = 0
    lapses: int = 0
    reopened: int = 0
    minutes: list[float] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        """Whether nothing is lost and nothing was done twice."""
        return not self.faults


def check(wire: Wire, key: str, story: Story, home: Path, first_line: int) -> Findings:
    """Look for every order that was answered with 201, and read the receivers' log."""
    found = Findings()
    for number in story.orders:
        answer = wire.api(key, "GET", f"/api/orders/{number}")
        if answer.status != OK:
            found.faults.append(f"{number}: lost ({answer.status})")
            continue
        check_order(found, answer.json())
        check_history(found, number, wire.api(key, "GET", f"/api/orders/{number}/history").json()["items"])
        offers = wire.api(key, "GET", f"/api/orders/{number}/offers").json()["items"]
        found.lapses += sum(offer["outcome"] == "lapsed" for offer in offers)
    check_received(found, (one for one in arrivals(log_path(home)) if one.number > first_line))
    return found


def check_order(found: Findings, order: Mapping[str, Any]) -> None:
    """The order is in a known state; note what it tells of the day."""
    state = order["state"]
    found.states[state] += 1
    if state not in set(OrderState):
        found.faults.append(f"{order['number']}: unknown state {state}")
    found.reopened += order["reopened"]


def check_history(found: Findings, number: str, events: list[Mapping[str, Any]]) -> None:
    """Versions without a gap, and nobody else assigned while somebody is."""
    if [event["version"] for event in events] != list(range(1, len(events) + 1)):
        found.faults.append(f"{number}: its history has a gap")
    held, accepted = False, False
    for event in events:
        if event["action"] == "accept":
            if held:
                found.faults.append(f"{number}: assigned twice")
            if not accepted:
                note_first_accept(found, events[0]["at"], event)
            held = accepted = True
        elif event["action"] in FREED_BY:
            held = False


def note_first_accept(found: Findings, placed_at: str, event: Mapping[str, Any]) -> None:
    """How long the first acceptance took, and in which round it was."""
    took = datetime.fromisoformat(event["at"]) - datetime.fromisoformat(placed_at)
    found.minutes.append(took.total_seconds() / 60)
    found.first_round += event["facts"].get("round") == 1


def check_received(found: Findings, received: Iterable[Received]) -> None:
    """Each link came in one message; webhooks are deduped by their id, a mail comes at most twice."""
    messages: dict[str, set[str]] = {}
    times: Counter[tuple[str, str]] = Counter()
    for one in received:
        times[one.channel, one.message_id] += 1
        if one.link:
            messages.setdefault(f"{one.performer_code} {one.link}", set()).add(one.message_id)
    for (channel, message), count in times.items():
        found.repeats[channel] += count - 1
        if channel == "email" and count > MOST_MAILS:
            found.faults.append(f"mail {message}: came {count} times")
    for ids in messages.values():
        if len(ids) > 1:
            found.faults.append(f"one offer was told in {len(ids)} different messages: {sorted(ids)}")


def lines(story: Story, found: Findings, kills: int, repeats: int) -> list[str]:
    """The report as people read it."""
    placed = len(story.orders)
    told = [
        f"接到并登记 · placed: {placed} (拒绝 · refused: {len(story.refused)})",
        "结束状态 · end states: "
        + ", ".join(f"{LABELS[OrderState(state)]} {count}" for state, count in found.states.most_common()),
        f"首轮接单 · accepted in the first round: {found.first_round} / {len(found.minutes)}",
        f"超时未答 · lapses: {found.lapses}    重办 · reopened: {found.reopened}",
        f"接单分钟 · minutes to accept: {spread(found.minutes)}",
        f"杀掉的进程 · workers killed: {kills}    重发的请求 · requests repeated: {repeats}",
        "重复收到 · repeats received: "
        + (", ".join(f"{channel} {count}" for channel, count in sorted(found.repeats.items())) or "0"),
    ]
    told += [f"  {name}: {count}" for name, count in sorted(story.counts.items())]
    told += [f"  拒绝 · refused: {line}" for line in story.refused[:10]]
    ended = sum(count for state, count in found.states.items() if OrderState(state) in ENDED)
    told.append(f"办完 · ended: {ended} / {placed}")
    told += [f"违约 · BROKEN: {fault}" for fault in found.faults]
    told.append("守约 · nothing lost, nothing twice" if found.is_kept else f"违约 {len(found.faults)} 处 · faults")
    return told


def spread(minutes: list[float]) -> str:
    """Middle, nine tenths and most, in minutes."""
    if len(minutes) < FEWEST_FOR_QUANTILES:
        return "—"
    return f"p50 {median(minutes):.1f}, p90 {quantiles(minutes, n=10)[-1]:.1f}, max {max(minutes):.1f}"
