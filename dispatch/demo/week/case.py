"""One order of a tale: placed, looked at, asked about, decided; what is otherwise than expected is a surprise."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dispatch.demo.calls import DraftCall
from dispatch.demo.day.story import Manner, Told
from dispatch.demo.day.wire import Answer
from dispatch.demo.week.director import Surprise, Wait
from dispatch.demo.week.house import House
from dispatch.rules.orders.states import ENDED, OrderState

OK, SEE_OTHER, CONFLICT = 200, 303, 409
ACCEPTED = OrderState.ACCEPTED
DONE = (OK, SEE_OTHER)
HANDED_OUT = timedelta(hours=30)
TO_THE_END = timedelta(days=8)
GROUNDS = "演示：团队说明情况，请中心审定"
SECOND_CALLS = 50_000
REASON = "演示：按规定处理"


@dataclass(slots=True)
class Case:
    """A call and what becomes of it; `trial` is the number of the tale among those of its kind."""

    house: House
    call: DraftCall
    trial: int
    told: Told | None = None

    @property
    def number(self) -> str:
        """The number of the order."""
        return self.mine.number

    @property
    def mine(self) -> Told:
        """The order that was placed; raises Surprise where none was."""
        if self.told is None:
            raise Surprise(f"call {self.call.number} was refused")
        return self.told

    @property
    def is_on_a_page(self) -> bool:
        """Every second tale goes through the pages of the staff, the others through the API."""
        return self.trial % 2 == 1

    def place(self, manner: Manner, **more: object) -> None:
        """Answer the call."""
        self.told = self.house.desk.place(self.call, manner, **more)
        self.check(self.told is not None, "answered with 201")

    def order(self) -> Mapping[str, Any]:
        """The order as it is now."""
        return self.house.desk.find(self.number)

    def state(self) -> str:
        """Its state."""
        return str(self.order()["state"])

    def events(self, action: str) -> list[Mapping[str, Any]]:
        """The steps of one kind in its history."""
        history = self.house.read(f"/api/orders/{self.number}/history")["items"]
        return [event for event in history if event["action"] == action]

    def check(self, holds: object, what: str) -> None:
        """Raise Surprise where something does not hold."""
        if not holds:
            number = self.told.number if self.told else f"call {self.call.number}"
            raise Surprise(f"{number}: not {what}")

    def expect(self, answer: Answer, *statuses: int, what: str) -> Answer:
        """Raise Surprise for another status."""
        self.check(answer.status in statuses, f"{what} ({answer.status}: {answer.text[:160]!r})")
        return answer

    def until(self, *states: OrderState, within: timedelta = HANDED_OUT) -> Wait:
        """Wait for a state."""
        limit = self.house.time.now() + within
        mine, is_taken = self.mine, ACCEPTED in states

        def test() -> bool:
            return not (is_taken and mine.accepted_at is None) and self.state() in states

        return Wait(limit, test, f"{self.number} {'/'.join(states)}")

    def until_ended(self) -> Wait:
        """Wait for the end."""
        return self.until(*ENDED, within=TO_THE_END)

    def until_event(self, action: str, count: int = 1, within: timedelta = TO_THE_END) -> Wait:
        """Wait until a step has been taken so often."""
        limit = self.house.time.now() + within
        return Wait(limit, lambda: len(self.events(action)) >= count, f"{self.number} {action}")

    def do(self, key: str, path: str, content: Mapping[str, object], *statuses: int) -> Answer:
        """A step by a key that should be answered so (200)."""
        answer = self.house.api(key, "POST", f"/api/orders/{self.number}/{path}", content)
        return self.expect(answer, *(statuses or (OK,)), what=f"{path} answered {statuses or (OK,)}")

    def type(self, login: str, path: str, form: Mapping[str, str], *statuses: int) -> Answer:
        """A step by a form on the order's page."""
        page = f"/orders/{self.number}"
        answer = self.house.page(login, page, f"{page}/{path}", form)
        return self.expect(answer, *(statuses or (SEE_OTHER,)), what=f"{path} on the page")

    def ask(self, kind: str, *statuses: int, **wish: object) -> int:
        """The team asks for something; returns the request's id (0 where it was refused as expected).

        Every second time the head of the lead team asks on the order's page, where the team has one.
        """
        content = {"kind": kind, "grounds": GROUNDS, "basis": "演示：职责清单第三条", **wish}
        head = self.house.heads.get(self.order()["lead_team_id"])
        if self.is_on_a_page and head is not None and "until" not in wish and not statuses:
            self.type(head, "requests", {name: str(value) for name, value in content.items()})
        else:
            self.do("team", "requests", content, *statuses)
        waiting = [one for one in self.requests() if one["kind"] == kind and one["state"] == "pending"]
        return int(waiting[-1]["id"]) if waiting else 0

    def requests(self) -> list[Mapping[str, Any]]:
        """Everything that was asked about the order."""
        found: list[Mapping[str, Any]] = self.house.read(f"/api/orders/{self.number}/requests")["items"]
        return found

    def decide(self, request_id: int, *, granted: bool, team_id: int | None = None, by: str = "centre") -> None:
        """Somebody else decides: the centre by its key, or whoever `by` names on the page of requests."""
        if by == "centre":
            content = {"granted": granted, "reason": REASON, "team_id": team_id}
            answer = self.house.api("centre", "POST", f"/api/requests/{request_id}/decision", content)
            self.expect(answer, OK, what="decided")
            return
        form = {"granted": "yes" if granted else "no", "reason": REASON, "team_id": str(team_id or "")}
        answer = self.house.page(by, "/requests", f"/requests/{request_id}/decision", form)
        self.expect(answer, SEE_OTHER, what="decided on the page")

    def decider(self) -> str:
        """Who decides what a dispatcher may decide."""
        return f"dispatcher{1 + self.trial // 2 % 2}" if self.is_on_a_page else "centre"

    def release(self) -> None:
        """The tale is over before its end: whoever waits for it waits no longer."""
        for told in self.house.story.orders.values():
            if told.call.number % SECOND_CALLS == self.call.number % SECOND_CALLS and told.manner.waits:
                told.manner.waits = False
                if told.visit is not None:
                    told.visit.go_on()

    def work_on(self) -> None:
        """Whoever accepted and waits goes on; whoever accepts later does not wait."""
        self.mine.manner.waits = False
        if self.mine.visit is not None:
            self.mine.visit.go_on()
            self.mine.visit = None
