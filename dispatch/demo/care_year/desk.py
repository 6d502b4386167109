"""The desk of the care calendar: teams sign, what nobody took is given to others, the elder is called back."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dispatch.demo.care_year.elders import Elders
from dispatch.demo.care_year.visits import CALL, VISITS, Helpers
from dispatch.demo.day.staff import LINK
from dispatch.demo.year.errands import Errands
from dispatch.demo.year.shop import OK
from dispatch.rules.care.terms import DUTY_LABELS, DutyKind

LEAVES_IT = 0.25
IDLE = timedelta(days=9)
MOST_TRIED = 12
REASON = "演示：调度员处理"
REACHED = 0.9
CLERKS = ("callback1", "callback2")
PLEASED = {"reached": "yes", "contacted": "yes", "solved": "yes", "satisfaction": "satisfied"}
AWAY = {"reached": "no", "remark": "无人接听"}
LOOKED_AT = ("dispatched", "awaiting_human", "offered", "finished", "calling_back")
OF_CALENDAR = VISITS | {CALL}


@dataclass(slots=True)
class Desk:
    """Those at the centre who see to it that every order of care goes on and ends."""

    errands: Errands
    helpers: Helpers
    elders: Elders
    kinds: dict[int, str] = field(default_factory=dict)
    with_inbox: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    opened: set[tuple[str, int, str]] = field(default_factory=set)
    left: dict[str, datetime] = field(default_factory=dict)
    looked: dict[str, str] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)

    def learn(self) -> None:
        """Which kind has which number, and who of teams and helpers is told in the house, by what name."""
        shop = self.errands.shop
        self.kinds = {int(one["id"]): str(one["code"]) for one in shop.listed("/api/services")}
        for one in (*shop.community.team_workers, *shop.community.helpers):
            if one.login:
                self.with_inbox[one.name].append((one.code, one.login))

    def look(self, day: str) -> None:
        """One look at every open order; what nobody took is looked at once a day."""
        for order in self.waiting():
            state = order["state"]
            if state == "awaiting_human" and self.looked.get(order["number"]) != day:
                self.looked[order["number"]] = day
                self.rescue(order)
            elif state == "calling_back" and self.called.get(order["number"]) != day:
                self.called[order["number"]] = day
                self.call_back(order, day)
            elif state == "offered":
                self.open_inboxes(order)
            elif state in {"dispatched", "finished"}:
                self.go_on(order)

    def waiting(self) -> list[Mapping[str, Any]]:
        """The orders in states in which the desk or a worker of a team has something to do."""
        shop = self.errands.shop
        counts = shop.read("/api/board")["counts"]["by_state"]
        states = [state for state in LOOKED_AT if counts.get(state)]
        return [order for state in states for order in shop.read(f"/api/orders?state={state}&limit=100")["items"]]

    def open_inboxes(self, order: Mapping[str, Any]) -> None:
        """Community workers, and helpers who can log in, find the link in their own inbox; two may have one name."""
        seen = (order["number"], order["version"], f"{self.errands.shop.time.now():%j %H}")
        if seen in self.opened:
            return
        self.opened.add(seen)
        offers = self.errands.shop.read(f"/api/orders/{order['number']}/offers")["items"]
        for code, login in {who for one in offers for who in self.with_inbox.get(one["performer"], ())}:
            for token in LINK.findall(self.errands.shop.screens[login].read("/inbox").text):
                self.helpers.asked(code, token)

    def rescue(self, order: Mapping[str, Any]) -> None:
        """A visit of the calendar goes to another helper, now and then it is left; anything else is routed anew."""
        number = order["number"]
        if self.kinds.get(order["service_id"], "") not in OF_CALENDAR:
            self.errands.step(number, "route", {"reason": REASON})
            self.give_by_hand(order)
        elif not self.leaves(number) and (self.is_over(order) or not self.swap(order)):
            self.give_by_hand(order)

    def is_over(self, order: Mapping[str, Any]) -> bool:
        """Whether the time at which somebody was wanted has passed."""
        wanted = order["wanted_until"]
        return wanted is not None and datetime.fromisoformat(wanted) < self.errands.shop.time.now()

    def leaves(self, number: str) -> bool:
        """Whether the desk leaves an order as it is these days, so that what it was for is missed."""
        shop, now = self.errands.shop, self.errands.shop.time.now()
        if number not in self.left and shop.chance("leave", number).random() < LEAVES_IT:
            shop.diary.count("orders that the desk left as they were")
            self.left[number] = now
        return number in self.left and now < self.left[number] + IDLE

    def swap(self, order: Mapping[str, Any]) -> bool:
        """On the page of the elder, give what is due soonest to somebody else who can; whether somebody was found."""
        home, shop = self.elders.of(order["caller_name"], order["room"]), self.errands.shop
        due = (
            []
            if home is None
            else [one for one in self.elders.due(home) if DUTY_LABELS[DutyKind(one["duty"])] in order["description"]]
        )
        for performer in self.candidates(order) if due else ():
            answer = shop.api(f"/api/care/duties/{due[0]['id']}/helper", {"performer_id": performer})
            shop.diary.count(f"swap {answer.status}")
            if answer.status == OK:
                return True
        return False

    def candidates(self, order: Mapping[str, Any]) -> list[int]:
        """The helpers of the home's area, in an order of chance."""
        home = self.elders.of(order["caller_name"], order["room"])
        near = [] if home is None else self.helpers.near(home)
        return self.errands.shop.chance("swap", order["number"], order["version"]).sample(near, len(near))

    def give_by_hand(self, order: Mapping[str, Any]) -> None:
        """What is due no more, or nobody took, is still somebody's to go to: a dispatcher names who serves the kind."""
        shop, kind = self.errands.shop, self.kinds.get(order["service_id"], "")
        serving = shop.read(f"/api/performers?limit=100&service_code={kind}")["items"] if kind else []
        near = set(self.candidates(order))
        for performer in sorted((int(one["id"]) for one in serving), key=lambda one: one not in near)[:MOST_TRIED]:
            content = {"performer_id": performer, "reason": REASON}
            answer = shop.api(f"/api/orders/{order['number']}/dispatch", content)
            shop.diary.count(f"by hand {answer.status}")
            if answer.status == OK:
                return

    def call_back(self, order: Mapping[str, Any], day: str) -> None:
        """Somebody else than who answered calls the elder back."""
        shop = self.errands.shop
        chance = shop.chance("callback", order["number"], day)
        clerk, path = shop.screens[chance.choice(CLERKS)], f"/orders/{order['number']}/callback"
        answer = clerk.send(path, PLEASED if chance.random() < REACHED else AWAY)
        shop.diary.count(f"callback {answer.status}")

    def go_on(self, order: Mapping[str, Any]) -> None:
        """The team signs for what it was sent, and answers when the work is done; by a key of its own."""
        number, shop = order["number"], self.errands.shop
        what, content = ("signature", {}) if order["state"] == "dispatched" else ("feedback", {"answer": "已办理。"})
        once = f"{shop.mark}-{what}-{number}-{order['version']}"
        answer = shop.wire.api(shop.keys["team"], "POST", f"/api/orders/{number}/{what}", content, once=once)
        shop.diary.count(f"order {what} {answer.status}")
