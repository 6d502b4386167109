"""Tales of requests: asked by the team, decided by somebody else, and done: 退单 延期 挂起 协办 转派 最终答复."""

from datetime import timedelta

from dispatch.demo.day.firms import ACCEPT
from dispatch.demo.day.story import Manner
from dispatch.demo.week.case import CONFLICT, DONE, OK, REASON, Case
from dispatch.demo.week.director import Tale, Wait
from dispatch.rules.orders.states import OrderState

HOLD_SHORT, HOLD_LONG = timedelta(hours=3), timedelta(days=2)
RESUMED_AFTER = timedelta(hours=1)
A_WHILE = timedelta(minutes=20)
ANSWERED = (OrderState.FED_BACK, OrderState.CALLING_BACK, OrderState.CLOSED)


def taken(case: Case, says: tuple[str, ...] = ()) -> Tale:
    """Placed, and accepted by somebody who waits for the tale."""
    case.place(Manner(then=ACCEPT, waits=True, says=says))
    yield case.until(OrderState.ACCEPTED)


def let_go(case: Case) -> None:
    """The order leaves whoever had accepted; the next one does not wait."""
    case.mine.manner.waits = False
    case.mine.visit = None


def return_upheld(case: Case) -> Tale:
    """退单: the team shows that it is not its duty, another team gets it."""
    yield from taken(case)
    before = case.order()["lead_team_id"]
    request = case.ask("return")
    let_go(case)
    case.decide(request, granted=True, team_id=case.house.other_team(before), by=case.decider())
    case.check(len(case.events("return_to_desk")) == 1, "returned")
    yield case.until_event("accept", 2)


def return_refused(case: Case) -> Tale:
    """退单 refused: the team keeps it."""
    yield from taken(case)
    case.decide(case.ask("return"), granted=False, by=case.decider())
    case.check(case.state() == OrderState.ACCEPTED, "kept")
    case.work_on()


def return_refused_twice(case: Case) -> Tale:
    """退单 refused a second time: a joint consultation is called, the team keeps it."""
    yield from taken(case)
    for _ in range(2):
        case.decide(case.ask("return"), granted=False, by=case.decider())
    refused = [one for one in case.requests() if one["kind"] == "return" and one["state"] == "refused"]
    case.check(len(refused) == len(("first", "second")), "refused twice")
    case.check(case.state() == OrderState.ACCEPTED, "kept")
    case.work_on()


def extended(case: Case) -> Tale:
    """延期: the team asks before it is due, the centre grants two working days."""
    yield from taken(case)
    before = case.order()["civic_due_at"]
    case.decide(case.ask("extension", days=2), granted=True)
    case.check(case.order()["civic_due_at"] > before, "due later")
    case.work_on()


def held(case: Case, span: timedelta) -> Tale:
    """挂起: granted until some time from now."""
    yield from taken(case)
    until = case.house.time.now() + span
    case.decide(case.ask("hold", until=until.isoformat()), granted=True)
    case.check(len(case.events("hold")) == 1, "held")


def held_to_the_end(case: Case) -> Tale:
    """The hold ends by the clock, the limits go on with what was left."""
    yield from held(case, HOLD_SHORT)
    before = case.order()["civic_due_at"]
    yield case.until_event("resume")
    case.check(case.events("resume")[0]["actor_kind"] == "clock", "resumed by the clock")
    case.check(case.order()["civic_due_at"] >= before, "due no sooner")
    case.work_on()


def held_and_resumed(case: Case) -> Tale:
    """The hold is ended by hand before its date."""
    yield from held(case, HOLD_LONG)
    yield Wait(case.house.time.now() + RESUMED_AFTER)
    case.do("centre", "resumption", {"reason": REASON})
    case.check(len(case.events("resume")) == 1, "resumed")
    case.work_on()


def helped(case: Case) -> Tale:
    """协办: the lead has finished, and its answer waits for the helper."""
    yield from taken(case)
    helper = case.house.other_team(case.order()["lead_team_id"])
    request = case.ask("help", team_id=helper, task="演示：请协助关闭楼道总阀")
    case.decide(request, granted=True, by=case.decider())
    case.work_on()
    yield case.until(OrderState.FINISHED)
    answer = {"answer": "演示：已处理"}
    case.do("team", "feedback", answer, CONFLICT)
    yield Wait(case.house.time.now() + A_WHILE)
    case.check(case.state() == OrderState.FINISHED, "waiting for the helper")
    case.do("team", "help", {"team_id": helper, "answer": "演示：总阀已关"})
    case.do("team", "feedback", answer, *DONE)
    case.check(case.state() in ANSWERED, "answered")


def rerouted(case: Case) -> Tale:
    """转派: another team leads from here; the due date stays."""
    yield from taken(case)
    before = case.order()
    target = case.house.other_team(before["lead_team_id"])
    request = case.ask("reroute", team_id=target)
    let_go(case)
    case.decide(request, granted=True, team_id=target, by=case.decider())
    after = case.order()
    case.check(after["lead_team_id"] == target, "led by the other team")
    case.check(after["civic_due_at"] == before["civic_due_at"], "due as before")
    yield case.until_event("accept", 2)


def final_answer(case: Case) -> Tale:
    """最终答复: unsolvable, shown with evidence, approved by the centre, called back once, closed."""
    yield from taken(case, says=("unsolved",))
    request = case.ask("final_answer")
    let_go(case)
    case.decide(request, granted=True)
    case.check(case.state() in ANSWERED, "answered")
    yield case.until_ended()
    case.check(case.order()["reopened"] == 0, "not done again")
    case.check(case.state() == OrderState.CLOSED, f"closed ({OK})")
