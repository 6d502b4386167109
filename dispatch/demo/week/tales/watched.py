"""Tales of orders that somebody watches: urged, supervised, neglected until every level has been told."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from dispatch.demo.day.firms import ACCEPT
from dispatch.demo.day.story import Manner, Told
from dispatch.demo.week.case import CONFLICT, REASON, SECOND_CALLS, Case
from dispatch.demo.week.director import Tale, Wait
from dispatch.demo.week.tales.asked import taken
from dispatch.rules.catalogue.levels import Audience
from dispatch.rules.orders.states import OrderState

URGED = 3
BETWEEN = timedelta(minutes=25)
AT_LAST = timedelta(days=13)
WITHIN_HOURS = timedelta(hours=5)
OF_LIFTS = {"team_head", "centre", "supervision"}
STORM = 8
TOLD_TOGETHER = re.compile(r"多张订单快到或已过时限</strong>.*?<time datetime=\"([^\"]+)\"", re.DOTALL)
"""A digest in somebody's inbox, with when it was told."""


def urged(case: Case) -> Tale:
    """催办: the resident rings three times; counted each time, the state stays."""
    yield from taken(case)
    for turn in range(URGED):
        if case.is_on_a_page and turn == 0:
            case.type("operator1", "urges", {"reason": "居民催问", "by_resident": "yes"})
        else:
            case.do("intake", "urges", {"reason": "居民催问", "by_resident": True})
        yield Wait(case.house.time.now() + BETWEEN)
    counts = [event["facts"]["count"] for event in case.events("urge") if event["actor_kind"] != "clock"]
    case.check(len(counts) == URGED, f"urged three times: {counts}")
    case.check(case.state() == OrderState.ACCEPTED, "where it was")
    case.work_on()


def supervised(case: Case) -> Tale:
    """督办 by the centre, with a closing check of its own."""
    yield from taken(case)
    case.do("centre", "supervision", {"reason": REASON})
    case.do("centre", "supervision", {"reason": REASON}, CONFLICT)
    case.work_on()
    yield case.until(OrderState.FINISHED, OrderState.FED_BACK, OrderState.CALLING_BACK)
    case.do("centre", "supervision/end", {"finding": "演示：现场核查属实"})
    case.check(len(case.events("end_supervision")) == 1, "checked")


def neglected(case: Case) -> Tale:
    """Accepted and left: every level is told once, then the clock supervises; too late for an extension."""
    yield from taken(case)
    yield case.until_event("supervise", within=AT_LAST)
    told = [event["facts"]["audience"] for event in case.events("escalate")]
    case.check(sorted(told) == sorted(Audience), f"every level told once: {told}")
    case.check(case.events("supervise")[0]["actor_kind"] == "clock", "supervised by the clock")
    late = {"kind": "extension", "grounds": "演示：来不及", "days": 1}
    case.do("team", "requests", late, CONFLICT)
    case.do("centre", "supervision/end", {"finding": "演示：已督促上门"})
    case.work_on()


def climbed_fast(case: Case) -> Tale:
    """A lift stands and nobody comes: the levels of its kind are told within hours, the last one is supervision."""
    yield from taken(case)
    yield case.until_event("supervise", within=WITHIN_HOURS)
    told = [event["facts"]["audience"] for event in case.events("escalate")]
    case.check(set(told) == OF_LIFTS and told[-1] == "supervision", f"the levels of its kind: {told}")
    case.do("centre", "supervision/end", {"finding": "演示：已赶到现场"})
    case.work_on()


def storm(case: Case) -> Tale:
    """Eight doors of one house at once, all late in the same minute: the first are told alone, the rest together."""
    yield from taken(case)
    many = [case.mine, *filter(None, (beside(case, turn) for turn in range(1, STORM)))]
    case.check(len(many) == STORM, "all placed")
    head = case.house.heads.get(case.order()["accountable_team_id"])
    case.check(head, "a team with a head")
    inbox, begun = case.house.browsers[str(head)], case.house.time.now()

    def is_told_together() -> bool:
        return any(datetime.fromisoformat(at) > begun for at in TOLD_TOGETHER.findall(inbox.get("/inbox").text))

    yield Wait(begun + WITHIN_HOURS, is_told_together, f"{case.number} told with others")
    case.work_on()
    case.release()


def beside(case: Case, turn: int) -> Told | None:
    """Another call from the same house; whoever takes it waits, too."""
    call = replace(case.call, number=case.call.number + turn * SECOND_CALLS)
    return case.house.desk.place(call, Manner(then=ACCEPT, waits=True))
