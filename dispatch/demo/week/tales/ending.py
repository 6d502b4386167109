"""Tales of how an order ends: answered in the call, void, done again, never reached."""

from datetime import datetime

from dispatch.demo.day.firms import ACCEPT
from dispatch.demo.day.story import Manner, Told
from dispatch.demo.week.case import CONFLICT, REASON, TO_THE_END, Case
from dispatch.demo.week.director import Tale, Wait
from dispatch.demo.week.tales.asked import A_WHILE, let_go, taken
from dispatch.rules.orders.states import OrderState

CREATED, FORBIDDEN = 201, 403
SOLVED, UNSOLVED, AWAY = "solved", "unsolved", "away"
TRIES = 3


def answered_directly(case: Case) -> Tale:
    """The call is closed with an item of knowledge; later the caller says once whether it helped."""
    items = case.house.read("/api/knowledge?limit=50")["items"]
    cited = items[case.trial % len(items)]
    content = {
        "knowledge_code": cited["code"],
        "knowledge_version": cited["version"],
        "description": cited["title"],
        "caller_name": case.call.caller_name,
        "address_text": case.call.address_text,
    }
    answer = case.house.api("intake", "POST", "/api/orders/answered", content)
    case.expect(answer, CREATED, what="answered with 201")
    order = answer.json()
    case.told = Told(case.call, order["number"], datetime.fromisoformat(order["created_at"]))
    case.house.story.orders[case.number] = case.told
    case.house.story.counts["placed"] += 1
    case.check(order["state"] == OrderState.ANSWERED, "answered")
    yield Wait(case.house.time.now() + A_WHILE)
    case.do("intake", "usefulness", {"useful": "no" if case.is_on_a_page else "yes"})
    case.do("intake", "usefulness", {"useful": "yes"}, CONFLICT)
    case.check(case.state() == OrderState.ANSWERED, "still answered")


def voided_by_two(case: Case) -> Tale:
    """作废: one dispatcher asks, may not confirm it alone, another one confirms."""
    yield from taken(case)
    form = {"reason": "演示：重复登记"}
    first, second = ("dispatcher1", "dispatcher2") if case.is_on_a_page else ("dispatcher2", "dispatcher1")
    case.type(first, "void", form)
    case.check(case.state() == OrderState.ACCEPTED, "open while one asks")
    case.type(first, "void", form, FORBIDDEN)
    let_go(case)
    case.type(second, "void", form)
    case.check(case.state() == OrderState.VOIDED, "void")


def voided_by_resident(case: Case) -> Tale:
    """The resident takes it back: at once."""
    yield from taken(case)
    let_go(case)
    case.do("dispatch", "void", {"reason": "居民来电撤回", "by_resident": True})
    case.check(case.state() == OrderState.VOIDED, "void")


def reopened(case: Case) -> Tale:
    """Not solved at the first callback: the same team again; then closed."""
    case.place(Manner(then=ACCEPT, says=(UNSOLVED, SOLVED)))
    yield case.until_event("reopen")
    yield case.until_ended()
    case.check(case.order()["reopened"] == 1, "done again once")
    case.check(not case.events("supervise"), "without supervision")


def reopened_twice(case: Case) -> Tale:
    """Not solved twice: the clock supervises; the centre checks and it is closed."""
    case.place(Manner(then=ACCEPT, says=(UNSOLVED, UNSOLVED, SOLVED)))
    yield case.until_event("reopen", 2)
    case.check([one["actor_kind"] for one in case.events("supervise")] == ["clock"], "supervised by the clock")
    case.do("centre", "supervision/end", {"finding": "演示：再次上门后核查"})
    yield case.until_ended()
    case.check(case.order()["reopened"] > 1, f"done again twice ({REASON})")


def unreached(case: Case) -> Tale:
    """Nobody answers the telephone on three different half-days: closed as unreached."""
    case.place(Manner(then=ACCEPT, says=(AWAY,)))
    yield case.until(OrderState.CLOSED, within=TO_THE_END)
    tries = [datetime.fromisoformat(event["at"]) for event in case.events("record_callback_try")]
    case.check(len(tries) >= TRIES, "tried three times")
    case.check(case.events("close")[0]["facts"].get("outcome") == "unreached", "closed as unreached")
