"""Tales of calls about one matter: counted again, merged, taken apart, split in two."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch.demo.day.firms import ACCEPT
from dispatch.demo.day.story import Manner, Told
from dispatch.demo.week.case import REASON, SECOND_CALLS, TO_THE_END, Case
from dispatch.demo.week.director import Tale, Wait
from dispatch.demo.week.tales.asked import A_WHILE, taken
from dispatch.rules.orders.states import OrderState

ORDER = "/api/orders/{number}"
CREATED = 201
AGAIN = SECOND_CALLS
OTHER_MATTER = "door_window"


def callers(case: Case) -> dict[str, Any]:
    """Everybody who called about the order."""
    found: dict[str, Any] = case.house.read(f"/api/orders/{case.number}/callers")
    return found


def called_again(case: Case) -> Tale:
    """The same matter again: counted on the order, nobody is sent a second time, the state stays."""
    case.house.need(f"POST {ORDER}/repeat-calls")
    yield from taken(case)
    neighbour = {"caller_name": "邻居", "caller_phone": f"1390578{1000 + case.trial}", "words": "同一件事，又有人问"}
    for urged in (False, True):
        case.do("intake", "repeat-calls", {**neighbour, "urged": urged})
        yield Wait(case.house.time.now() + A_WHILE)
    case.check(case.state() == OrderState.ACCEPTED, "where it was")
    case.check(callers(case)["calls"] > len(case.events("repeat_call")), "each call counted")
    case.check(len(case.events("repeat_call")) == len(("once", "urged")), "two calls in the history")
    case.work_on()


def second_call(case: Case) -> Told:
    """The same trouble told again by the same household: an order of its own, until somebody sees that it is none."""
    call = replace(case.call, number=case.call.number + AGAIN)
    told = case.house.desk.place(call, Manner(then=ACCEPT, waits=True))
    if told is None:
        case.check(holds=False, what="placed again")
        return case.mine
    return told


def merge(case: Case) -> Tale:
    """Placed twice, and the second is merged into the first."""
    case.house.need(f"POST {ORDER}/merge", f"POST {ORDER}/unmerge")
    yield from taken(case)
    first = case.mine
    case.told = second_call(case)
    yield case.until(OrderState.ACCEPTED)
    case.house.story.orders[case.number].visit = None
    case.do("dispatch" if case.is_on_a_page else "intake", "merge", {"into": first.number, "reason": REASON})
    case.check(case.state() == OrderState.MERGED, "merged")
    case.check(first.number == callers(case)["merged_into"], "into the first")


def first_of(case: Case) -> Told:
    """The first of two orders about one matter."""
    return next(told for told in case.house.story.orders.values() if told.call.number == case.call.number)


def merged(case: Case) -> Tale:
    """Two orders are one matter: one is done, both callers wait for it."""
    yield from merge(case)
    case.told = first_of(case)
    case.work_on()
    yield case.until(OrderState.CALLING_BACK, OrderState.CLOSED, within=TO_THE_END)


def unmerged(case: Case) -> Tale:
    """They were two matters after all: the second goes its own way again."""
    yield from merge(case)
    yield Wait(case.house.time.now() + A_WHILE)
    case.mine.manner.waits = False
    case.do("intake", "unmerge", {"reason": "演示：是两件事"})
    yield case.until(
        OrderState.ACCEPTED, OrderState.ARRIVED, OrderState.FINISHED, OrderState.FED_BACK, OrderState.CALLING_BACK
    )
    case.told = first_of(case)
    case.work_on()


def split(case: Case) -> Tale:
    """One call is about two matters: the second becomes an order of its own."""
    case.house.need(f"POST {ORDER}/split")
    yield from taken(case)
    content = {"service_code": OTHER_MATTER, "description": "还有一扇窗关不上", "answers": {"item": "window"}}
    answer = case.do("intake", "split", content, CREATED)
    made = answer.json()
    other = Told(
        replace(case.call, number=case.call.number + AGAIN, kind_code=OTHER_MATTER),
        made["number"],
        datetime.fromisoformat(made["created_at"]),
        manner=Manner(then=ACCEPT),
    )
    case.house.story.orders[other.number] = other
    case.work_on()
    case.told = other
    case.check(callers(case)["split_from"] == first_of(case).number, "split from the first")
    yield case.until_event("accept")
