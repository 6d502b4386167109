"""The processes of a seed: workers with hints, slow ones, the sweeper, the tick, and jobs of the simulation's own."""

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.queue import Lane
from dispatch.transaction import transaction
from dispatch.workers import app, run, sweep
from tests.simulation import jobs
from tests.simulation.fate import Fate, Killed, fated
from tests.simulation.stage import Stage, Step, nothing

HINTED_AT_ONCE = 10


def run_lane(lane: Lane) -> None:
    """A worker takes a few of the due jobs of a lane."""
    run.run_due(lane, HINTED_AT_ONCE)


def sweep_all(stage: Stage) -> None:
    """One round of the sweeper over all lanes."""
    sweep.sweep_once(lambda job: survives(stage, job))


def hinted(stage: Stage) -> Step:
    """A worker gets one of the hints that wait, whichever comes first."""
    hint = stage.broker.take()
    if hint is None:
        return nothing
    lane, job_id = hint
    if stage.ways.serve_hint is not None:
        serve = stage.ways.serve_hint
        return lambda: serve(stage, lane, job_id)
    return worker(stage, lane)


def worker(stage: Stage, lane: Lane) -> Step:
    """A worker takes what is due in a lane: a few jobs, or as its task does, which then sends the notices itself."""
    if not stage.ways.claims_first:
        return lambda: run_within_claim(lane)
    if stage.random.random() < 0.5:
        return lambda: run_lane(lane)
    return lambda: serve(lane)


def serve(lane: Lane) -> None:
    """One round of a worker's task."""
    app.serve(lane)


def run_within_claim(lane: Lane) -> None:
    """Switched off: the claim is not committed before the work, which is done in its transaction."""
    with transaction(EVERYTHING) as session:
        for job in queue.claim(session, lane, limit=1):
            handler = run.HANDLERS[job.kind]
            if handler.work is not None:
                handler.work(session, job)
            if handler.outside is not None:
                handler.outside(job)
            queue.finish(session, job)


def slow_worker(stage: Stage) -> Step:
    """A worker claims and then stands still; or one that stood still goes on with what it thinks it holds."""
    if stage.held and stage.random.random() < 0.6:
        job = stage.held.pop(stage.random.randrange(len(stage.held)))
        return lambda: run.run_one(job)
    lane, limit = stage.any_lane(), stage.random.randint(1, 3)
    return lambda: hold(stage, lane, limit)


def hold(stage: Stage, lane: Lane, limit: int) -> None:
    """Claim without working yet."""
    with transaction(EVERYTHING) as session:
        claimed = queue.claim(session, lane, limit=limit)
    stage.held.extend(claimed)


def sweeping(stage: Stage) -> Step:
    """The sweeper makes its round, unless it is switched off."""
    if not stage.ways.has_sweeper:
        return nothing
    if not stage.ways.claims_first:
        return worker(stage, stage.any_lane())
    return lambda: sweep_all(stage)


def survives(stage: Stage, job: Claimed) -> bool:
    """The child in which a suspect runs: it may die again without taking the sweeper along."""
    try:
        with fated(Fate(dies_when=stage.weak_spot) if stage.weak_spot and stage.random.random() < 0.3 else None):
            run.run_one(job)
    except Killed:
        stage.kills += 1
        return False
    return True


def ticking(_stage: Stage) -> Step:
    """Beat or sweeper says that time has passed."""
    return tick


def tick() -> None:
    """Insert the periods that are owed."""
    with transaction(EVERYTHING) as session:
        queue.tick(session, jobs.SCHEDULE, clock.now(session))


def job(stage: Stage) -> Step:
    """Work that must be done once, or work that kills whoever touches it."""
    lane = stage.any_lane()
    kinds = [jobs.MARK] * 2
    if stage.poisoned == 0 and stage.random.random() < 0.2:
        stage.poisoned, kinds = 1, [jobs.POISON]
    return lambda: enqueue(kinds, lane)


def enqueue(kinds: list[str], lane: Lane) -> None:
    """Insert jobs of the simulation's own."""
    with transaction(EVERYTHING) as session:
        for kind in kinds:
            queue.enqueue(session, kind, lane=lane)


def sweeping_lane(stage: Stage, lane: Lane) -> Step:
    """The sweeper in one lane: what is due, and one that killed its process."""

    def sweep_lane() -> None:
        run.run_due(lane)
        run.run_suspect(lane, lambda job: survives(stage, job))

    return sweep_lane if stage.ways.claims_first else worker(stage, lane)
