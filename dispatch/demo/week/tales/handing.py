"""Tales of handing an order out: declined, lapsed, used up, given back, raced for, booked, urgent, confidential."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from dispatch.demo.day.firms import ACCEPT, DECLINE, LAPSE, RACE, TWICE
from dispatch.demo.day.story import Manner
from dispatch.demo.week.case import CONFLICT, OK, REASON, SECOND_CALLS, Case
from dispatch.demo.week.director import Tale, Wait
from dispatch.rules.orders.states import OrderState

TAKEN = (
    OrderState.ACCEPTED,
    OrderState.ARRIVED,
    OrderState.FINISHED,
    OrderState.FED_BACK,
    OrderState.CALLING_BACK,
    OrderState.CLOSED,
)
MOST_BY_HAND = 8
FEWEST_IN_A_RACE = 2
PATIENT_SECONDS = 20.0
MOST_TRIES = 3
BETWEEN_TRIES = timedelta(hours=5)
HIDDEN = "保密订单"


def offers(case: Case) -> list[dict[str, Any]]:
    """Who was asked, and what they answered."""
    found: list[dict[str, Any]] = case.house.read(f"/api/orders/{case.number}/offers")["items"]
    return found


def outcomes(case: Case) -> list[str]:
    """What those who were asked answered, round by round."""
    return [str(one["outcome"]) for one in offers(case)]


def tried(case: Case, manner: Manner, went: Callable[[], bool]) -> Tale:
    """Place the call until it is taken the way the tale has it: again hours later, three times in all.

    The clock runs fast, and a busy machine eats the minutes that a firm has for its answer: meanwhile they count.
    """
    for turn in range(MOST_TRIES):
        case.call = replace(case.call, number=case.call.number + min(turn, 1) * SECOND_CALLS)
        case.house.story.be_patient(PATIENT_SECONDS)
        case.place(replace(manner))
        yield case.until(*TAKEN)
        case.house.story.be_patient(0)
        if went():
            return
        yield Wait(case.house.time.now() + BETWEEN_TRIES)


def declined(case: Case) -> Tale:
    """The first firm says no, the next one takes it."""
    told = {"declined", "accepted"}
    yield from tried(case, Manner((DECLINE,), ACCEPT), lambda: told <= set(outcomes(case)))
    case.check(told <= set(outcomes(case)), "declined by one and accepted by another")


def lapsed(case: Case) -> Tale:
    """The first firm says nothing, the next one takes it."""
    told = {"lapsed", "accepted"}
    yield from tried(case, Manner((LAPSE,), ACCEPT), lambda: told <= set(outcomes(case)))
    case.check(told <= set(outcomes(case)), "lapsed for one and accepted by another")


def five_rounds(case: Case) -> Tale:
    """Five firms do not take it; a dispatcher gives it to one by hand."""
    case.place(Manner((LAPSE, DECLINE, DECLINE, LAPSE, DECLINE), ACCEPT, is_ours=True))
    yield case.until(OrderState.AWAITING_HUMAN)
    case.check(case.order()["waits_for"] == "rounds_used_up", "waiting because five rounds are used up")
    case.check(max(one["round"] for one in offers(case)) == len(case.mine.manner.answers), "five rounds")
    by_hand(case)
    yield case.until(*TAKEN)


def by_hand(case: Case) -> None:
    """A dispatcher chooses a performer; one who may not be sent is passed over."""
    known = case.house.performers_of(case.call.kind_code)
    for turn in range(MOST_BY_HAND):
        performer = known[(case.trial + turn) % len(known)]
        content = {"performer_id": performer, "reason": REASON}
        answer = case.house.api("dispatch", "POST", f"/api/orders/{case.number}/dispatch", content)
        if answer.status == OK:
            return
    case.check(holds=False, what="given to anybody by hand")


def place_settled(case: Case) -> Tale:
    """The address leads nowhere; the desk rings back and settles it."""
    case.place(Manner(then=ACCEPT))
    case.check(case.state() == OrderState.RECEIVED, "received without a place")
    rest = tuple(state for state in OrderState if state is not OrderState.RECEIVED)
    yield case.until(*rest)
    case.check(case.order()["area_id"], "at a place")


def given_back(case: Case) -> Tale:
    """Whoever accepted cannot come; somebody else does."""
    case.place(Manner(then=ACCEPT, gives_back=1))
    yield case.until_event("withdraw_performer")
    yield case.until_event("accept", 2)


def accepted_twice(case: Case) -> Tale:
    """One firm accepts from two phones in the same moment: once."""
    case.place(Manner(then=ACCEPT, together=TWICE))
    yield case.until(*TAKEN)
    case.check(case.mine.at_once == [OK, CONFLICT], f"one yes and one no at once: {case.mine.at_once}")
    case.check(len(case.events("accept")) == 1, "accepted once")


def raced_for(case: Case) -> Tale:
    """Several are asked at once and accept in the same moment: one gets it."""
    met = Manner(then=ACCEPT, together=RACE)
    yield from tried(case, met, lambda: len(case.mine.at_once) >= FEWEST_IN_A_RACE)
    told = case.mine.at_once
    case.check(len(told) >= FEWEST_IN_A_RACE, f"raced for: {told}")
    case.check(told.count(OK) == 1 and set(told) <= {OK, CONFLICT}, f"taken by one: {told}")
    case.check(outcomes(case).count("accepted") == 1, "accepted by one")


def booked(case: Case) -> Tale:
    """The firm comes when the resident wants it, not before."""
    case.place(Manner(then=ACCEPT))
    yield case.until_event("arrive")
    order = case.order()
    case.check(order["wanted_from"], "booked")
    case.check(order["arrived_at"] >= order["wanted_from"], "arrived in the window")


def emergency(case: Case) -> Tale:
    """Several are asked at once, at any hour; one takes it."""
    case.place(Manner(then=ACCEPT))
    yield case.until(*TAKEN)
    case.check(case.order()["urgency"] == "emergency", "an emergency")
    first = [one for one in offers(case) if one["round"] == 1]
    case.check(len(first) > 1, "offered to several at once")


def confidential(case: Case) -> Tale:
    """Nothing of the matter leaves; the work is done all the same."""
    case.place(Manner(then=ACCEPT), confidential=True)
    shown = case.house.read(f"/api/orders/{case.number}")
    case.check(shown["description"] == HIDDEN, "hidden")
    case.check(not (shown["caller_name"] or shown["caller_phone"] or shown["address_text"]), "without who and where")
    yield case.until(*TAKEN)
    reasons = [one["reason"] for one in case.house.read(f"/api/orders/{case.number}/history")["items"]]
    case.check(not any(reasons), "without what was written")
