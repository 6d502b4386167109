"""One seed: who does what in which order, who dies when, what happens at once, and how it all comes to rest."""

import contextvars
import threading
from collections.abc import Callable
from datetime import timedelta

from dispatch.rules.queue import Lane
from dispatch.workers import run
from tests.simulation import people, processes
from tests.simulation.fate import Fate, fated
from tests.simulation.house import House
from tests.simulation.stage import Stage, Step, Ways

STEPS = 15
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
NEXT = "SELECT min(run_at) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL"


def play(house: House, seed: int, ways: Ways | None = None) -> Stage:
    """Take the steps of a seed and come to rest; the same seed gives the same steps. Gives what was left behind."""
    stage = Stage(house, seed, ways or Ways())
    stage.receivers.while_stalled = lambda: meanwhile(stage)
    begin(stage)
    for _ in range(STEPS):
        act(stage)
    rest(stage)
    return stage


def begin(stage: Stage) -> None:
    """Mostly a call comes in, is routed and told, before anything goes another way."""
    stage.under(fate(stage), people.client(stage))
    if stage.random.random() < 0.7:
        for _ in range(2):
            stage.under(fate(stage), processes.worker(stage, Lane.EMERGENCY))
        stage.under(fate(stage), people.performer(stage))


def act(stage: Stage) -> None:
    """One step, alone under a fate, or two at once."""
    if stage.random.random() < 0.2:
        first, second = contended(stage)
        overlap(stage, first, second, stage.random.randint(1, stage.random.choice((4, 8, 14))))
    else:
        stage.under(fate(stage), choose(stage))


def fate(stage: Stage) -> Fate | None:
    """Mostly nothing happens; else the process dies at some moment, or at the weak spot of this seed."""
    chance = stage.random.random()
    if stage.weak_spot is not None and chance < 0.35:
        return Fate(dies_when=stage.weak_spot)
    return Fate(dies_at=stage.random.randint(1, 16)) if chance > 0.82 else None


# Two at once


def contended(stage: Stage) -> tuple[Step, Step]:
    """Two steps that may want the same thing; sometimes any two."""
    return stage.random.choice(PAIRS)(stage)


def two_ticks(stage: Stage) -> tuple[Step, Step]:
    """Two beats."""
    return processes.ticking(stage), processes.ticking(stage)


def one_call_twice(stage: Stage) -> tuple[Step, Step]:
    """The same call with the same key."""
    step = people.client(stage)
    return step, step


def two_answers(stage: Stage) -> tuple[Step, Step]:
    """Two answers by one link: the same, another, or one against the clock."""
    token, actions = people.some_token(stage), stage.random.choices(people.ANSWERS, people.ANSWER_WEIGHTS, k=2)
    first, second = (people.answering(stage, action, token) for action in actions)
    if stage.random.random() < 0.3:
        return first, processes.worker(stage, Lane.DEADLINE)
    return first, first if stage.random.random() < 0.5 else second


def desk_and_router(stage: Stage) -> tuple[Step, Step]:
    """Two people of the desk, or one against the router."""
    if stage.random.random() < 0.5:
        return people.desk(stage), people.desk(stage)
    lane = stage.random.choice((Lane.EMERGENCY, Lane.DISPATCH))
    return people.desk(stage), processes.worker(stage, lane)


def slow_and_quick(stage: Stage) -> tuple[Step, Step]:
    """A worker that woke up late, and one that took over."""
    return processes.slow_worker(stage), processes.worker(stage, stage.any_lane())


def any_two(stage: Stage) -> tuple[Step, Step]:
    """Whatever comes."""
    return choose(stage), choose(stage)


PAIRS: tuple[Callable[[Stage], tuple[Step, Step]], ...] = (
    two_ticks,
    one_call_twice,
    two_answers,
    two_answers,
    desk_and_router,
    slow_and_quick,
    any_two,
)


def overlap(stage: Stage, first: Step, second: Step, stands_at: int) -> None:
    """Two processes at once: the first stands still at a moment until the second is done, or waits for it."""
    failures: list[Exception] = []
    standing, done = Fate(stands_at=stands_at), threading.Event()

    def taken(step: Step, fate: Fate | None, after: threading.Event) -> None:
        try:
            stage.under(fate, step)
        except Exception as error:  # noqa: BLE001 - handed over to the thread of the test
            failures.append(error)
        finally:
            after.set()

    one = threading.Thread(target=contextvars.copy_context().run, args=(taken, first, standing, standing.stands))
    one.start()
    standing.stands.wait()
    two = threading.Thread(target=contextvars.copy_context().run, args=(taken, second, None, done))
    two.start()
    while not done.wait(ANSWERS_SECONDS) and not stage.house.is_blocked():
        pass
    standing.go_on.set()
    one.join()
    two.join()
    if failures:
        raise failures[0]


def meanwhile(stage: Stage) -> None:
    """What others do while a receiver keeps somebody waiting."""
    steps = [stage.house.expire_leases, processes.sweeping(stage), processes.worker(stage, stage.any_lane())]
    with fated(None):
        stage.under(None, stage.random.choice(steps))


# The world


def time(stage: Stage) -> Step:
    """The clock goes on, jumps over a deadline or over days, or jumps back."""
    chance = stage.random
    jumps = (chance.randint(2, 60), chance.randint(120, 1_200), 90_000, chance.randint(-300, -1))
    seconds = chance.choices(jumps, (6, 3, 0.4, 1))[0]
    return lambda: stage.house.jump(timedelta(seconds=seconds))


def leases(stage: Stage) -> Step:
    """Time passes for those who died."""
    return stage.house.expire_leases


def redis(stage: Stage) -> Step:
    """Redis goes, comes back, or is wiped."""
    if stage.random.random() < 0.5:
        return stage.broker.lose_all
    return stage.broker.come_or_go


WEIGHTS: dict[Callable[[Stage], Step], float] = {
    people.client: 5,
    people.performer: 10,
    people.desk: 2,
    processes.hinted: 9,
    processes.slow_worker: 4,
    processes.sweeping: 1,
    processes.ticking: 0.7,
    processes.job: 2,
    time: 5,
    leases: 3,
    redis: 0.5,
}


def choose(stage: Stage) -> Step:
    """The next step, with all its chances drawn."""
    return stage.random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0](stage)


# The end


def rest(stage: Stage) -> None:
    """Faults end: clients repeat until they are answered, all that is due is done, slow workers wake up too late."""
    stage.house.set_clock(stage.house.latest)
    stage.receivers.is_calm, stage.broker.gone, stage.weak_spot = True, False, None
    for key in stage.drafts:
        stage.under(None, lambda key=key: people.place(stage, key))
    come_to_rest(stage)
    for job in stage.held:
        stage.under(None, lambda job=job: run.run_one(job))
    come_to_rest(stage)
    if stage.seed % 2 and to_next_deadline(stage):
        come_to_rest(stage)


def come_to_rest(stage: Stage) -> None:
    """Work until nothing is due, or nobody comes for it."""
    stage.under(None, processes.ticking(stage))
    for _ in range(REST_ROUNDS):
        stage.house.expire_leases()
        while stage.broker.waiting:
            stage.under(None, processes.hinted(stage))
        wait = sweep_what_is_due(stage)
        if wait is None:
            return
        stage.house.jump(wait)


def sweep_what_is_due(stage: Stage) -> timedelta | None:
    """What the sweeper's rounds come to, lane by lane; gives the time to the next try, None when all is done."""
    if stage.ways.has_sweeper:
        for (lane,) in stage.house.rows(LANES_DUE):
            stage.under(None, processes.sweeping_lane(stage, Lane(lane)))
    (row,) = stage.house.rows(OPEN_SOON)
    return None if row[0] is None else max(row[0] - stage.house.now(), timedelta()) + GRACE


def to_next_deadline(stage: Stage) -> bool:
    """Go to the next deadline within the hour; False when there is none."""
    (row,) = stage.house.rows(NEXT)
    if row[0] is None or row[0] > stage.house.now() + NEXT_DEADLINES:
        return False
    stage.house.set_clock(row[0])
    return True
