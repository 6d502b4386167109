"""Tales around the orders: the calendar is corrected, firms are suspended, papers end, visits are planned."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from dispatch.demo.day.firms import ACCEPT
from dispatch.demo.day.story import Manner, Told
from dispatch.demo.week.case import CONFLICT, OK, REASON, SEE_OTHER, Case
from dispatch.demo.week.director import Tale, Wait
from dispatch.rules.orders.states import ENDED
from dispatch.rules.shanghai import SHANGHAI

CREATED, INVALID = 201, 422
DECISIONS = "POST /api/firms/{code}/decisions"
SATURDAY = 6
LATER = timedelta(hours=3)
LAST_DAYS = timedelta(days=1)
NINE = time(9)
A_YEAR_ON = "2028-12-31"
VISITS = 2
FIRM = "firm"


def next_workday(now: datetime, ahead: int) -> str:
    """A coming workday, the first or the one after it."""
    day = now.astimezone(SHANGHAI).date()
    for _ in range(1 + ahead):
        day += timedelta(days=1)
        while day.isoweekday() >= SATURDAY:
            day += timedelta(days=1)
    return day.isoformat()


def calendar_corrected(case: Case) -> Tale:
    """A coming workday becomes a holiday, and a workday again: the limits of open orders follow both times."""
    house = case.house
    house.need("PUT /api/calendar/days", "DELETE /api/calendar/days")
    case.place(Manner(then=ACCEPT, waits=True))
    yield case.until_event("accept")
    before = case.order()["civic_due_at"]
    day = next_workday(house.time.now(), case.trial % 2)
    answer = house.api("centre", "PUT", "/api/calendar/days", {"day": day, "kind": "holiday", "name": "演示：临时停工"})
    case.expect(answer, OK, what="entered")
    yield case.until_event("recompute", within=LATER)
    case.check(case.order()["civic_due_at"] > before, "due later")
    answer = house.api("centre", "DELETE", f"/api/calendar/days?day={day}")
    case.expect(answer, OK, what="removed")
    yield case.until_event("recompute", 2, within=LATER)
    case.check(case.order()["civic_due_at"] == before, "due as before")
    case.work_on()


def some_firm(case: Case, shift: int) -> Mapping[str, Any]:
    """A firm of its own for each trial."""
    performers = [one for one in case.house.listed("/api/performers") if one["kind"] == FIRM]
    return performers[(4 * case.trial + shift) % len(performers)]


def suspended(case: Case) -> Tale:
    """停派: the firm gets nothing, not even by hand; lifted, it may be sent again."""
    case.house.need(DECISIONS)
    firm = some_firm(case, 1)
    yield from begun(case)
    until = case.house.time.now() + timedelta(days=3)
    decide(case, firm, {"action": "suspend", "reason": REASON, "until": until.isoformat()})
    case.check(standing(case, firm) == "suspended", "suspended")
    refused_by_hand(case, firm)
    yield Wait(case.house.time.now() + LATER)
    decide(case, firm, {"action": "lift", "reason": REASON})
    case.check(standing(case, firm) == "admitted", "admitted again")
    case.work_on()


def begun(case: Case) -> Tale:
    """An order of the same morning, accepted by somebody who waits."""
    case.place(Manner(then=ACCEPT, waits=True))
    yield case.until_event("accept")


def refused_by_hand(case: Case, firm: Mapping[str, Any]) -> None:
    """A dispatcher may not send a firm that may not be sent."""
    case.do("dispatch", "dispatch", {"performer_id": firm["id"], "reason": REASON}, INVALID)


def decide(case: Case, firm: Mapping[str, Any], content: Mapping[str, object]) -> None:
    """The centre decides about a firm."""
    answer = case.house.api("centre", "POST", f"/api/firms/{firm['code']}/decisions", content)
    case.expect(answer, OK, what=f"decided: {content['action']}")


def standing(case: Case, firm: Mapping[str, Any]) -> str:
    """Where a firm stands."""
    return str(case.house.read(f"/api/firms/{firm['code']}")["standing"])


def paper_expired(case: Case) -> Tale:
    """A paper of a firm ends in the week: nothing more for it, not even by hand; renewed, it may be sent again."""
    house = case.house
    house.need("POST /api/firms/{code}/papers", DECISIONS)
    yield from begun(case)
    firm = some_firm(case, 2)
    path = f"/api/firms/{firm['code']}/papers"
    held = [one for one in house.read(path)["items"] if one["given_up_at"] is None]
    kind = held[0]["kind"]
    today = house.time.now().astimezone(SHANGHAI).date()
    last = {"kind": kind, "number": f"演示补-{case.trial}", "valid_until": (today + LAST_DAYS).isoformat()}
    case.expect(house.api("centre", "POST", path, {**last, "valid_from": today.isoformat()}), CREATED, what="entered")
    page = f"/firms/{firm['code']}"
    for paper in [one for one in held if one["kind"] == kind]:
        form = {"paper_id": str(paper["id"]), "reason": REASON}
        case.expect(house.page("centre1", page, f"{page}/papers/given-up", form), SEE_OTHER, what="given up")
    yield Wait(datetime.combine(today + LAST_DAYS + timedelta(days=1), NINE, SHANGHAI))
    refused_by_hand(case, firm)
    since = (today + LAST_DAYS).isoformat()
    renewed = {"kind": kind, "number": f"演示换-{case.trial}", "valid_from": since, "valid_until": A_YEAR_ON}
    case.expect(house.api("centre", "POST", path, renewed), CREATED, what="renewed")
    case.check(standing(case, firm) == "admitted", "admitted as before")
    case.work_on()


def complaint(case: Case) -> Tale:
    """A resident complains of the firm that took the order; the firm is heard, then the centre decides."""
    house = case.house
    house.need("POST /api/orders/{number}/complaints", "POST /api/complaints/{complaint_id}/decision")
    yield from begun(case)
    case.do("intake", "complaints", {"kind": "attitude", "words": "演示：师傅态度不好"})
    (raised,) = house.read(f"/api/orders/{case.number}/complaints")["items"]
    path, verdict = f"/api/complaints/{raised['id']}", {"upheld": case.is_on_a_page, "reason": REASON}
    case.expect(house.api("centre", "POST", f"{path}/decision", verdict), CONFLICT, what="not before the firm is heard")
    answer = house.api("intake", "POST", f"{path}/answer", {"answer": "演示：当时在赶下一家"})
    case.expect(answer, OK, what="heard")
    case.expect(house.api("centre", "POST", f"{path}/decision", verdict), OK, what="decided")
    (decided,) = house.read(f"/api/orders/{case.number}/complaints")["items"]
    case.check(decided["state"] == ("upheld" if case.is_on_a_page else "rejected"), "decided as the centre said")
    case.work_on()


def care_visit(case: Case) -> Tale:
    """Visits are planned for the coming days; each becomes an order in time and is done."""
    house = case.house
    start = house.time.now().astimezone(SHANGHAI).replace(hour=10, minute=0, second=0, microsecond=0)
    content = {
        "resident_id": 100 + case.trial,
        "service_code": "care_visit",
        "dtstart": (start + timedelta(days=1)).isoformat(),
        "rrule": f"FREQ=DAILY;COUNT={VISITS}",
        "performer_id": house.performers_of("care_visit")[case.trial],
    }
    answer = house.api("care", "POST", "/api/visit-schedules", content)
    case.expect(answer, CREATED, what="planned")
    path = f"/api/visit-schedules/{answer.json()['id']}/occurrences"
    limit = house.time.now() + timedelta(days=5)

    def numbers() -> list[str]:
        items = house.api("care", "GET", path).json()["items"]
        return [one["order_number"] for one in items if one["order_number"]]

    yield Wait(limit, lambda: len(numbers()) == VISITS, "the orders of the visits")
    for number in numbers():
        told = Told(case.call, number, house.time.now(), manner=Manner(then=ACCEPT))
        house.story.orders[number] = told
        house.story.counts["visits"] += 1
        house.phones.look_again(number)
    ended = tuple(ENDED)
    yield Wait(limit, lambda: all(house.desk.find(number)["state"] in ended for number in numbers()), "visits done")
