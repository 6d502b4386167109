"""Who sees only an area, a team or their own work sees the elders of it, and of others neither words nor illness."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.access import AuditEntry
from dispatch.models.catalogue import Performer
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.events import Event
from dispatch.services import care
from dispatch.services.care import events, excusing, listing, reading
from dispatch.services.care.events import EventDraft
from dispatch.services.care.listing import Wanted
from tests.factories.care import ELDER, Calendar, home, make_calendar, paired, visited


@pytest.fixture
def calendar(session: Session) -> Calendar:
    """A community with programmes and two helpers."""
    return make_calendar(session)


def chief(calendar: Calendar, *, area_id: int) -> Actor:
    """The chief of an area, who plans visits in it."""
    return replace(calendar.planner, narrowed=True, areas=frozenset({area_id}))


def lists(session: Session, actor: Actor) -> list[int]:
    """How many rows each list of care has for somebody."""
    return [
        len(reading.list_enrolled(session, actor=actor)),
        *(
            len(read(session, Wanted(ended=True), actor=actor))
            for read in (listing.list_enrolments, listing.list_duties, listing.list_contacts, listing.list_absences)
        ),
        len(events.list_events(session, actor=actor)),
    ]


def test_a_chief_of_another_area_reads_and_changes_nothing_of_an_elder(session: Session, calendar: Calendar) -> None:
    now, (person,) = clock.now(session), home(session, calendar, ELDER)
    enrolment = paired(session, calendar, [person], now=now)
    visited(session, calendar, person, now, complaint="晚上睡不好")
    about = {"actor": calendar.planner, "now": now}
    stay = events.tell(session, EventDraft(Event.HOSPITAL, clock.today(now), person.id), **about)  # type: ignore[arg-type]
    page = reading.elder_page(session, enrolment.id, actor=calendar.planner)
    deeds: list[Callable[[Actor], object]] = [
        lambda actor: reading.elder_page(session, enrolment.id, actor=actor),
        lambda actor: care.find_pairing(session, page.paired[0][0].id, actor=actor),
        lambda actor: excusing.find_period(session, page.periods[0].period.id, actor=actor),
        lambda actor: events.find_event(session, stay.id, actor=actor),
    ]
    own, other = chief(calendar, area_id=calendar.world.area.id), chief(calendar, area_id=10**9)
    for deed in deeds:
        assert deed(own) is not None
        with pytest.raises(NotFound):
            deed(other)
    assert min(lists(session, own)) > 0
    assert set(lists(session, other)) == {0}
    (neighbour,) = home(session, calendar, ELDER, stairwell=1)
    for draft in (
        care.EnrolmentDraft("pairing", household_id=neighbour.household_id),
        care.EnrolmentDraft("voucher", resident_id=neighbour.id),
    ):
        with pytest.raises(Invalid):
            care.enrol(session, draft, actor=other, now=now)


def test_that_words_and_events_were_read_is_recorded(session: Session, calendar: Calendar) -> None:
    now, (person,) = clock.now(session), home(session, calendar, ELDER)
    enrolment = paired(session, calendar, [person], now=now)
    said = [visited(session, calendar, person, now, complaint=words) for words in ("晚上睡不好", "", "想女儿")]
    stay = events.tell(
        session, EventDraft(Event.HOSPITAL, clock.today(now), person.id), actor=calendar.planner, now=now
    )
    reader = replace(calendar.planner, rights=frozenset({Right.VISITS_READ}))
    assert [one.words for one in reading.elder_page(session, enrolment.id, actor=reader).contacts] == [{}] * 3
    reads = select(AuditEntry.action, AuditEntry.subject_id, AuditEntry.fields).where(
        AuditEntry.action.like("care.read%"), AuditEntry.user_id == calendar.planner.user_id
    )
    assert session.execute(reads).all() == []
    reading.elder_page(session, enrolment.id, actor=calendar.planner)
    events.open_event(session, stay.id, actor=calendar.planner)
    assert session.execute(reads.order_by(AuditEntry.id)).all() == [
        ("care.read_words", None, {"ids": f"{said[2]},{said[0]}"}),
        ("care.read_event", stay.id, {}),
    ]


def test_a_head_of_a_team_reads_of_whom_the_team_s_helpers_care_for(session: Session, calendar: Calendar) -> None:
    now, (person,) = clock.now(session), home(session, calendar, ELDER)
    enrolment = paired(session, calendar, [person], now=now)
    session.get_one(Performer, calendar.helpers[0].id).team_id = calendar.world.line.id
    session.flush()
    head = replace(calendar.planner, narrowed=True, rights=frozenset({Right.VISITS_READ}))
    other, own = (replace(head, teams=frozenset({team.id})) for team in (calendar.world.block, calendar.world.line))
    assert reading.elder_page(session, enrolment.id, actor=own).row.case.enrolment is enrolment
    with pytest.raises(NotFound):
        reading.elder_page(session, enrolment.id, actor=other)
    helper = replace(head, performer_id=calendar.helpers[0].id)
    assert care.find_enrolment(session, enrolment.id, actor=helper).id == enrolment.id
