"""Tales of orders that somebody watches: urged, supervised, neglected until every level has been told."""

from datetime import timedelta

from dispatch.demo.week.case import CONFLICT, REASON, Case
from dispatch.demo.week.director import Tale, Wait
from dispatch.demo.week.tales.asked import taken
from dispatch.rules.catalogue.levels import Audience
from dispatch.rules.orders.states import OrderState

URGED = 3
BETWEEN = timedelta(minutes=25)
AT_LAST = timedelta(days=13)


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
