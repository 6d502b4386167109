"""The staff of the lived day who work at a screen: team workers with their inbox, clerks who call back."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dispatch.demo.community import Community
from dispatch.demo.day.agenda import BusinessTime
from dispatch.demo.day.firms import Firms
from dispatch.demo.day.people import Desk
from dispatch.demo.day.story import Story, Told
from dispatch.demo.day.wire import Browser, Wire

LINK = re.compile(r'href="/w/([A-Za-z0-9_-]+)"')
SEE_OTHER = 303
REACHED, SOLVED = 0.9, 0.92
SCALE = (
    ("very_satisfied", 0.45),
    ("satisfied", 0.35),
    ("basically_satisfied", 0.16),
    ("dissatisfied", 0.04),
)
AWAY, SAYS_SOLVED = "away", "solved"
LOOK_AGAIN = timedelta(minutes=2)
CALLING_RATE = 1.0
MOST_SWEEPS = 12


@dataclass(slots=True)
class Workers:
    """Team workers: told in the house, they open the link in their own inbox."""

    wire: Wire
    community: Community
    passwords: Mapping[str, str]
    desk: Desk
    firms: Firms
    sources: Callable[[str], str | None]
    browsers: dict[str, Browser] = field(default_factory=dict)
    seen: set[tuple[str, int, int]] = field(default_factory=set)

    def look(self) -> None:
        """Let those who have been asked open their inbox."""
        for number in self.waiting_numbers():
            answer = self.wire.api(self.desk.dispatch_key, "GET", f"/api/orders/{number}/offers")
            for offer in answer.json()["items"]:
                mark = (number, offer["round"], offer["performer_id"])
                if offer["outcome"] == "open" and mark not in self.seen and self.open_inboxes(offer["performer"]):
                    self.seen.add(mark)

    def waiting_numbers(self) -> list[str]:
        """Orders of the workers' kinds that were being offered when the desk last looked."""
        kinds = {one.code for one in self.community.services if one.performer == "team_worker"}
        known = self.desk.story.orders
        numbers = [order["number"] for order in self.desk.offers]
        return [number for number in numbers if known[number].call.kind_code in kinds]

    def open_inboxes(self, name: str) -> bool:
        """Everybody of this name opens their inbox; False where somebody could not log in just now."""
        for worker in self.community.team_workers:
            if worker.name == name and worker.login is not None:
                try:
                    page = self.browser(worker.login).get("/inbox")
                except PermissionError:
                    return False
                for token in LINK.findall(page.text):
                    self.firms.take_link(worker.code, token)
        return True

    def browser(self, login: str) -> Browser:
        """The screen of one worker."""
        if login not in self.browsers:
            self.browsers[login] = Browser(self.wire, login, self.passwords[login], self.sources(login))
        return self.browsers[login]


@dataclass(slots=True)
class Clerks:
    """The callback clerks: nobody calls back what they handled, and here they handle nothing else."""

    wire: Wire
    browsers: list[Browser]
    desk: Desk
    story: Story
    time: BusinessTime

    def call_everybody(self) -> None:
        """Work through the list of calls at the pace of real time, so that log-ins do not grow old."""
        before = self.time.rate
        self.time.run(CALLING_RATE)
        done: set[str] = set()
        for _ in range(MOST_SWEEPS):
            waiting = [one for one in self.desk.board()["callbacks"] if one["number"] not in done]
            if not waiting:
                break
            for order in waiting:
                done.add(order["number"])
                if order["number"] in self.story.orders:
                    self.call(order)
        self.time.run(before)

    def call(self, order: Mapping[str, Any]) -> None:
        """One try with one order: everybody who waits for it is called, and says the same."""
        number = order["number"]
        told = self.story.orders[number]
        told.callbacks += 1
        form = self.answer_of(told, order["reopened"])
        browser = self.browsers[told.call.number % len(self.browsers)]
        for caller in self.to_call(number):
            said = form if caller is None else {**form, "caller_id": str(caller)}
            answer = browser.post(f"/orders/{number}", f"/orders/{number}/callback", said)
            ended = "recorded" if answer.status == SEE_OTHER else str(answer.status)
            self.story.counts[f"callback {ended}"] += 1
            if answer.status != SEE_OTHER:
                break

    def to_call(self, number: str) -> list[int | None]:
        """Who waits to be called back about an order, its own caller (None) first."""
        people = self.wire.api(self.desk.dispatch_key, "GET", f"/api/orders/{number}/callers").json()["items"]
        return [one["id"] for one in people if one["is_called_back"] and not one["is_done"]]

    def answer_of(self, told: Told, reopened: int) -> dict[str, str]:
        """What the resident says; nobody complains of the same thing for ever, but where a tale has it so."""
        chance = self.story.chance("callback", told.call.number, told.callbacks)
        word = told.manner.word(told.callbacks)
        if word == AWAY or (not word and chance.random() > REACHED):
            return {"reached": "no", "remark": "无人接听"}
        words, weights = zip(*SCALE, strict=True)
        satisfaction = chance.choices(words, weights)[0]
        solved = word == SAYS_SOLVED if word else reopened > 0 or chance.random() < SOLVED
        reopened = reopened or bool(word)
        if reopened and satisfaction == "dissatisfied":
            satisfaction = "satisfied"
        return {
            "reached": "yes",
            "contacted": "yes",
            "solved": "yes" if solved else "no",
            "satisfaction": satisfaction if solved else "dissatisfied",
        }
