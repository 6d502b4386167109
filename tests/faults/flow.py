"""Orders that flow while things break: callers who repeat until they are answered, firms who answer what they got."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from dispatch.gateways.messages.received import read_received
from tests.faults.town import Town

CREATED, OK = 201, 200
PATIENCE = 600
PAUSE_SECONDS = 0.2
CALLERS = 4
KINDS = ("drain_clearing", "locksmith", "gas_cylinder", "waste_removal", "other_service")


@dataclass(slots=True)
class Flow:
    """What callers and firms were told: key → number, and the links whose acceptance was confirmed."""

    town: Town
    name: str
    orders: int
    random: Random
    numbers: dict[str, str] = field(default_factory=dict)
    clashes: list[str] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def keys(self) -> list[str]:
        """The keys of all calls; each is the text of its order as well."""
        return [f"{self.name}-{number:04d}" for number in range(self.orders)]

    def call(self, key: str, stairwell: int, kind: str) -> None:
        """Place one order, with the same key until it is answered."""
        content = {"service_code": kind, "description": key, "stairwell_id": stairwell, "urgency": None}
        for attempt in itertools.count():
            status, body = self.town.api("POST", "/api/orders", content, once=key)
            self.told[f"intake {status}"] += 1
            if status == CREATED:
                if self.numbers.setdefault(key, body["number"]) != body["number"]:
                    self.clashes.append(key)
                return
            assert status not in {400, 401, 403, 404, 422}, (status, body)
            assert attempt < PATIENCE, "nobody answered"
            self.over.wait(PAUSE_SECONDS)

    def place_all(self, *, each_twice: bool = False) -> None:
        """All calls, four at a time, each perhaps twice at once."""
        stairwells = [row[0] for row in self.town.rows("SELECT id FROM stairwells ORDER BY id")]
        calls = [(key, self.random.choice(stairwells), self.random.choice(KINDS)) for key in self.keys]
        if each_twice:
            calls = [call for call in calls for _ in range(2)]
        with ThreadPoolExecutor(CALLERS * (2 if each_twice else 1)) as pool:
            for done in [pool.submit(self.call, *call) for call in calls]:
                done.result()

    @contextmanager
    def firms(self) -> Iterator[None]:
        """Firms answer while the block runs: most accept, half of them twice at once; some decline or are silent."""
        thread = threading.Thread(target=self.answer_all)
        thread.start()
        try:
            yield
        finally:
            self.over.set()
            thread.join()

    def answer_all(self) -> None:
        """Read the inbox until told to stop, each link once."""
        known, after = set[str](), 0
        with ThreadPoolExecutor(CALLERS) as pool:
            while not self.over.wait(PAUSE_SECONDS):
                for one in read_received(self.town.home, after=after, limit=1_000):
                    after = one.number
                    if one.link and one.link not in known and one.order_number:
                        known.add(one.link)
                        self.decide(pool, one.link)

    def decide(self, pool: ThreadPoolExecutor, link: str) -> None:
        """What a firm does with an offer."""
        chance = self.random.random()
        if chance < 0.7:
            for number in range(2 if chance < 0.35 else 1):
                pool.submit(self.accept, link, f"accept-{link[-12:]}-{number}")
        elif chance < 0.85:
            pool.submit(self.town.answer, link, "decline", {"reason": "busy"}, once=f"decline-{link[-12:]}")

    def accept(self, link: str, once: str) -> None:
        """Accept, with the same key while nobody answers."""
        for _ in range(20):
            status = self.town.answer(link, "accept", {}, once=once)
            self.told[f"accept {status}"] += 1
            if status == OK:
                self.taken[link] += 1
            if status not in {0, 429, 500, 502, 503} or self.over.wait(PAUSE_SECONDS):
                return
