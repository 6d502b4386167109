"""The firms of the lived day: they read their inbox and act on the phone page, as people do."""

import io
from collections.abc import Callable
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
REASONS = ("busy", "far", "time", "parts")
ANSWER_WITHIN = (0.08, 0.7)
SET_OUT_MINUTES = (2, 12)
WAY_MINUTES = (6, 28)
WORK_MINUTES = (12, 70)
PARTLY = 0.04
MOST_YUAN = 260
MOST_READ = 5_000
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
        told = self.story.orders.get(page.get("number", ""))
        if told is None or page["stage"] != "offered":
            self.story.counts["links that were over when opened"] += 1
            return
        told.rounds += 1
        chance = self.story.chance("offer", told.call.number, performer, told.rounds)
        now = self.time.now()
        hold = max(datetime.fromisoformat(page["answer_until"]) - now, timedelta(seconds=1))
        visit = Visit(self, told, performer, token, chance, page)
        self.decide(visit, now + hold * chance.uniform(*ANSWER_WITHIN))

    def decide(self, visit: "Visit", when: datetime) -> None:
        """Four of five accept, some decline, the rest let it lapse."""
        luck = visit.chance.random()
        if luck < ACCEPTS:
            self.agenda.at(when, visit.accept)
        elif luck < ACCEPTS + DECLINES:
            self.agenda.at(when, visit.decline)
        else:
            self.story.counts["left to lapse"] += 1


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
        answer = self.post("accept", {})
        self.firms.story.counts[f"accept {answer.status}"] += 1
        if answer.status == OK:
            self.told.accepted_at = self.told.accepted_at or self.firms.time.now()
            self.later(SET_OUT_MINUTES, self.set_out, not_before=self.wanted)

    def decline(self) -> None:
        """Say no, with a reason."""
        answer = self.post("decline", {"reason": self.chance.choice(REASONS)})
        self.firms.story.counts[f"decline {answer.status}"] += 1

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

    def post(self, act: str, content: dict[str, str]) -> Answer:
        """One act on the phone page's machine-readable twin, once per link."""
        path = f"/w/{self.token}/{act}"
        key = f"{act}-{self.token}"
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


def photo(chance: Random) -> bytes:
    """A small JPEG of nothing in particular."""
    colours = [tuple(chance.randrange(256) for _ in range(3)) for _ in range(4)]
    image = Image.new("RGB", PHOTO_SIZE, colours[0])
    draw = ImageDraw.Draw(image)
    for colour in colours[1:]:
        left, top = chance.randrange(200), chance.randrange(140)
        draw.rectangle((left, top, left + chance.randrange(20, 110), top + chance.randrange(20, 90)), fill=colour)
    return encoded(image, "JPEG")


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
