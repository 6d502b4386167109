"""三访 through the real jobs, day by day: visited in hospital, again, and at home; what is late is alarmed; a year."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from dispatch import clock
from dispatch.models.care import Condolence, LifeEvent
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from dispatch.rules.care.events import Event
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import life, orders
from dispatch.services.care import condoling, covering
from dispatch.services.care.events import EventDraft
from dispatch.services.orders import NamedRound, WorkReport
from dispatch.workers import run
from tests.conftest import Database
from tests.factories.life import Life, make_life
from tests.factories.world import make_world, staff
from tests.queue.test_periodic import drain, live_at

FIRST = datetime(2026, 3, 2, 9, 30, tzinfo=SHANGHAI)
ONE = timedelta(days=1)


@pytest.fixture
def lived(committed: Database) -> Life:
    """A retired resident and a visitor on a Monday of March."""
    live_at(committed, FIRST)
    with committed.session() as session:
        made = make_life(session, make_world(session))
        session.commit()
    return made


def come(database: Database, day: date) -> None:
    """A day begins: the clock's tick, and all that is due then."""
    live_at(database, datetime.combine(day, FIRST.timetz()))
    run.tick()
    drain()


def tell(database: Database, lived: Life, kind: Event) -> None:
    """The desk is told of something that happened today, and what that sets going is done."""
    with database.session() as session:
        now, clerk = clock.now(session), staff(session, lived.world, Role.WELFARE)
        life.tell(session, EventDraft(kind, clock.today(now), lived.resident.id), actor=clerk, now=now)
        session.commit()
    drain()


def go(database: Database) -> None:
    """The named person goes wherever a visit is owed."""
    with database.session() as session:
        now = clock.now(session)
        query = select(Order).join(Condolence, Condolence.order_id == Order.id)
        for order in session.scalars(query.where(Order.state == "offered")).all():
            ((offer, recipient, _),) = orders.offers_of(session, order)
            part = NamedRound(recipient.performer_id, order.number, offer.round)
            orders.accept(session, part, now=now)
            orders.finish(session, part, WorkReport("done"), now=now)
        session.commit()
    drain()


def name_again(database: Database, lived: Life) -> None:
    """Nobody went, which is alarmed; the desk names who goes now."""
    with database.session() as session:
        assert session.scalars(select(Alarm.kind).where(Alarm.kind == "condolence_late")).all() == ["condolence_late"]
        visit = session.scalars(select(Condolence).where(Condolence.state == "placed")).one()
        clerk = staff(session, lived.world, Role.WELFARE)
        condoling.name_visitor(session, visit.id, lived.visitor.id, actor=clerk, now=clock.now(session))
        session.commit()
    drain()


def visits(database: Database) -> list[tuple[str, str, str, date]]:
    """Every visit: of which event, which one, how it stands, its last day."""
    with database.session() as session:
        query = select(LifeEvent.kind, Condolence.occasion, Condolence.state, Condolence.due_at)
        rows = session.execute(query.join(LifeEvent, LifeEvent.id == Condolence.event_id).order_by(Condolence.id))
        return [(kind, name, state, clock.today(due - ONE)) for kind, name, state, due in rows]


def test_a_stay_a_discharge_and_a_death_send_the_named_person_each_time(committed: Database, lived: Life) -> None:
    day = FIRST.date()
    tell(committed, lived, Event.HOSPITAL)
    go(committed)
    assert visits(committed) == [("hospital", "first", "done", day + 3 * ONE)]
    come(committed, day + 9 * ONE)
    assert len(visits(committed)) == 1
    come(committed, day + 12 * ONE)
    assert visits(committed)[1:] == [("hospital", "again-1", "placed", day + 14 * ONE)]
    come(committed, day + 16 * ONE)
    name_again(committed, lived)
    go(committed)
    come(committed, day + 20 * ONE)
    tell(committed, lived, Event.DISCHARGE)
    assert visits(committed)[1:] == [
        ("hospital", "again-1", "done", day + 14 * ONE),
        ("discharge", "discharge", "placed", day + 27 * ONE),
    ]
    go(committed)
    come(committed, day + 36 * ONE)
    assert len(visits(committed)) == 3
    tell(committed, lived, Event.DEATH)
    go(committed)
    assert [row[2] for row in visits(committed)] == ["done"] * 4
    with committed.session() as session:
        now, clerk = clock.now(session), staff(session, lived.world, Role.WELFARE)
        sent = set(session.scalars(select(Order.named_performer_id).where(Order.origin == "care.condolence")))
        assert sent == {lived.visitor.id}
        (year,) = [one for one in covering.coverage(session, 2026, actor=clerk, now=now) if one.group.code == "retired"]
    assert (year.events, year.owed, year.in_time, year.late, year.waiting) == (3, 4, 3, 1, 0)
