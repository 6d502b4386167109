"""What must hold when a seed has come to rest: read from the database, the clients' answers and the receivers."""

from collections import Counter
from collections.abc import Iterator

from dispatch.clock import now
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.queue import periods_owed
from dispatch.services.reports.verify import verify
from dispatch.transaction import transaction
from tests.simulation import jobs
from tests.simulation.people import token_of
from tests.simulation.stage import Stage

MOST_WITHOUT_DEDUPE = 2


def broken(stage: Stage) -> list[str]:
    """One line per thing that does not hold; empty when all of it does."""
    return [
        *lost(stage),
        *taken_twice(stage),
        *told_wrongly(stage),
        *done_wrongly(stage),
        *periods_wrong(stage),
        *verified(),
    ]


def lost(stage: Stage) -> Iterator[str]:
    """Every key that was answered has one order, and it is the one of the answer."""
    found = dict(stage.house.rows("SELECT source_number, number FROM orders"))
    for key in stage.drafts:
        if key not in found:
            yield f"{key}: answered with {stage.answered.get(key)}, and there is no order"
        elif stage.answered.get(key) not in {None, found[key]}:
            yield f"{key}: answered with {stage.answered[key]}, the order is {found[key]}"


def taken_twice(stage: Stage) -> Iterator[str]:
    """A round has one taker, a cycle of an order has one, an order has one open round."""
    queries = {
        "rounds with two takers": "SELECT offer_id FROM offer_recipients WHERE outcome = 'accepted' "
        "GROUP BY offer_id HAVING count(*) > 1",
        "orders with two open rounds": "SELECT order_id FROM offers WHERE closed_at IS NULL "
        "GROUP BY order_id HAVING count(*) > 1",
        "rounds that exist twice": "SELECT order_id, round FROM offers GROUP BY 1, 2 HAVING count(*) > 1",
        "orders accepted twice in a cycle": "SELECT offer.order_id, offer.cycle FROM offers AS offer "
        "WHERE offer.outcome = 'accepted' GROUP BY 1, 2 HAVING count(*) > 1",
        "versions that exist twice": "SELECT order_id, version FROM order_events GROUP BY 1, 2 HAVING count(*) > 1",
    }
    for name, query in queries.items():
        rows = stage.house.rows(query)
        if rows:
            yield f"{name}: {rows}"
    twice = [token for token, times in Counter(token for token, _ in stage.accepted).items() if times > 1]
    if twice:
        yield f"{len(twice)} links were told twice that they took the order"


def told_wrongly(stage: Stage) -> Iterator[str]:
    """Every notice that left is at its receiver: once where it dedupes, at most twice elsewhere."""
    arrived = Counter(message.message_id for message in stage.receivers.inner.accepted)
    channels = {message.message_id: message.channel for message in stage.receivers.inner.accepted}
    for message_id, times in arrived.items():
        most = 1 if channels[message_id] == "webhook" else MOST_WITHOUT_DEDUPE
        if times > most:
            yield f"message {message_id} arrived {times} times"
    bodies = {(one.message_id, one.body, one.text) for one in stage.receivers.inner.arrivals}
    if len(bodies) != len(arrived):
        yield "a message was sent again with other bytes"
    (row,) = stage.house.rows("SELECT count(*) FROM notices WHERE channel <> 'app' AND state = 'waiting'")
    if row[0]:
        yield f"{row[0]} notices still wait"
    (row,) = stage.house.rows("SELECT count(*) FROM notices WHERE channel <> 'app' AND state = 'delivered'")
    if row[0] > len(arrived):
        yield f"{row[0]} notices are called delivered, {len(arrived)} arrived"
    tokens = [token for message in stage.receivers.inner.accepted if (token := token_of(message))]
    if len(set(tokens)) < len({m.message_id for m in stage.receivers.inner.accepted if token_of(m)}):
        yield "two messages carry one link"


def done_wrongly(stage: Stage) -> Iterator[str]:
    """Nothing due is left; what may be done once was done once; poison stopped after its attempts, aloud."""
    for job_id, kind in stage.house.rows(
        "SELECT id, kind FROM jobs WHERE done_at IS NULL AND dead_at IS NULL AND run_at <= dispatch_now()"
    ):
        yield f"job {job_id} ({kind}) is due and nobody came"
    for job_id, kind, times in stage.house.rows(
        "SELECT jobs.id, kind, count(job_id) FROM jobs LEFT JOIN simulation_marks ON job_id = jobs.id "
        "WHERE done_at IS NOT NULL AND kind LIKE 'simulation.%' AND kind <> 'simulation.poison' "
        "GROUP BY 1, 2 HAVING count(job_id) <> 1"
    ):
        yield f"job {job_id} ({kind}) is done and its work was done {times} times"
    for job_id, attempts in stage.house.rows(
        "SELECT id, attempts FROM jobs WHERE kind = 'simulation.poison' AND dead_at IS NULL"
    ):
        yield f"poison job {job_id} was tried {attempts} times and is not dead"


def periods_wrong(stage: Stage) -> Iterator[str]:
    """Each (job, period) once, none skipped up to now, each done."""
    present = stage.house.now()
    rows = stage.house.rows("SELECT job, period, due_at, finished_at FROM period_runs ORDER BY job, due_at, period")
    for scheduled in jobs.SCHEDULE:
        mine = [row for row in rows if row[0] == scheduled.job]
        if not mine:
            continue
        last = max(row[2] for row in mine)
        owed = [due.period for due in periods_owed(scheduled, mine[0][2], max(last, present)) if due.due_at <= last]
        if [row[1] for row in mine] != [mine[0][1], *owed]:
            yield f"periods of {scheduled.job}: {[row[1] for row in mine]}, owed {[mine[0][1], *owed]}"
        for _, period, _, finished in mine:
            if finished is None:
                yield f"period {period} of {scheduled.job} was never done"


def verified() -> list[str]:
    """What `dispatch verify` says: histories, chains, places of orders, silent deaths."""
    with transaction(EVERYTHING) as session:
        assert now(session)
        return verify(session, schedule=jobs.SCHEDULE)
