"""Orders that flow while things break: callers who repeat until they are answered, firms who answer what they got."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from time import monotonic

from dispatch.gateways.messages.received import arrivals, log_path, read_received
from tests.faults.town import Town

CREATED, OK = 201, 200
PATIENCE = 1_500
PAUSE_SECONDS = 0.2
CALLERS = 4
STAIRWELLS = (
    "SELECT stairwells.id FROM stairwells JOIN organisations ON organisations.id = community_id "
    "WHERE NOT is_hidden ORDER BY stairwells.id"
)
"""The canary's own community is hidden: nobody can call from there."""
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
    began: float = field(default_factory=monotonic)
    after: int = field(init=False)

    def __post_init__(self) -> None:
        """Note which message was the last before the flow began."""
        self.after = max((one.number for one in arrivals(log_path(self.town.home))), default=0)

    @property
    def keys(self) -> list[str]:
        """The keys of all calls; each is the text of its order as well."""
        return [f"{self.name}-{number:04d}" for number in range(self.orders)]

    @property
    def stairwells(self) -> list[int]:
        """Where somebody may call from."""
        return [row[0] for row in self.town.rows(STAIRWELLS)]

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
        stairwells = self.stairwells
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
        """Read what has arrived since the flow began until told to stop, and then once more; each link once."""
        known, after, is_last = set[str](), self.after, False
        with ThreadPoolExecutor(CALLERS) as pool:
            while not is_last:
                is_last = self.over.wait(PAUSE_SECONDS)
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
