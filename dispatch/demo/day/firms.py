"""The firms of the lived day: they read their inbox and act on the phone page, as people do."""

import io
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, ImageDraw

from dispatch.demo.day.agenda import Agenda, BusinessTime
from dispatch.demo.day.story import Story, Told
from dispatch.demo.day.wire import Answer, Part, Wire, multipart
from dispatch.gateways.messages.received import read_received

OK = 200
ACCEPTS, DECLINES = 0.80, 0.12
ACCEPT, DECLINE, LAPSE = "accept", "decline", "lapse"
TWICE, RACE = "twice", "race"
REASONS = ("busy", "far", "time", "parts")
ANSWER_WITHIN = (0.08, 0.7)
SET_OUT_MINUTES = (2, 12)
WAY_MINUTES = (6, 28)
WORK_MINUTES = (12, 70)
PARTLY = 0.04
MOST_YUAN = 260
MOST_READ = 5_000
SECOND_THOUGHTS = (1, 5)
MOST_RIVALS = 4
EARLY, AT_THE_LATEST = 0.4, 0.8
MACHINE = {"Accept": "application/json"}
PHOTO_SIZE = (320, 240)
SIGNATURE_SIZE = (240, 90)


@dataclass(slots=True)
class Firms:
    """All firms, helpers and workers with a link: each link is dealt with once."""

    wire: Wire
    home: Path
    time: BusinessTime
    agenda: Agenda
    story: Story
    finished: Callable[[str], None]
    sources: Callable[[str], str | None]
    read_until: int = 0
    known: set[str] = field(default_factory=set)
    strange: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def skip_old(self) -> None:
        """Leave what lies in the inbox from before this day."""
        old = read_received(self.home, limit=1)
        self.read_until = old[-1].number if old else 0

    def read_inbox(self) -> None:
        """Open what has come since the last look."""
        for one in read_received(self.home, after=self.read_until, limit=MOST_READ):
            self.read_until = one.number
            if one.link and not one.repeat:
                self.take_link(one.performer_code, one.link.rpartition("/w/")[2])

    def take_link(self, performer: str, token: str) -> None:
        """Look at the order of a new link, and decide; a link of another day is left alone."""
        if token in self.known:
            return
        self.known.add(token)
        answer = self.wire.ask("GET", f"/w/{token}", headers=MACHINE, source=self.sources(performer))
        page = answer.json() if answer.status == OK else {}
        number = page.get("number", "")
        told = self.story.orders.get(number)
        if told is None and page.get("stage") == "offered":
            self.strange.setdefault(number, []).append((performer, token))
        if told is None or page["stage"] != "offered":
            self.story.counts["links that were over when opened"] += 1
            return
        told.rounds += 1
        told.linked_at = time.monotonic()
        chance = self.story.chance("offer", told.call.number, performer, told.rounds)
        now = self.time.now()
        hold = max(datetime.fromisoformat(page["answer_until"]) - now, timedelta(seconds=1))
        visit = Visit(self, told, performer, token, chance, page)
        if told.manner.together == RACE:
            self.meet(visit, now + hold * EARLY, now + hold * AT_THE_LATEST)
        else:
            self.decide(visit, now + hold * chance.uniform(*ANSWER_WITHIN), now + hold)

    def look_again(self, number: str) -> None:
        """Open the links of an order that has become one of this story after they came."""
        for performer, token in self.strange.pop(number, []):
            self.known.discard(token)
            self.take_link(performer, token)

    def decide(self, visit: "Visit", when: datetime, until: datetime) -> None:
        """Four of five accept, some decline, the rest let it lapse; where a tale says how, so it is."""
        luck = visit.chance.random()
        by_luck = ACCEPT if luck < ACCEPTS else DECLINE if luck < ACCEPTS + DECLINES else LAPSE
        word = visit.told.manner.answer(visit.told.rounds) or by_luck
        if word == ACCEPT:
            self.agenda.at(when, visit.accept_twice if visit.told.manner.together == TWICE else visit.accept)
        elif word == DECLINE:
            self.agenda.at(when, visit.decline)
        else:
            self.story.counts["left to lapse"] += 1
            self.agenda.at(until, visit.forget)

    def meet(self, visit: "Visit", early: datetime, late: datetime) -> None:
        """Whoever is asked in a round that is raced for waits for the others, and all accept at once."""
        rivals = visit.told.rivals
        if len(rivals) < MOST_RIVALS:
            rivals.append(visit)
        if len(rivals) == 1:
            self.agenda.at(early, lambda: race(visit.told, rivals, fewest=2))
            self.agenda.at(late, lambda: race(visit.told, rivals, fewest=1))


@dataclass(slots=True)
class Visit:
    """One firm with one link."""

    firms: Firms
    told: Told
    performer: str
    token: str
    chance: Random
    page: dict[str, Any]

    def accept(self) -> None:
        """Take the order, unless somebody was faster or the time is over."""
        self.follow(self.post("accept", {}))

    def accept_twice(self) -> None:
        """Take the order from two phones in the same moment: one is told yes, the other that it was done."""
        with ThreadPoolExecutor(2) as phones:
            answers = list(phones.map(lambda phone: self.post("accept", {}, phone=phone), ("one", "two")))
        self.told.at_once = sorted(answer.status for answer in answers)
        self.follow(min(answers, key=lambda answer: answer.status))

    def follow(self, answer: Answer) -> None:
        """What comes after the answer to an acceptance: the way there, the order given back, or waiting."""
        self.firms.story.counts[f"accept {answer.status}"] += 1
        if answer.status != OK:
            return
        self.told.accepted_at = self.told.accepted_at or self.firms.time.now()
        if self.told.manner.gives_back:
            self.told.manner.gives_back -= 1
            self.later(SECOND_THOUGHTS, self.give_back)
        elif self.told.manner.waits:
            self.told.visit = self
        else:
            self.go_on()

    def go_on(self) -> None:
        """Set out in some minutes, or when the resident wants it."""
        self.later(SET_OUT_MINUTES, self.set_out, not_before=self.wanted)

    def give_back(self) -> None:
        """Accepted, but cannot come."""
        answer = self.post("give-back", {"reason": self.chance.choice(REASONS)})
        self.firms.story.counts[f"give back {answer.status}"] += 1
        self.firms.story.stir()

    def forget(self) -> None:
        """The time to answer is over."""
        self.firms.story.stir()

    def decline(self) -> None:
        """Say no, with a reason."""
        answer = self.post("decline", {"reason": self.chance.choice(REASONS)})
        self.firms.story.counts[f"decline {answer.status}"] += 1
        self.firms.story.stir()

    def set_out(self) -> None:
        """On the way."""
        if self.post("set-out", {}).status == OK:
            self.later(WAY_MINUTES, self.arrive)

    def arrive(self) -> None:
        """At the door."""
        if self.post("arrive", {"how": "resident"}).status == OK:
            self.later(WORK_MINUTES, self.finish)

    def finish(self) -> None:
        """Report the work with its cost, a photo and the resident's signature."""
        partly = self.chance.random() < PARTLY
        form = {
            "result": "partly" if partly else "done",
            "cost": str(self.chance.randint(0, MOST_YUAN)),
            "note": "差一个配件，已与居民约好再来" if partly else "",
        }
        parts = (
            Part("photos", "photo.jpg", "image/jpeg", photo(self.chance)),
            Part("signature", "signature.png", "image/png", signature(self.chance)),
        )
        body, content_type = multipart(form, parts)
        headers = {**MACHINE, "Content-Type": content_type, "Idempotency-Key": f"finish-{self.token}"}
        answer = self.firms.wire.ask("POST", f"/w/{self.token}/finish", body=body, headers=headers, source=self.source)
        self.firms.story.counts[f"finish {answer.status}"] += 1
        if answer.status == OK:
            self.firms.finished(self.told.number)

    def post(self, act: str, content: dict[str, str], *, phone: str = "") -> Answer:
        """One act on the phone page's machine-readable twin, once per link (and phone, where there are two)."""
        path = f"/w/{self.token}/{act}"
        key = f"{act}{phone}-{self.token}"
        return self.firms.wire.send_json("POST", path, content, MACHINE, once=key, source=self.source)

    def later(self, minutes: tuple[int, int], deed: Callable[[], None], *, not_before: datetime | None = None) -> None:
        """Note a deed some minutes from now, or from the time that was wanted."""
        start = max(self.firms.time.now(), not_before) if not_before else self.firms.time.now()
        self.firms.agenda.at(start + timedelta(minutes=self.chance.uniform(*minutes)), deed)

    @property
    def source(self) -> str | None:
        """The address from which this firm's phone asks."""
        return self.firms.sources(self.performer)

    @property
    def wanted(self) -> datetime | None:
        """From when the resident wants the visit."""
        text = self.page.get("wanted_from")
        return datetime.fromisoformat(text) if text else None


def race(told: Told, rivals: list[Visit], *, fewest: int) -> None:
    """All accept in the same moment, if there are enough: one gets the order, the others are told that it is taken."""
    if len(rivals) < fewest:
        return
    with ThreadPoolExecutor(MOST_RIVALS) as phones:
        answers = list(phones.map(lambda visit: visit.post("accept", {}), rivals))
    told.at_once = sorted(answer.status for answer in answers)
    for visit, answer in zip(rivals, answers, strict=True):
        visit.follow(answer)
    rivals.clear()


def photo(chance: Random) -> bytes:
    """A small JPEG of nothing in particular."""
    colours = [tuple(chance.randrange(256) for _ in range(3)) for _ in range(4)]
    image = Image.new("RGB", PHOTO_SIZE, colours[0])
    draw = ImageDraw.Draw(image)
    for colour in colours[1:]:
        left, top = chance.randrange(200), chance.randrange(140)
        draw.rectangle((left, top, left + chance.randrange(20, 110), top + chance.randrange(20, 90)), fill=colour)
    return encoded(image, "JPEG")


def in_letters(picture: bytes) -> str:
    """A picture as it stands in JSON."""
    return b64encode(picture).decode()


def signature(chance: Random) -> bytes:
    """A few strokes as PNG."""
    image = Image.new("RGB", SIGNATURE_SIZE, "white")
    points = [(12 * step, chance.randrange(15, 75)) for step in range(1, 19)]
    ImageDraw.Draw(image).line(points, fill="black", width=3)
    return encoded(image, "PNG")


def encoded(image: Image.Image, form: str) -> bytes:
    """The file of an image."""
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()
