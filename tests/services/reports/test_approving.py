"""Large exports: asked for with a reason, approved by a second person, downloaded once within their hours."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.access import AuditEntry
from dispatch.models.notify import Alarm
from dispatch.rules.access.roles import Actor, Right, Role
from dispatch.rules.reports.figures import Figure
from dispatch.services import reports
from dispatch.services.access import policies
from dispatch.services.reports import ExportAsked, FileFormat, Grouping, Part, ReportQuery
from tests.factories.reported import MORNING, Lives
from tests.factories.world import make_world, set_policies, staff

NOVEMBER = ReportQuery(date(2026, 11, 1), date(2026, 11, 30), by=Grouping.KIND, area_id=None)
ALL = ExportAsked(NOVEMBER, FileFormat.CSV, Figure.PER_TEN_THOUSAND)
HOURS = timedelta(hours=8)


@pytest.fixture
def lives(lives: Lives) -> Lives:
    """Ten counted orders where more than five rows need approval, which holds eight hours."""
    district = lives.world.district
    set_policies(lives.session, district, access__export_approval_rows=5, access__export_approved_hours=8)
    policies.remembered.forget(lives.session)
    return lives


@pytest.fixture
def session(lives: Lives) -> Session:
    """The session in which the week is read and changed."""
    return lives.session


@pytest.fixture
def asker(session: Session, lives: Lives) -> Actor:
    """A dispatcher who needs the list."""
    return staff(session, lives.world, Role.DISPATCHER)


@pytest.fixture
def centre(session: Session, lives: Lives) -> Actor:
    """Somebody of the centre."""
    return staff(session, lives.world, Role.CENTRE)


def without(actor: Actor) -> Actor:
    """The same without the right to approve."""
    return replace(actor, rights=frozenset({Right.REPORTS_READ}))


def asked(session: Session, actor: Actor, what: ExportAsked = ALL) -> int:
    """A request."""
    return reports.ask_export(session, what, reason="报区里", actor=actor, now=MORNING).id


def granted(session: Session, asker: Actor, centre: Actor, what: ExportAsked = ALL) -> int:
    """A request that the centre has approved."""
    made = asked(session, asker, what)
    reports.decide_export(session, made, granted=True, actor=centre, now=MORNING)
    return made


def test_what_another_person_approved_is_downloaded_once_and_noted(
    session: Session, asker: Actor, centre: Actor
) -> None:
    made = asked(session, asker)
    assert [(one.id, one.row_count) for one in reports.exports_to_decide(session, actor=centre)] == [(made, 10)]
    assert reports.exports_to_decide(session, actor=without(asker)) == []
    waiting = select(Alarm.subject).where(Alarm.kind == "export_waits", Alarm.cleared_at.is_(None))
    assert session.scalars(waiting).all() == [f"export:{made}"]
    reports.decide_export(session, made, granted=True, actor=centre, now=MORNING)
    assert session.scalars(waiting).all() == []

    data, what = reports.take_export(session, made, say=str, actor=asker, now=MORNING + HOURS)

    assert what == ALL
    assert data.decode().count("\r\nHQ") == 10
    with pytest.raises(reports.ExportOver):
        reports.take_export(session, made, say=str, actor=asker, now=MORNING + HOURS)
    noted = select(AuditEntry.action, AuditEntry.user_id).where(AuditEntry.action.like("reports.%export%"))
    assert [tuple(row) for row in session.execute(noted.order_by(AuditEntry.id))] == [
        ("reports.ask_export", asker.user_id),
        ("reports.grant_export", centre.user_id),
        ("reports.export", asker.user_id),
    ]


@pytest.mark.parametrize(
    "what",
    [
        ExportAsked(NOVEMBER, FileFormat.XLSX),
        ExportAsked(replace(NOVEMBER, by=Grouping.AREA), FileFormat.PDF, Figure.CLOSED, Part.LEFT_OUT),
    ],
)
def test_what_was_asked_is_what_leaves(session: Session, asker: Actor, centre: Actor, what: ExportAsked) -> None:
    made = granted(session, asker, centre, what)
    session.expire_all()
    assert reports.take_export(session, made, say=str, actor=asker, now=MORNING)[1] == what


def test_nobody_approves_their_own_and_nobody_decides_twice(session: Session, asker: Actor, centre: Actor) -> None:
    own = asked(session, centre)
    with pytest.raises(reports.NotBySameExporter):
        reports.decide_export(session, own, granted=True, actor=centre, now=MORNING)
    with pytest.raises(NotAllowed):
        reports.decide_export(session, own, granted=True, actor=without(asker), now=MORNING)
    other = asked(session, asker)
    reports.decide_export(session, other, granted=False, actor=centre, now=MORNING)
    with pytest.raises(reports.ExportDecided):
        reports.decide_export(session, other, granted=True, actor=centre, now=MORNING)
    with pytest.raises(reports.ExportOver):
        reports.take_export(session, other, say=str, actor=asker, now=MORNING)


def test_the_hours_end_and_another_s_is_not_found(session: Session, lives: Lives, asker: Actor, centre: Actor) -> None:
    made = granted(session, asker, centre)
    with pytest.raises(NotFound):
        reports.take_export(session, made, say=str, actor=centre, now=MORNING)
    with pytest.raises(reports.ExportOver):
        reports.take_export(session, made, say=str, actor=asker, now=MORNING + HOURS + timedelta(seconds=1))
    stranger = staff(session, make_world(session), Role.CENTRE)
    with pytest.raises(NotFound):
        reports.decide_export(session, asked(session, asker), granted=True, actor=stranger, now=MORNING)
    assert reports.exports_to_decide(session, actor=stranger) == []
    assert lives.world.district.id


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_needed_and_a_machine_does_not_ask(session: Session, asker: Actor, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        reports.ask_export(session, ALL, reason=reason, actor=asker, now=MORNING)
    assert refused.value.field == "reason"
    machine = replace(asker, user_id=None, api_key_id=1)
    with pytest.raises(NotAllowed):
        reports.ask_export(session, ALL, reason="报区里", actor=machine, now=MORNING)


@pytest.mark.parametrize(
    "change",
    [
        "granted = true, decided_by = asked_by, decided_at = now(), valid_until = now()",
        "granted = true",
        "downloaded_at = now()",
    ],
)
def test_the_database_refuses_a_download_without_a_second_person(session: Session, asker: Actor, change: str) -> None:
    made = asked(session, asker)
    with pytest.raises(IntegrityError):
        session.execute(text(f"UPDATE export_requests SET {change} WHERE id = :id"), {"id": made})  # noqa: S608 - our own
