"""Those who are cared for, as the pages of care show them: who is enrolled where, the code at the door, what is due."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from dispatch.demo.year.screen import Screen
from dispatch.demo.year.shop import Shop, Surprise
from dispatch.rules.care.terms import Programme

ENROLLED = re.compile(r'class="row-link" href="/care/(\d+)">([^<]*)</a>')
FOUND = re.compile(r'name="resident_id" value="(\d+)"[^>]*><span>([^<]*)</span>')
HOME = re.compile(r"/care/homes/(\d+)/record")
ADDRESS = re.compile(r'<dl class="facts">\s*<dt>[^<]*</dt><dd>([^<]*)</dd>')
CODE = re.compile(r">([A-Z2-7]{8})<")


@dataclass(slots=True)
class Home:
    """Where somebody enrolled lives: who, the code at the door, the enrolments and the programme of each."""

    household_id: int
    address: str
    door_code: str
    names: set[str] = field(default_factory=set)
    enrolments: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Elders:
    """Everybody who is cared for, by home; read again when somebody comes. Two may have one name."""

    shop: Shop
    screen: Screen
    homes: dict[int, Home] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)

    def learn(self) -> None:
        """Read the lists of all programmes, and of whoever is new the home and the printed code."""
        for programme in Programme:
            for number, names in ENROLLED.findall(self.screen.read(f"/care?programme={programme}").text):
                if int(number) not in self.known:
                    self.meet(int(number), str(programme), set(html.unescape(names).split("、")))

    def meet(self, enrolment_id: int, programme: str, names: set[str]) -> None:
        """One enrolment that is new."""
        page = self.screen.read(f"/care/{enrolment_id}").text
        found, address = HOME.search(page), ADDRESS.search(page)
        if found is None or address is None:
            return
        household_id = int(found[1])
        if household_id not in self.homes:
            printed = CODE.search(self.screen.read(f"/care/{enrolment_id}/door").text)
            self.homes[household_id] = Home(household_id, html.unescape(address[1]), printed[1] if printed else "")
        self.homes[household_id].names |= names
        self.homes[household_id].enrolments[enrolment_id] = programme
        self.known.add(enrolment_id)

    def shown(self, enrolment_id: int) -> Mapping[str, Any]:
        """An enrolment as it is now: its helpers, and what is due."""
        found: Mapping[str, Any] = self.shop.read(f"/api/care/enrolments/{enrolment_id}")
        return found

    def due(self, home: Home) -> list[Mapping[str, Any]]:
        """What is due at a home, what ends first before the rest."""
        found = [one for enrolment_id in home.enrolments for one in self.shown(enrolment_id)["due"]]
        return sorted(found, key=lambda one: (one["until"], one["id"]))

    def pairings(self, enrolment_id: int) -> dict[int, int]:
        """Who is paired now, and the pairing of each."""
        helpers = self.shown(enrolment_id)["helpers"]
        return {int(one["performer_id"]): int(one["id"]) for one in helpers if one["ends_on"] is None}

    def enrolled(self, programme: Programme) -> list[tuple[int, Home]]:
        """The enrolments of a programme with their homes, by id."""
        found = [(number, home) for home in self.homes.values() for number, kind in home.enrolments.items()
                 if kind == programme]  # fmt: skip
        return sorted(found, key=lambda one: one[0])

    def resident_of(self, home: Home) -> int:
        """Who lives alone in a home, by id."""
        (name,) = home.names
        page = self.screen.read(f"/care/new?q={quote(name)}").text
        for number, words in FOUND.findall(page):
            if words.removesuffix("室").endswith(home.address):
                return int(number)
        words = f"{home.address} is not found"
        raise Surprise(words)

    def at(self, address: str) -> Home | None:
        """The home of an address as the phone page writes it."""
        return next((home for home in self.homes.values() if home.address == address.removesuffix("室")), None)

    def of(self, name: str | None, room: str | None) -> Home | None:
        """The home of an order: by who called and the room."""
        found = (one for one in self.homes.values() if name in one.names and one.address.endswith(f"单元{room}"))
        return next(found, None)
