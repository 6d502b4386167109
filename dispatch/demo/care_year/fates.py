"""What life brings in the year, each at its share of it: death, hospital, a flooded house, helpers who come and go."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from dispatch.demo.care_year.devices import Devices
from dispatch.demo.care_year.elders import Elders, Home
from dispatch.demo.care_year.hosting import Hosts
from dispatch.demo.care_year.readers import Readers
from dispatch.demo.care_year.visits import Helpers
from dispatch.demo.year.screen import Screen
from dispatch.demo.year.shop import SEE_OTHER, Shop, Surprise
from dispatch.rules.care.terms import HelperKind, Programme

A_DAY = timedelta(days=1)
EXCUSE_EVERY, READ_EVERY, WEEK = 15, 10, 7
IN_HOSPITAL, FLOODED, SICK = 0.06, 0.07, 0.03
PAIRED_KINDS = (HelperKind.PARTY_MEMBER, HelperKind.COMMUNITY_WORKER, HelperKind.VOLUNTEER)
WHY = "演示：老人这几天不方便"
Deed = Callable[[date], None]


@dataclass(slots=True)
class Fates:
    """Who has what to bear, and who of the staff writes it down."""

    shop: Shop
    elders: Elders
    helpers: Helpers
    devices: Devices
    days: int
    centre: Screen
    hosts: Hosts
    readers: Readers
    excused: dict[int, str] = field(default_factory=dict)
    flooded: list[Home] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)

    def plan(self) -> list[tuple[int, Deed]]:
        """On the how-manieth day is what; a stay ends after its own share of the year."""
        stay, flood = max(4, int(self.days * IN_HOSPITAL)), max(4, int(self.days * FLOODED))
        at = [
            (0.03, self.begin),
            (0.10, self.to_hospital),
            (0.30, self.die),
            (0.38, self.flood),
            (0.45, self.leave_for_good),
            (0.55, self.fall_sick),
            (0.62, self.leave_for_good),
            (0.70, self.change_helper),
            (0.80, self.to_hospital),
            (0.90, self.enter_the_calendar),
        ]
        found = [(int(share * self.days), deed) for share, deed in at]
        found += [(int(0.10 * self.days) + stay, self.come_from_hospital), (int(0.38 * self.days) + flood, self.dry)]
        return [*found, (int(0.80 * self.days) + stay, self.come_from_hospital)]

    def live(self, number: int, day: date) -> None:
        """What this day has."""
        for at, deed in self.plan():
            if at == number:
                self.shop.attempt(lambda deed=deed: deed(day))  # type: ignore[misc]
        if number % EXCUSE_EVERY == 1:
            self.shop.attempt(lambda: self.excuse_somebody(day))
        if number % WEEK == 1:
            self.shop.attempt(self.hosts.look)
            self.shop.attempt(self.name_visitors)
        if number % READ_EVERY == READ_EVERY - 1:
            self.shop.attempt(lambda: self.readers.look(day))
        for home in self.flooded:
            self.shop.attempt(lambda home=home: self.excuse_home(home, day))  # type: ignore[misc]

    def begin(self, day: date) -> None:
        """Groups and festivals are listed; homes paired with all kinds of helper; chores planned, links given."""
        about = {"community_id": str(self.shop.community_id), "seeded": "1"}
        for path in ("/life/groups", "/festivals"):
            self.sent(self.centre, path, about)
        for number, (enrolment_id, home) in enumerate(self.elders.enrolled(Programme.PAIRING)):
            kind = PAIRED_KINDS[number % len(PAIRED_KINDS)]
            free = [one for one in self.helpers.to_pair(home, kind) if not self.is_paired(enrolment_id, one)]
            helper = self.shop.chance("pair", number).choice(free)
            self.shop.made(f"/api/care/enrolments/{enrolment_id}/helpers", {"performer_id": helper, "kind": kind})
        for _, home in self.elders.enrolled(Programme.VOUCHER)[:3]:
            self.plan_chores(home)
        self.readers.begin(day)

    def plan_chores(self, home: Home) -> None:
        """Somebody helps in the house every second week."""
        first = (self.shop.time.now() + 2 * A_DAY).date()
        content = {
            "resident_id": self.elders.resident_of(home),
            "service_code": "chore",
            "dtstart": f"{first}T15:00",
            "rrule": "FREQ=WEEKLY;INTERVAL=2",
            "performer_id": self.helpers.near(home)[0],
            "note": "帮忙打扫",
        }
        self.told.setdefault("chores", []).append(self.shop.made("/api/visit-schedules", content)["id"])

    def name_visitors(self) -> None:
        """A visit of 三访 that was due and is not paid goes to somebody else."""
        now = self.shop.time.now()
        for event in self.shop.diary.given.get("events", []):
            for visit in self.shop.read(f"/api/care/events/{event['id']}")["visits"]:
                if visit["state"] not in {"done", "ended"} and datetime.fromisoformat(visit["due_at"]) < now:
                    serving = self.shop.read("/api/performers?service_code=condolence_visit&limit=100")["items"]
                    other = self.shop.chance("visitor", visit["id"], now).choice(serving)["id"]
                    self.shop.made(f"/api/care/condolences/{visit['id']}/visitor", {"performer_id": other})

    def to_hospital(self, day: date) -> None:
        """One who lives alone, with voucher or pairing, comes to hospital."""
        home = self.alone(Programme.VOUCHER)
        self.tell("hospital", day, self.elders.resident_of(home))
        self.told["patient"] = home

    def come_from_hospital(self, day: date) -> None:
        """And comes home."""
        self.tell("discharge", day, self.elders.resident_of(self.told["patient"]))

    def die(self, day: date) -> None:
        """One who has a device too dies."""
        home = self.alone(Programme.DEVICE)
        self.tell("death", day, self.elders.resident_of(home))
        self.shop.diary.keep("dead", {"enrolments": sorted(home.enrolments), "day": day.isoformat()})
        del self.elders.homes[home.household_id]

    def flood(self, day: date) -> None:
        """Water stands in a home: its people live elsewhere for some weeks."""
        home = self.alone(Programme.PAIRING)
        event = {"kind": "disaster", "happened_on": day.isoformat(), "household_id": home.household_id}
        made = self.shop.made("/api/care/events", event)["event"]
        self.shop.diary.keep("events", {**event, "id": made["id"]})
        self.shop.made(
            "/api/care/absences", {"resident_id": self.elders.resident_of(home), "starts_on": day.isoformat()}
        )
        self.flooded.append(home)

    def dry(self, day: date) -> None:
        """They are back."""
        home = self.flooded.pop()
        self.tell("come_home", day, self.elders.resident_of(home))

    def excuse_home(self, home: Home, day: date) -> None:
        """What is due at an empty home these days is excused by two."""
        for one in self.elders.due(home):
            if one["until"] <= (day + A_DAY).isoformat():
                self.excuse(one, "disaster")

    def excuse_somebody(self, day: date) -> None:
        """One asks not to be visited: two people let it be; every third time the second one does not."""
        homes = list(self.elders.homes.values())
        home = self.shop.chance("excuse", day).choice(homes)
        for one in list(self.elders.due(home))[:1]:
            self.excuse(one, "refused", granted=len(self.excused) % 3 != 0)

    def excuse(self, one: Mapping[str, Any], code: str, *, granted: bool = True) -> None:
        """The desk asks, the centre decides; each once."""
        if one["id"] in self.excused:
            return
        self.excused[one["id"]] = code
        self.sent(self.elders.screen, f"/care/periods/{one['id']}/excuse", {"code": code, "words": WHY})
        self.sent(self.centre, f"/care/periods/{one['id']}/{'approval' if granted else 'refusal'}", {})
        self.shop.diary.keep("excuses", {"period": one["id"], "code": code, "granted": granted})

    def leave_for_good(self, day: date) -> None:
        """A helper who is paired comes no more; their elders are paired anew with another."""
        helper = self.paired_helper()
        before = [one for one in self.elders.enrolled(Programme.PAIRING) if self.is_paired(one[0], helper)]
        self.shop.made(f"/api/care/helpers/{helper}/leaves", {"starts_on": day.isoformat()})
        for enrolment_id, home in before:
            self.pair_anew(enrolment_id, home, "volunteer", helper)
        gone = {"helper": helper, "day": day.isoformat(), "enrolments": [number for number, _ in before]}
        self.shop.diary.keep("left", gone)

    def pair_anew(self, enrolment_id: int, home: Home, kind: str, but: int) -> None:
        """Another helper of the area is paired."""
        able = self.helpers.to_pair(home, kind)
        free = [one for one in able if one != but and not self.is_paired(enrolment_id, one)]
        self.shop.made(f"/api/care/enrolments/{enrolment_id}/helpers", {"performer_id": free[0], "kind": kind})

    def fall_sick(self, day: date) -> None:
        """A helper is ill for some days."""
        until = day + max(3, int(self.days * SICK)) * A_DAY
        form = {"starts_on": day.isoformat(), "until": until.isoformat()}
        helper = self.paired_helper()
        self.shop.made(f"/api/care/helpers/{helper}/leaves", form)
        self.shop.diary.keep("sick", {"helper": helper, **form})

    def change_helper(self, _day: date) -> None:
        """A pairing ends without anybody leaving, and another begins."""
        enrolment_id, home = self.elders.enrolled(Programme.PAIRING)[0]
        for pairing in list(self.elders.pairings(enrolment_id).values())[:1]:
            self.shop.made(f"/api/care/pairings/{pairing}/end", {})
        self.pair_anew(enrolment_id, home, "party_member", 0)

    def enter_the_calendar(self, _day: date) -> None:
        """The next year's holidays are published: somebody enters them."""
        year = self.shop.time.now().year + 1
        self.sent(self.shop.screens["admin1"], "/calendar/years", {"year": str(year), "way": "library", "text": ""})

    def alone(self, programme: Programme) -> Home:
        """A home of a programme with one person, who is in no trouble yet."""
        taken = [self.told.get("patient"), *self.flooded]
        homes = [home for _, home in self.elders.enrolled(programme) if len(home.names) == 1 and home not in taken]
        return self.shop.chance("fate", programme, len(self.told)).choice(homes)

    def is_paired(self, enrolment_id: int, helper: int) -> bool:
        """Whether a helper is among those of an enrolment."""
        return helper in self.elders.pairings(enrolment_id)

    def paired_helper(self) -> int:
        """One of those who are paired with somebody and have not left."""
        gone = {one["helper"] for one in self.shop.diary.given.get("left", [])}
        helpers = self.shop.read("/api/care/helpers")["items"]
        here = (one for one in helpers if one["paired"] and not one["leaves"])
        free = [int(one["performer_id"]) for one in here if one["performer_id"] not in gone]
        if not free:
            words = "nobody is paired"
            raise Surprise(words)
        return free[0]

    def tell(self, kind: str, day: date, resident_id: int) -> None:
        """Tell the house what happened."""
        content = {"kind": kind, "happened_on": day.isoformat(), "resident_id": resident_id}
        event = self.shop.made("/api/care/events", content)["event"]
        self.shop.diary.keep("events", {**content, "id": event["id"]})

    def sent(self, screen: Screen, path: str, form: dict[str, str]) -> None:
        """A form that is taken; another answer is a surprise."""
        self.shop.diary.expect(screen.send(path, form), SEE_OTHER, what=path)
        self.shop.diary.count(f"sent {re.sub(r'[0-9]+', 'N', path)}")
