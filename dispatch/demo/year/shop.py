"""The shop of the lived year: everybody with a log-in, the keys, what is known of goods and facilities, the diary."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from dispatch.demo.community import Community
from dispatch.demo.day.agenda import BusinessTime
from dispatch.demo.day.wire import Answer, Wire
from dispatch.demo.year.screen import Screen

LOVE, OVERSEAS = "love_market", "overseas_market"
CREATED, OK, SEE_OTHER, UNPROCESSABLE = 201, 200, 303, 422
MOST_LISTED = 100


class Surprise(Exception):
    """Something was otherwise than it must be."""


@dataclass(slots=True)
class Diary:
    """What was done and said, for whoever checks it later; several people write at once."""

    counts: Counter[str] = field(default_factory=Counter)
    given: dict[str, list[Any]] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def count(self, word: str, number: int = 1) -> None:
        """So many times."""
        with self.lock:
            self.counts[word] += number

    def keep(self, name: str, what: object) -> None:
        """One more of a list."""
        with self.lock:
            self.given.setdefault(name, []).append(what)

    def surprise(self, words: str) -> None:
        """Something that must not be; the year goes on."""
        with self.lock:
            self.surprises.append(words)
        print(f"  意外 · surprise: {words}", flush=True)

    def expect(self, answer: Answer, *statuses: int, what: str) -> bool:
        """Whether an answer is one of these; another one is a surprise."""
        if answer.status in statuses:
            return True
        self.surprise(f"{what}: {answer.status} {answer.text[:300]!r}")
        return False


@dataclass(slots=True)
class Shop:
    """One running installation, as the supermarket's people use it."""

    wire: Wire
    keys: Mapping[str, str]
    community: Community
    time: BusinessTime
    screens: Mapping[str, Screen]
    cards: list[str]
    diary: Diary
    seed: int
    mark: str
    facilities: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    goods: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    asked: int = 0

    def learn(self) -> None:
        """Read once what there is."""
        self.facilities = {one["kind"]: one for one in self.read("/api/facilities")["items"]}
        self.goods = {one["code"]: one for one in self.read(f"/api/goods?limit={MOST_LISTED}")["items"]}

    @property
    def community_id(self) -> int:
        """The community of the supermarket."""
        return int(self.facilities[LOVE]["community_id"])

    def chance(self, *parts: object) -> Random:
        """A stream of its own for one decision."""
        words = ":".join(str(part) for part in (self.seed, *parts))
        return Random(words)  # noqa: S311 - a year that can be lived again is the point

    def read(self, path: str) -> Any:
        """What the installation shows."""
        return self.wire.api(self.keys["all"], "GET", path).json()

    def listed(self, path: str) -> list[Mapping[str, Any]]:
        """All of a list, page by page."""
        found: list[Mapping[str, Any]] = []
        more = f"{path}?limit={MOST_LISTED}"
        while True:
            page = self.read(more)
            found += page["items"]
            if page.get("next") is None:
                return found
            more = f"{path}?limit={MOST_LISTED}&cursor={page['next']}"

    def api(self, path: str, content: object, *, method: str = "POST") -> Answer:
        """A step by the key that may do all, once."""
        with self.diary.lock:
            self.asked += 1
            once = f"year-{self.mark}-{self.asked}"
        answer = self.wire.api(self.keys["all"], method, path, content, once=once)
        if answer.status == CREATED:
            self.diary.count(f"201 {path}")
        return answer

    def attempt(self, deed: Callable[[], None]) -> None:
        """Do something; what is otherwise than it must be is noted, and the year goes on."""
        try:
            deed()
        except Surprise as surprise:
            self.diary.surprise(str(surprise))

    def made(self, path: str, content: object) -> Any:
        """What was made by a step; raises Surprise where nothing was."""
        answer = self.api(path, content)
        if answer.status not in {OK, CREATED}:
            raise Surprise(f"{path}: {answer.status} {answer.text[:300]!r}")
        return answer.json()
