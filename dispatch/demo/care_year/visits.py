"""The helpers: each answers the link that came, goes when it is wanted, tells how it was: by link or at the desk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from dispatch.demo.care_year.elders import Elders, Home
from dispatch.demo.day.agenda import Agenda
from dispatch.demo.day.firms import MACHINE, photo, signature
from dispatch.demo.day.wire import Part, multipart
from dispatch.demo.performers import Performer
from dispatch.demo.year.shop import CREATED, OK, Shop
from dispatch.gateways.messages.received import read_received
from dispatch.rules.care.terms import DUTY_LABELS, DutyKind, HelperKind

MOST_READ, MOST_TRIES = 5_000, 3
DECLINES, SILENT, GIVES_BACK, NOBODY_THERE, TOLD_TO_THE_DESK, SCANS, DIFFICULT = 0.05, 0.04, 0.03, 0.06, 0.5, 0.7, 0.06
VISITS = frozenset({"care_visit", "return_visit"})
CALL, OF_MEMBERS, FETCHING = "greeting_call", "condolence_visit", "device_recovery"
TEST = DUTY_LABELS[DutyKind.LIVE_TEST]
MOODS = ("good", "flat", "low")
COMPLAINTS = ("", "", "晚上睡不好", "想念外地的孙子", "腿脚不便，下楼要人扶")
DIFFICULTIES = ("阳台的灯不亮了，想请人来看看", "下水道有点堵", "想请人帮忙交水电费")
SOON = timedelta(minutes=25)


@dataclass(slots=True)
class Helpers:
    """All who are sent by a link: volunteers, party members, workers, leaders of stairwells."""

    shop: Shop
    home: Path
    agenda: Agenda
    elders: Elders
    ids: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    tested: Callable[[Home], None] | None = None
    fetched: Callable[[str], None] | None = None
    read_until: int = 0
    known: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Learn who is who."""
        self.ids = {one["code"]: int(one["id"]) for one in self.shop.listed("/api/performers")}

    def near(self, home: Home) -> list[int]:
        """The helpers of the home's area who make every kind of visit, by id."""
        return self.serving(home, "return_visit", self.shop.community.helpers)

    def to_pair(self, home: Home, kind: str) -> list[int]:
        """Who may be paired with a home as 社区工作者, 党员 or 志愿者, by id."""
        community = self.shop.community
        if kind == HelperKind.COMMUNITY_WORKER:
            return self.serving(home, CALL, community.team_workers)
        return self.serving(home, OF_MEMBERS, community.helpers) if kind == HelperKind.PARTY_MEMBER else self.near(home)

    def serving(self, home: Home, kind: str, among: Sequence[Performer]) -> list[int]:
        """Those among some people who serve a kind of order in the home's area, by id."""
        buildings = self.shop.community.grid.buildings
        area = next(one.area_code for one in buildings if home.address.startswith(one.address))
        return sorted(self.ids[one.code] for one in among if area in one.areas and kind in one.kinds)

    def look(self) -> int:
        """Answer what has come since the last look; how many links that was."""
        taken = 0
        for one in read_received(self.home, after=self.read_until, limit=MOST_READ):
            self.read_until = one.number
            if one.link and not one.repeat:
                taken += self.asked(one.performer_code, one.link.rpartition("/w/")[2])
        return taken

    def asked(self, code: str, token: str) -> bool:
        """Open a link, once, and answer it."""
        if token in self.known:
            return False
        self.known.add(token)
        page = self.page_of(token)
        if page.get("stage") != "offered":
            self.shop.diary.count("links that were over when opened")
            return False
        visit = Visit(self, code, token, page, self.shop.chance("visit", page["number"], code, token))
        visit.answer()
        return True

    def page_of(self, token: str) -> Mapping[str, Any]:
        """What the link shows to a machine; nothing when it is over."""
        answer = self.shop.wire.ask("GET", f"/w/{token}", headers=MACHINE)
        page: Mapping[str, Any] = answer.json() if answer.status == OK else {}
        return page


@dataclass(slots=True)
class Visit:
    """One order that somebody was asked for."""

    helpers: Helpers
    code: str
    token: str
    page: Mapping[str, Any]
    chance: Random
    tries: int = 0

    @property
    def kind(self) -> str:
        """The kind of the order; empty of a confidential one."""
        return str(self.page["kind"]["code"])

    @property
    def is_of_calendar(self) -> bool:
        """Whether it is a visit or call of the care calendar."""
        return self.kind in VISITS or self.kind == CALL

    def answer(self) -> None:
        """Accept, decline, or say nothing; who accepts comes when it is wanted, or gives it back."""
        luck = self.chance.random()
        shop = self.helpers.shop
        if self.code in self.helpers.silent or (self.is_of_calendar and luck < SILENT):
            shop.diary.count("offers that nobody answered")
        elif self.is_of_calendar and luck < SILENT + DECLINES:
            self.post("decline", {"reason": "busy"})
        elif self.post("accept", {}) == OK:
            self.helpers.agenda.at(self.when(), self.go)

    def when(self) -> datetime:
        """At the time that is wanted, a little into it; else soon."""
        now, wanted = self.helpers.shop.time.now(), self.page["wanted_from"]
        begin = max(now, datetime.fromisoformat(wanted)) if wanted else now
        return begin + SOON * (self.chance.random() if self.is_of_calendar or not wanted else 0)

    def go(self) -> None:
        """Be there, or ring up; now and then give it back."""
        page = self.helpers.page_of(self.token)
        if "finish" not in page.get("acts", ()):
            self.helpers.shop.diary.count("visits that were not wanted any more")
        elif self.is_of_calendar and self.chance.random() < GIVES_BACK:
            self.post("give-back", {"reason": "time"})
        else:
            self.do(page["visit"])

    def do(self, told: Mapping[str, Any]) -> None:
        """Do what is asked: of an elder of the calendar the desk is told as often as the phone page."""
        home = self.helpers.elders.at(told["address"]) if self.is_of_calendar else None
        is_test = TEST in told["description"]
        if home is not None and (is_test or self.chance.random() < TOLD_TO_THE_DESK):
            if self.kind != CALL:
                self.post("set-out", {})
                self.post("arrive", {"how": "code"})
            self.tell_the_desk(home, is_test=is_test)
        else:
            self.finish()
            if self.kind == FETCHING and self.helpers.fetched is not None:
                self.helpers.fetched(told["description"])

    def tell_the_desk(self, home: Home, *, is_test: bool) -> None:
        """The desk writes down what the helper says: mood, complaint, difficulty, how it is known."""
        is_call, scans = self.kind == CALL, self.chance.random() < SCANS
        content = {
            "household_id": home.household_id,
            "kind": "call" if is_call else "visit",
            "performer_id": self.helpers.ids.get(self.code),
            "mood": self.chance.choice(MOODS),
            "complaint": self.chance.choice(COMPLAINTS),
            "difficulty": self.chance.choice(DIFFICULTIES) if self.chance.random() < DIFFICULT else "",
            "door_code": "" if is_call or not scans else home.door_code,
            "confirmed": not is_call and not scans,
            "tested": is_test,
        }
        if is_test and self.helpers.tested is not None:
            self.helpers.tested(home)
        shop = self.helpers.shop
        answer = shop.api("/api/care/contacts", content)
        if shop.diary.expect(answer, CREATED, what=f"record of {self.page['number']}"):
            shop.diary.count("difficulties told" if content["difficulty"] else "records at the desk")
            about = {"contact": answer.json()["id"], "household": home.household_id, "order": self.page["number"]}
            shop.diary.keep("records", about)

    def finish(self) -> None:
        """Report on the phone page, with the photo and the signature that the kind asks for."""
        nobody = self.is_of_calendar and self.chance.random() < NOBODY_THERE
        if self.kind != CALL:
            self.post("set-out", {})
            self.post("arrive", {"how": "resident"})
        form = {"result": "not_done" if nobody else "done", "cost": "0", "note": "没有人应" if nobody else "都好"}
        parts = (
            Part("photos", "photo.jpg", "image/jpeg", photo(self.chance)),
            Part("signature", "signature.png", "image/png", signature(self.chance)),
        )
        body, content_type = multipart(form, parts)
        key = f"finish-{self.token}-{self.tries}"
        headers = {**MACHINE, "Content-Type": content_type, "Idempotency-Key": key}
        answer = self.helpers.shop.wire.ask("POST", f"/w/{self.token}/finish", body=body, headers=headers)
        self.helpers.shop.diary.count(f"finish {form['result']} {answer.status}")
        if answer.status != OK and self.tries < MOST_TRIES:
            self.tries += 1
            self.helpers.agenda.at(self.helpers.shop.time.now() + SOON, self.finish)

    def post(self, act: str, content: Mapping[str, object]) -> int:
        """One act on the phone page, once; its status."""
        path, key = f"/w/{self.token}/{act}", f"{act}-{self.token}"
        answer = self.helpers.shop.wire.send_json("POST", path, content, MACHINE, once=key)
        self.helpers.shop.diary.count(f"{act} {answer.status}")
        return answer.status
