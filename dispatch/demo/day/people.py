"""The operators and dispatchers of the lived day: they place calls, settle places, and rescue what waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from dispatch.demo.calls import DraftCall
from dispatch.demo.day.agenda import Agenda, BusinessTime
from dispatch.demo.day.story import Manner, Story, Told
from dispatch.demo.day.wire import Answer, Wire
from dispatch.rules.shanghai import SHANGHAI

CREATED = 201
OK = 200
WINDOW = timedelta(hours=2)
ASK_BACK = (2, 8)
SIGN = (0.5, 4)
RESCUE_AFTER = timedelta(minutes=4)
RESCUE_AGAIN = timedelta(minutes=30)
UNTIL_BY_HAND = 1
CHIEF_CHOOSES = "area_chief_chooses"
FIRST_HOUR, LAST_HOUR = 9, 17
CLOSING_AND_ANSWER = (8, 40)


@dataclass(slots=True)
class Desk:
    """Everybody at the 96345 centre who works through the API: intake with one key, dispatching with another."""

    wire: Wire
    intake_key: str
    dispatch_key: str
    time: BusinessTime
    agenda: Agenda
    story: Story
    begins: datetime
    waiting: dict[str, int] = field(default_factory=dict)
    asked_back: set[str] = field(default_factory=set)
    signed: set[tuple[str, int]] = field(default_factory=set)
    offers: list[Mapping[str, Any]] = field(default_factory=list)
    states: Mapping[str, int] = field(default_factory=dict)
    moving: int = 0

    def place(self, call: DraftCall, manner: Manner | None = None, **more: object) -> Told | None:
        """Answer one call: it is an order when it has been answered with 201; `more` is typed besides."""
        key = f"day-{self.story.seed}-{self.begins:%Y%m%d}-{call.number}"
        answer = self.wire.api(self.intake_key, "POST", "/api/orders", self.body_of(call) | more, once=key)
        if answer.status != CREATED:
            self.story.refused.append(f"call {call.number}: {answer.status} {answer.text[:300]}")
            return None
        order = answer.json()
        told = Told(call, order["number"], datetime.fromisoformat(order["created_at"]), manner=manner or Manner())
        self.story.orders[told.number] = told
        self.story.counts["placed"] += 1
        self.story.stir()
        self.story.counts["asked again for the answer"] += answer.tries - 1
        self.story.learn(told, order)
        if order["place_outcome"] == "unresolved":
            self.ask_back_later(told, order)
        return told

    def body_of(self, call: DraftCall) -> dict[str, Any]:
        """What the operator types."""
        body: dict[str, Any] = {
            "service_code": call.kind_code,
            "description": call.description,
            "address_text": call.address_text,
            "caller_name": call.caller_name,
            "answers": dict(call.answers),
        }
        if call.caller_phone:
            body["caller_phone"] = call.caller_phone
        if call.wanted_in_hours is not None:
            wanted = by_daylight(self.begins + timedelta(minutes=call.minute, hours=call.wanted_in_hours))
            body["wanted_from"] = wanted.isoformat()
            body["wanted_until"] = (wanted + WINDOW).isoformat()
        return body

    def ask_back_later(self, told: Told, order: Mapping[str, Any]) -> None:
        """Ring the caller again some minutes later and settle where it is."""
        if told.number not in self.asked_back:
            self.asked_back.add(told.number)
            self.story.counts["places settled by hand"] += 1
            minutes = self.story.chance("ask back", told.call.number).uniform(*ASK_BACK)
            later = self.time.now() + timedelta(minutes=minutes)
            self.agenda.at(later, lambda: self.settle(told, list(order["place_candidates"])))

    def settle(self, told: Told, candidates: list[Mapping[str, Any]]) -> None:
        """Say which place is meant: the true one where the desk knows it, else a candidate, else the area."""
        choice = self.choice_of(told, candidates)
        if choice is None:
            later = self.time.now() + RESCUE_AGAIN
            self.agenda.at(later, lambda: self.settle(told, candidates))
            return
        path = f"/api/orders/{told.number}/place"
        self.do("settle", told.number, path, choice)

    def choice_of(self, told: Told, candidates: list[Mapping[str, Any]]) -> dict[str, int] | None:
        """The place as the API takes it; None while the desk has not yet learned even the area's id."""
        stairwell = self.story.stairwell_ids.get(told.call.stairwell_code)
        if stairwell is not None:
            return {"stairwell_id": stairwell}
        area = self.story.area_ids.get(told.call.area_code)
        for candidate in candidates:
            if candidate["area_id"] == area and candidate["building_id"] is not None:
                return {"building_id": candidate["building_id"]}
        return None if area is None else {"area_id": area}

    def look(self) -> None:
        """Let the teams sign for what was dispatched to them, rescue what waits."""
        self.look_at_teams()
        self.look_at_board()

    def look_at_teams(self) -> None:
        """What was dispatched to teams is signed for; what is offered is noted."""
        dispatched, self.offers = self.own("dispatched"), self.own("offered")
        self.moving = len(dispatched) + len(self.offers)
        self.sign_later(dispatched)

    def look_at_board(self) -> None:
        """The orders by state; what waits is rescued."""
        shown = self.board()
        self.states = shown["counts"]["by_state"]
        for order in shown["waiting"]:
            told = self.story.orders.get(order["number"])
            if told is None:
                continue
            self.story.learn(told, order)
            if told.manner.is_ours:
                continue
            if order["state"] == "received":
                self.ask_back_later(told, order)
            elif order["state"] == "awaiting_human" and order["number"] not in self.waiting:
                self.waiting[order["number"]] = 0
                self.story.counts["rescued by a dispatcher"] += 1
                later = self.time.now() + RESCUE_AFTER
                self.agenda.at(later, lambda number=order["number"]: self.rescue(number))

    def sign_later(self, dispatched: list[Mapping[str, Any]]) -> None:
        """The team's head signs for each order some minutes after it was dispatched to the team."""
        for order in dispatched:
            mark = (order["number"], order["version"])
            if mark not in self.signed:
                self.signed.add(mark)
                minutes = self.story.chance("sign", self.story.orders[order["number"]].call.number).uniform(*SIGN)
                at = self.time.now() + timedelta(minutes=minutes)
                self.agenda.at(at, lambda number=order["number"]: self.sign(number))

    def sign(self, number: str) -> None:
        """The team takes the order."""
        self.do("sign", number, f"/api/orders/{number}/signature", {})

    def own(self, state: str) -> list[Mapping[str, Any]]:
        """The orders of this story that are in a state."""
        path = f"/api/orders?state={state}&limit=100&placed_from={quote(self.begins.isoformat())}"
        items = self.wire.api(self.dispatch_key, "GET", path).json()["items"]
        return [order for order in items if order["number"] in self.story.orders]

    def board(self) -> Mapping[str, Any]:
        """What the dispatcher's board shows."""
        answer = self.wire.api(self.dispatch_key, "GET", "/api/board")
        shown: Mapping[str, Any] = answer.json()
        return shown

    def rescue(self, number: str) -> None:
        """Choose the team, or route anew, or give the order to somebody by hand; again while it waits."""
        order = self.find(number)
        if order["state"] != "awaiting_human":
            self.waiting.pop(number, None)
            return
        self.waiting[number] += 1
        self.take_in_hand(order)
        self.agenda.at(self.time.now() + RESCUE_AGAIN, lambda: self.rescue(number))

    def take_in_hand(self, order: Mapping[str, Any]) -> None:
        """One try of a dispatcher."""
        number, reason = order["number"], "演示：调度员处理"
        teams = self.teams_to_choose(order)
        if teams:
            content = {"team_id": self.story.chance("team", number).choice(teams), "reason": reason}
            self.do("team", number, f"/api/orders/{number}/team", content)
            return
        known = self.story.performers_of_service.get(order["service_id"], [])
        if self.waiting[number] > UNTIL_BY_HAND and known:
            chosen = known[self.waiting[number] % len(known)]
            content = {"performer_id": chosen, "reason": reason}
            self.do("by hand", number, f"/api/orders/{number}/dispatch", content)
            return
        self.do("route", number, f"/api/orders/{number}/route", {"reason": reason})

    def teams_to_choose(self, order: Mapping[str, Any]) -> list[int]:
        """The block teams of an area among which the area's chief chooses; empty when that is not the matter."""
        if order["waits_for"] != CHIEF_CHOOSES:
            return []
        events = self.wire.api(self.dispatch_key, "GET", f"/api/orders/{order['number']}/history").json()["items"]
        return next((event["facts"]["teams"] for event in reversed(events) if "teams" in event["facts"]), [])

    def feed_back_later(self, number: str) -> None:
        """The team's head answers the resident some time after the work."""
        minutes = self.story.chance("feed back", self.story.orders[number].call.number).uniform(*CLOSING_AND_ANSWER)
        self.agenda.at(self.time.now() + timedelta(minutes=minutes), lambda: self.feed_back(number))

    def feed_back(self, number: str) -> None:
        """Record what was answered to the resident."""
        self.do("feed back", number, f"/api/orders/{number}/feedback", {"answer": "已上门处理，居民已知晓。"})

    def find(self, number: str) -> Mapping[str, Any]:
        """One order as it is now."""
        answer = self.wire.api(self.dispatch_key, "GET", f"/api/orders/{number}")
        order: Mapping[str, Any] = answer.json()
        return order

    def do(self, word: str, number: str, path: str, content: Mapping[str, Any]) -> Answer:
        """One step of the desk, counted; a refusal is a fact of the day, not a fault of it."""
        mark = f"{word.replace(' ', '-')}-{number}-{self.time.now():%H%M%S%f}"
        answer = self.wire.api(self.dispatch_key, "POST", path, content, once=mark)
        self.story.counts[f"desk: {word} {answer.status}"] += 1
        self.story.stir()
        if answer.status == OK:
            self.story.learn(self.story.orders[number], answer.json())
        return answer


def by_daylight(wanted: datetime) -> datetime:
    """Nobody books a visit for the night: the same hour of the day where it is light, else nine in the morning."""
    local = wanted.astimezone(SHANGHAI)
    if local.hour < FIRST_HOUR:
        return local.replace(hour=FIRST_HOUR)
    return local if local.hour < LAST_HOUR else (local + timedelta(days=1)).replace(hour=FIRST_HOUR)
