"""The festivals of the lived year: the place is settled, guests answer, are fetched, come, and are counted."""

import re
from dataclasses import dataclass, field

from dispatch.demo.year.screen import Screen
from dispatch.demo.year.shop import SEE_OTHER, Shop

EVENT = re.compile(r'class="row-link" href="/festivals/(\d+)"')
INVITED = re.compile(r"/festivals/invitations/(\d+)")
HELPING = re.compile(r'name="helpers" value="(\d+)"')
PRESENT = re.compile(r'name="present" value="(\d+)"')
HELD_ON = re.compile(r'name="held_on"[^>]*value="([\d-]+)"')
COMES, RIDES, MOST_HELPERS = 0.8, 0.4, 6


@dataclass(slots=True)
class Hosts:
    """Those at the centre who prepare what the calendar has planned."""

    shop: Shop
    centre: Screen
    ready: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Prepare each event that is new, and count who came to each that was."""
        for number in dict.fromkeys(EVENT.findall(self.centre.read("/festivals").text)):
            if number not in self.ready:
                self.ready.add(number)
                self.prepare(number)
            elif number not in self.held:
                self.count(number)

    def prepare(self, number: str) -> None:
        """Day and place, answers, rides, helpers; what was held before the year began is left."""
        page = self.centre.read(f"/festivals/{number}").text
        held_on = HELD_ON.search(page)
        if held_on is None:
            self.held.add(number)
            return
        self.send(f"/festivals/{number}/place", {"held_on": held_on[1], "place": "社区活动中心"})
        for invitation in dict.fromkeys(INVITED.findall(page)):
            chance = self.shop.chance("guest", invitation)
            form = {"answer": "comes" if chance.random() < COMES else "declines", "may_picture": "1"}
            form |= {"wants_ride": "1"} if chance.random() < RIDES and form["answer"] == "comes" else {}
            self.send(f"/festivals/invitations/{invitation}", form)
        self.send(f"/festivals/{number}/rides", {})
        self.send(f"/festivals/{number}/helpers", {}, {"helpers": HELPING.findall(page)[:MOST_HELPERS]})

    def count(self, number: str) -> None:
        """On the day or after it: who came."""
        present = PRESENT.findall(self.centre.read(f"/festivals/{number}").text)
        if present:
            self.held.add(number)
            self.send(f"/festivals/{number}/attendance", {}, {"present": present[: len(present) * 3 // 4]})
            self.shop.diary.keep("festivals", {"event": int(number), "invited": len(present)})

    def send(self, path: str, form: dict[str, str], many: dict[str, list[str]] | None = None) -> None:
        """A form that is taken; another answer is a surprise."""
        answer = self.centre.send(path, form, many=many or {})
        self.shop.diary.expect(answer, SEE_OTHER, what=path)
