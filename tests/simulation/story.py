"""One seed: who does what in which order, who dies when, and how it all comes to rest."""

import contextvars
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from sqlalchemy.exc import DBAPIError

from dispatch import clock, queue
from dispatch.errors import DispatchError
from dispatch.gateways.broker import Broker
from dispatch.gateways.messages import Message, Messages
from dispatch.queue import Claimed
from dispatch.rules.access.roles import EVERYTHING, Actor
from dispatch.rules.queue import Lane
from dispatch.services import orders
from dispatch.services.orders import OrderDraft, WorkReport
from dispatch.transaction import is_retried, retrying, transaction
from dispatch.workers import run, sweep
from tests.simulation import jobs
from tests.simulation.fate import Fate, Killed, Moment, fated
from tests.simulation.house import House
from tests.simulation.twins import LossyBroker, Receivers

STEPS = 15
MOST_ORDERS = 2
ANSWERS_SECONDS = 0.004
REST_ROUNDS = 40
NEXT_DEADLINES = timedelta(hours=1)
GRACE = timedelta(seconds=2)
LANES_DUE = (
    "SELECT DISTINCT lane FROM jobs WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= dispatch_now() ORDER BY 1"
)
OPEN_SOON = (
    "SELECT min(run_at) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL "
    "AND (run_at <= dispatch_now() OR attempts > 0)"
)
ANSWERS = ("accept", "decline", "arrive", "finish", "give_back")
ANSWER_WEIGHTS = (8, 3, 1, 3, 0.5)
Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Ways:
    """How the simulation drives; a mechanism is switched off by driving another way."""

    has_sweeper: bool = True
    claims_first: bool = True
    serve_hint: Callable[["Story", Lane, int], None] | None = None


@dataclass(slots=True)
class Story:
    """The state of one seed outside the database: who holds what, what clients were answered, what was tried."""

    house: House
    seed: int
    ways: Ways = field(default_factory=Ways)
    random: Random = field(init=False)
    broker: LossyBroker = field(init=False)
    receivers: Receivers = field(init=False)
    drafts: dict[str, OrderDraft] = field(default_factory=dict)
    answered: dict[str, str | None] = field(default_factory=dict)
    accepted: list[tuple[str, int]] = field(default_factory=list)
    held: list[Claimed] = field(default_factory=list)
    weak_spot: Moment | None = None
    kills: int = 0
    poisoned: int = 0
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Set the stage: an empty house, a broker and receivers with chances of their own."""
        self.random = Random(self.seed)
        self.broker = LossyBroker(Random(self.seed * 2 + 1))
        self.receivers = Receivers(Random(self.seed * 3 + 2), while_stalled=self.meanwhile)
        self.weak_spot = self.random.choice([None, None, None, *Moment])
        self.house.reset()
        Broker.way = self.broker
        Messages.way = self.receivers
        run.Outside.way = run.one_by_one

    def play(self) -> None:
        """Take the steps of the seed, then come to rest."""
        self.begin()
        for _ in range(STEPS):
            self.act()
        self.rest()

    def begin(self) -> None:
        """Mostly a call comes in, is routed and told, before anything goes another way."""
        self.under(self.fate(), self.client())
        if self.random.random() < 0.7:
            for _ in range(2):
                self.under(self.fate(), self.worker(Lane.EMERGENCY))
            self.under(self.fate(), self.performer())

    def act(self) -> None:
        """One step, alone under a fate, or two at once."""
        if self.random.random() < 0.2:
            self.overlap(*self.contended(), self.random.randint(1, self.random.choice((4, 8, 14))))
        else:
            self.under(self.fate(), self.choose())

    def contended(self) -> tuple[Step, Step]:
        """Two steps that may want the same thing; sometimes any two."""
        match self.random.randrange(7):
            case 0:
                return self.tick, self.tick
            case 1:
                step = self.client()
                return step, step
            case 2 | 3:
                token, actions = self.some_token(), self.random.choices(ANSWERS, ANSWER_WEIGHTS, k=2)
                first, second = (self.answering(action, token) for action in actions)
                if self.random.random() < 0.3:
                    return first, self.worker(Lane.DEADLINE)
                return first, first if self.random.random() < 0.5 else second
            case 4:
                if self.random.random() < 0.5:
                    return self.desk(), self.desk()
                return self.desk(), self.worker(self.random.choice((Lane.EMERGENCY, Lane.DISPATCH)))
            case 5:
                return self.slow_worker(), self.worker(self.any_lane())
            case _:
                return self.choose(), self.choose()

    def fate(self) -> Fate | None:
        """Mostly nothing happens; else the process dies at some moment, or at the weak spot of this seed."""
        chance = self.random.random()
        if self.weak_spot is not None and chance < 0.35:
            return Fate(dies_when=self.weak_spot)
        return Fate(dies_at=self.random.randint(1, 16)) if chance > 0.82 else None

    def under(self, fate: Fate | None, step: Step) -> None:
        """Take a step; refusals in the business's words are part of life, and so is a kill."""
        try:
            with fated(fate):
                step()
        except Killed:
            self.kills += 1
        except DispatchError as refusal:
            self.told.append(type(refusal).__name__)
        except DBAPIError as error:
            if not is_retried(error):
                raise
            self.told.append("retried")

    def overlap(self, first: Step, second: Step, stands_at: int) -> None:
        """Two processes at once: the first stands still at a moment until the second is done, or waits for it."""
        failures: list[BaseException] = []
        fate = Fate(stands_at=stands_at)
        done = threading.Event()

        def taken(step: Step, fate: Fate | None, after: threading.Event) -> None:
            try:
                self.under(fate, step)
            except Exception as error:  # noqa: BLE001 - handed over to the thread of the test
                failures.append(error)
            finally:
                after.set()

        one = threading.Thread(target=contextvars.copy_context().run, args=(taken, first, fate, fate.stands))
        one.start()
        fate.stands.wait()
        two = threading.Thread(target=contextvars.copy_context().run, args=(taken, second, None, done))
        two.start()
        while not done.wait(ANSWERS_SECONDS) and not self.house.is_blocked():
            pass
        fate.go_on.set()
        one.join()
        two.join()
        if failures:
            raise failures[0]

    def meanwhile(self) -> None:
        """What others do while a receiver keeps somebody waiting."""
        step = self.random.choice([self.house.expire_leases, self.sweeping(), self.worker(self.any_lane())])
        with fated(None):
            self.under(None, step)

    def choose(self) -> Step:
        """The next step, with all its chances drawn."""
        name = self.random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
        step: Step = getattr(self, name)()
        return step

    def any_lane(self) -> Lane:
        """Some lane."""
        return self.random.choice(list(Lane))

    # The clients

    def client(self) -> Step:
        """Somebody calls, or says again what they said before with the same key."""
        if len(self.drafts) < MOST_ORDERS and (not self.drafts or self.random.random() < 0.7):
            cast = self.house.cast
            key = f"call-{len(self.drafts) + 1}"
            found = self.random.random() > 0.1
            self.drafts[key] = OrderDraft(
                description="厨房下水道堵了",
                service_code=self.random.choices(cast.services, (3, 1))[0],
                stairwell_id=self.random.choice(cast.stairwells) if found else None,
                address_text="" if found else "月亮背面第三棵桂花树旁",
                source="simulation",
                source_number=key,
            )
        else:
            key = self.random.choice(list(self.drafts))
        return lambda: self.place(key)

    def place(self, key: str) -> None:
        """Place the order of a key; a key that is known counts as answered."""
        actor = self.house.cast.operator
        try:
            with transaction(actor.scope) as session:
                order = orders.place(session, self.drafts[key], actor=actor, now=clock.now(session))
            self.answered[key] = order.number
        except orders.AlreadyPlaced:
            self.answered.setdefault(key, None)

    # The processes

    def hinted(self) -> Step:
        """A worker gets one of the hints that wait, whichever comes first."""
        hint = self.broker.take()
        if hint is None:
            return lambda: None
        lane, job_id = hint
        if self.ways.serve_hint is not None:
            serve = self.ways.serve_hint
            return lambda: serve(self, lane, job_id)
        return self.worker(lane)

    def worker(self, lane: Lane) -> Step:
        """A worker takes what is due in a lane."""
        if self.ways.claims_first:
            return lambda: void(run.run_due(lane, 10))
        return lambda: self.run_within_claim(lane)

    def run_within_claim(self, lane: Lane) -> None:
        """Switched off: the claim is not committed before the work, which is done in its transaction."""
        with transaction(EVERYTHING) as session:
            for job in queue.claim(session, lane, limit=1):
                handler = run.HANDLERS[job.kind]
                if handler.work is not None:
                    handler.work(session, job)
                if handler.outside is not None:
                    handler.outside(job)
                queue.finish(session, job)

    def slow_worker(self) -> Step:
        """A worker claims and then stands still; or one that stood still goes on with what it thinks it holds."""
        if self.held and self.random.random() < 0.6:
            job = self.held.pop(self.random.randrange(len(self.held)))
            return lambda: run.run_one(job)
        lane, limit = self.any_lane(), self.random.randint(1, 3)
        return lambda: self.hold(lane, limit)

    def hold(self, lane: Lane, limit: int) -> None:
        """Claim without working yet."""
        with transaction(EVERYTHING) as session:
            claimed = queue.claim(session, lane, limit=limit)
        self.held.extend(claimed)

    def sweeping(self) -> Step:
        """The sweeper makes its round, unless it is switched off."""
        if not self.ways.has_sweeper:
            return lambda: None
        if not self.ways.claims_first:
            return self.worker(self.any_lane())
        return lambda: void(sweep.sweep_once(self.survives))

    def survives(self, job: Claimed) -> bool:
        """The child in which a suspect runs: it may die again without taking the sweeper along."""
        try:
            with fated(Fate(dies_when=self.weak_spot) if self.weak_spot and self.random.random() < 0.3 else None):
                run.run_one(job)
        except Killed:
            self.kills += 1
            return False
        return True

    def ticking(self) -> Step:
        """Beat or sweeper says that time has passed."""
        return self.tick

    def tick(self) -> None:
        """Insert the periods that are owed."""
        with transaction(EVERYTHING) as session:
            queue.tick(session, jobs.SCHEDULE, clock.now(session))

    def job(self) -> Step:
        """Work that must be done once, or work that kills whoever touches it."""
        lane = self.any_lane()
        kinds = [jobs.MARK] * 2
        if self.poisoned == 0 and self.random.random() < 0.2:
            self.poisoned, kinds = 1, [jobs.POISON]
        return lambda: self.enqueue(kinds, lane)

    def enqueue(self, kinds: list[str], lane: Lane) -> None:
        """Insert jobs of the simulation's own."""
        with transaction(EVERYTHING) as session:
            for kind in kinds:
                queue.enqueue(session, kind, lane=lane)

    # The performers, who know only what reached them

    def performer(self) -> Step:
        """A firm answers a message: once, twice, too late, or says what it did."""
        return self.answering(self.random.choices(ANSWERS, ANSWER_WEIGHTS)[0], self.some_token())

    def some_token(self) -> str | None:
        """The link of some message that arrived, mostly of a late one."""
        read = self.receivers.inner.accepted
        if not read:
            return None
        return token_of(read[-1 - min(int(self.random.expovariate(0.7)), len(read) - 1)])

    def answering(self, action: str, token: str | None) -> Step:
        """The step of an answer; nothing where nothing has arrived."""
        return (lambda: None) if token is None else (lambda: self.answer(action, token))

    def answer(self, action: str, token: str) -> None:
        """Do as the phone page does: one transaction, repeated where the moment was bad."""

        @retrying
        def door() -> int | None:
            with transaction(EVERYTHING) as session:
                now = clock.now(session)
                match action:
                    case "accept":
                        order = orders.accept(session, token, now=now)
                    case "decline":
                        order = orders.decline(session, token, reason="忙不过来", now=now)
                    case "arrive":
                        order = orders.arrive(session, token, now=now)
                    case "give_back":
                        order = orders.give_back(session, token, reason="车坏了", now=now)
                    case _:
                        order = orders.finish(session, token, WorkReport("done", note="通了"), now=now)
                return order.performer_id

        performer_id = door()
        if action == "accept" and performer_id is not None:
            self.accepted.append((token, performer_id))

    # The desk

    def desk(self) -> Step:
        """Somebody of the desk takes the oldest order that waits for a person."""
        waiting = self.house.rows(
            "SELECT id, state FROM orders WHERE state IN ('received', 'awaiting_dispatch', 'awaiting_human', "
            "'finished', 'fed_back', 'calling_back', 'offered') ORDER BY id"
        )
        if not waiting:
            return lambda: None
        order_id, state = self.random.choice(waiting)
        solved = self.random.random() < 0.6
        performer_id = self.random.choice(self.house.cast.performers)
        return lambda: self.by_hand(order_id, state, solved=solved, performer_id=performer_id)

    def by_hand(self, order_id: int, state: str, *, solved: bool, performer_id: int) -> None:
        """What people do with an order in this state."""
        cast = self.house.cast
        actor: Actor = cast.clerk if state in {"fed_back", "calling_back"} else cast.dispatcher
        with transaction(actor.scope) as session:
            now, order = clock.now(session), orders.lock(session, order_id)
            match state:
                case "received":
                    orders.settle(session, order, stairwell_id=cast.stairwells[0], actor=actor, now=now)
                case "awaiting_human":
                    orders.retry_routing(session, order, reason="再找一次", actor=actor, now=now)
                case "finished":
                    orders.feed_back(session, order, answer="已修好", actor=actor, now=now)
                case "offered" | "awaiting_dispatch":
                    orders.dispatch_by_hand(
                        session, order, performer_id=performer_id, reason="居民指定", actor=actor, now=now
                    )
                case _:
                    orders.record_callback(
                        session, order, reached=True, contacted=True, solved=solved,
                        satisfaction="satisfied" if solved else "dissatisfied", actor=actor, now=now,
                    )  # fmt: skip

    # The world

    def time(self) -> Step:
        """The clock goes on, jumps over a deadline or over days, or jumps back."""
        seconds = self.random.choices(
            (self.random.randint(2, 60), self.random.randint(120, 1_200), 90_000, self.random.randint(-300, -1)),
            (6, 3, 0.4, 1),
        )[0]
        return lambda: self.house.jump(timedelta(seconds=seconds))

    def leases(self) -> Step:
        """Time passes for those who died."""
        return self.house.expire_leases

    def redis(self) -> Step:
        """Redis goes, comes back, or is wiped."""
        if self.random.random() < 0.5:
            return self.broker.lose_all
        self.broker.gone = not self.broker.gone
        return lambda: None

    # The end

    def rest(self) -> None:
        """Faults end: clients repeat until they are answered, all that is due is done, deadlines pass."""
        self.house.set_clock(self.house.latest)
        self.receivers.is_calm, self.broker.gone, self.weak_spot = True, False, None
        for key in self.drafts:
            self.under(None, lambda key=key: self.place(key))
        self.come_to_rest()
        for job in self.held:
            self.under(None, lambda job=job: run.run_one(job))
        self.come_to_rest()
        if self.seed % 2 and self.next_deadline():
            self.come_to_rest()

    def come_to_rest(self) -> None:
        """Work until nothing is due, or nobody comes for it."""
        self.under(None, self.tick)
        for _ in range(REST_ROUNDS):
            self.house.expire_leases()
            while self.broker.waiting:
                self.under(None, self.hinted())
            wait = self.sweep_what_is_due()
            if wait is None:
                return
            self.house.jump(wait)

    def sweep_what_is_due(self) -> timedelta | None:
        """What the sweeper's rounds come to, lane by lane; gives the time to the next try, None when all is done."""
        if self.ways.has_sweeper:
            for lane in self.lanes_due():
                self.under(None, self.sweeping_lane(lane))
        (row,) = self.house.rows(OPEN_SOON)
        return None if row[0] is None else max(row[0] - self.house.now(), timedelta()) + GRACE

    def lanes_due(self) -> list[Lane]:
        """The lanes in which an open job is due."""
        return [Lane(row[0]) for row in self.house.rows(LANES_DUE)]

    def sweeping_lane(self, lane: Lane) -> Step:
        """The sweeper in one lane: what is due, and one that killed its process."""

        def sweep_lane() -> None:
            run.run_due(lane)
            run.run_suspect(lane, self.survives)

        return sweep_lane if self.ways.claims_first else self.worker(lane)

    def next_deadline(self) -> bool:
        """Go to the next deadline within the hour; False when there is none."""
        (row,) = self.house.rows("SELECT min(run_at) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL")
        if row[0] is None or row[0] > self.house.now() + NEXT_DEADLINES:
            return False
        self.house.set_clock(row[0])
        return True


WEIGHTS = {
    "client": 5,
    "hinted": 9,
    "slow_worker": 4,
    "sweeping": 1,
    "ticking": 0.7,
    "job": 2,
    "performer": 10,
    "desk": 2,
    "time": 5,
    "leases": 3,
    "redis": 0.5,
}


def void(_result: object) -> None:
    """A step answers nothing."""


def token_of(message: Message) -> str | None:
    """The token of the link in a message, as the firm reads it."""
    if message.channel == "webhook":
        link = str(json.loads(message.body).get("link") or "")
    else:
        link = next((word for word in message.text.split() if "/w/" in word), "")
    return link.rsplit("/", 1)[-1] or None
