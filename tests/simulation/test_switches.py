"""Every mechanism switched off makes seeds fail; else the simulation would prove nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from dispatch import clock
from dispatch.errors import Unavailable
from dispatch.gateways import messages
from dispatch.gateways.messages.message import Refused
from dispatch.models.notify import Notice
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.queue import Claimed
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.notify.delivery import is_last_try
from dispatch.rules.queue import Lane
from dispatch.services import orders
from dispatch.services.notify import deliver as delivery
from dispatch.services.notify.deliver import Outgoing
from dispatch.services.orders import told
from dispatch.transaction import transaction
from dispatch.workers import notify, run
from tests.conftest import Servers
from tests.simulation import jobs
from tests.simulation.fate import Edit, edit
from tests.simulation.house import open_house, table_with
from tests.simulation.invariants import broken, taken_twice
from tests.simulation.stage import Stage, Ways
from tests.simulation.story import play

MOST_SEEDS = 420
FENCED_SEEDS = 40
NO_ROW_LOCK = edit(r"(?s)(FROM orders\s.*)FOR UPDATE", r"\1")
HISTORY_FENCES = (
    "ALTER TABLE orders DROP CONSTRAINT fk_orders_history;"
    "ALTER TABLE order_events DROP CONSTRAINT fk_order_events_previous;"
    "ALTER TABLE order_events DROP CONSTRAINT uq_order_events_order_id_version_to_state CASCADE;"
    "ALTER TABLE order_events DROP CONSTRAINT pk_order_events;"
)
RECORD_FENCES = (
    "ALTER TABLE decision_records DROP CONSTRAINT uq_decision_records_order_id_cycle_round;"
    "ALTER TABLE assignments DROP CONSTRAINT uq_assignments_order_id_team_id_role_cycle;"
    "DROP INDEX ix_assignments_lead;"
)
ROUND_FENCES = "ALTER TABLE offers DROP CONSTRAINT uq_offers_order_id_round; DROP INDEX ix_offers_open;"
PERIOD_KEY = "ALTER TABLE period_runs DROP CONSTRAINT pk_period_runs;"


@dataclass(frozen=True, slots=True)
class Switch:
    """One mechanism left out: in the way of driving, in the tables, in the statements, or in a job's work.

    `shows` is what must go wrong without it, and nothing else counts; `first` is a seed known to fail, tried first.
    """

    shows: str
    first: int = 1
    ways: Ways = field(default_factory=Ways)
    changes: str = ""
    edits: Sequence[Edit] = ()
    handlers: Mapping[str, run.Handler] = field(default_factory=dict)


def only_hinted(_stage: Stage, _lane: Lane, job_id: int) -> None:
    """The broker's message is the only trace of the work: it is done when it arrives."""
    with transaction(EVERYTHING) as session:
        order_id = session.scalar(select(Order.id).order_by(Order.id.desc()).limit(1)) if job_id else None
        if order_id is not None:
            orders.route(session, order_id, now=clock.now(session))
    for lane in Lane:
        run.run_due(lane)


def lapse_without_looking(session: Session, job: Claimed) -> None:
    """A timer that fires without asking whether the round is still open."""
    offer = session.get_one(Offer, job.reference)
    order = orders.lock(session, offer.order_id)
    offer.outcome, offer.closed_at = "lapsed", clock.now(session)
    session.execute(update(OfferRecipient).where(OfferRecipient.offer_id == offer.id).values(outcome="lapsed"))
    order.state = "offered" if order.state == "accepted" else order.state
    orders.route(session, order.id, now=clock.now(session))


class Unwritten(Exception):
    """What was written down about a sending is rolled back."""


def send_first(job: Claimed) -> None:
    """A message that leaves before anything is written down; only its success is."""
    outgoing: Outgoing | None = None
    try:
        with transaction(EVERYTHING) as session:
            notice = delivery.lock_waiting(session, job.reference or 0)
            if notice is None:
                return
            now = clock.now(session)
            facts = told.facts_for(session, notice, now=now)
            outgoing = delivery.claim(session, notice, facts, pressing=False, now=now)
            if outgoing is not None:
                raise Unwritten  # noqa: TRY301 - leaving the block this way rolls it back
    except Unwritten:
        pass
    if outgoing is None:
        return
    state = "delivered"
    try:
        messages.send(notify.message_of(outgoing))
    except (Refused, Unavailable) as error:
        if isinstance(error, Unavailable) and not is_last_try(job.attempts):
            raise
        state = "failed"
    with transaction(EVERYTHING) as session:
        session.execute(update(Notice).where(Notice.id == outgoing.notice_id).values(state=state, secret=None))


SWITCHES = {
    "the claim is not committed before the work": Switch("is due and nobody came", 18, ways=Ways(claims_first=False)),
    "attempts are not counted": Switch(
        "is due and nobody came|still wait", edits=[edit(r"attempts = attempts \+ 1", "attempts = attempts")]
    ),
    "a job is finished without its token": Switch(
        "its work was done [0-9]+ times",
        5,
        edits=[edit(r"(lease_until = NULL WHERE id = \S+) AND token = \S+$", r"\1")],
    ),
    "an order's job is only hinted": Switch(
        "no job will route it",
        ways=Ways(serve_hint=only_hinted),
        edits=[
            edit(
                r"INSERT INTO jobs \(dedupe, kind, reference, lane, run_at\) SELECT (?=.* FROM placed)",
                "INSERT INTO jobs (done_at, dedupe, kind, reference, lane, run_at) SELECT dispatch_now(), ",
            )
        ],
    ),
    "no sweeper": Switch("is due and nobody came", ways=Ways(has_sweeper=False)),
    "rounds without lock and without fences": Switch(
        "rounds that exist twice", 5, changes=HISTORY_FENCES + RECORD_FENCES + ROUND_FENCES, edits=[NO_ROW_LOCK]
    ),
    "a message leaves before it is written down": Switch(
        "arrived [0-9]+ times", 21, handlers={"notify.deliver": run.Handler(outside=send_first)}
    ),
    "a timer fires without comparing the state": Switch(
        "accepted no offer of this cycle", 195, handlers={"orders.lapse": run.Handler(work=lapse_without_looking)}
    ),
    "a period without its key": Switch(
        "periods of", 5, changes=PERIOD_KEY, edits=[edit(r"ON CONFLICT \(job, period\) DO NOTHING")]
    ),
    "an answer without the order's lock": Switch("reached a person or a process", 5, edits=[NO_ROW_LOCK]),
}


def first_failure(servers: Servers, switch: Switch, name: str) -> tuple[int, str] | None:
    """The first seed that fails, and how; None when none does."""
    with (
        open_house(servers, name, changes=switch.changes, edits=switch.edits) as house,
        table_with({**jobs.HANDLERS, **switch.handlers}),
        capture_logs(),
    ):
        for seed in [*range(switch.first, MOST_SEEDS + 1), *range(1, switch.first)]:
            try:
                wrong = broken(play(house, seed, switch.ways))
            except DBAPIError as error:
                wrong = [f"{type(error).__name__} reached a person or a process"]
            shown = [words for words in wrong if re.search(switch.shows, words)]
            if shown:
                return seed, shown[0]
    return None


@pytest.mark.parametrize("name", SWITCHES)
def test_a_mechanism_switched_off_makes_a_seed_fail(servers: Servers, name: str) -> None:
    found = first_failure(servers, SWITCHES[name], f"switch_{list(SWITCHES).index(name)}")
    assert found is not None, f"{MOST_SEEDS} seeds passed"
    print(f"{name}: seed {found[0]}: {found[1]}")  # noqa: T201 - shown with -rP


def test_without_the_lock_the_keys_of_the_database_still_refuse_a_second_round(servers: Servers) -> None:
    seeds_with_a_refusal = 0
    with open_house(servers, "fences", edits=[NO_ROW_LOCK]) as house, table_with(jobs.HANDLERS), capture_logs():
        for seed in range(1, FENCED_SEEDS + 1):
            try:
                stage = play(house, seed)
            except DBAPIError:
                seeds_with_a_refusal += 1
                continue
            assert not list(taken_twice(stage)), f"seed {seed}"
    assert seeds_with_a_refusal
