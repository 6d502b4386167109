"""Applications: registered with evidence, decided by others, read with audit; the database holds what must not be."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.access import AuditEntry
from dispatch.models.market import AidApplication
from dispatch.models.notify import Alarm
from dispatch.rules.access.roles import RIGHTS, Role
from dispatch.rules.grid.identity import mask_name
from dispatch.rules.market.eligibility import Ground, NotWaiting, OwnApplication, SecondSameAsFirst, last_day
from dispatch.services.access import files
from dispatch.services.market import applications, beneficiaries, cards, rechecks
from dispatch.services.market.applications import AidDraft, AlreadyApplied, ChangedMeanwhile, NoEvidence, NotApproved
from dispatch.services.market.beneficiaries import Shown
from tests.factories.aid import applied, approved, carded, picture
from tests.factories.visits import resident
from tests.factories.world import World, make_world, staff
from tests.statements import statements


@pytest.fixture
def world(session: Session) -> World:
    return make_world(session)


@pytest.mark.parametrize("ground", list(Ground))
def test_each_ground_is_approved_for_its_months(session: Session, world: World, ground: Ground) -> None:
    made = approved(session, world, ground=ground)
    today = clock.today(clock.now(session))
    months = 6 if ground is Ground.SUDDEN_HARDSHIP else 12
    assert (made.standing, made.valid_from, made.valid_until) == ("approved", today, last_day(today, months))


def test_ground_and_words_are_sealed_and_each_reading_is_noted(session: Session, world: World) -> None:
    made = applied(session, world, ground=Ground.SERIOUS_ILLNESS, circumstances="尿毒症透析")
    row = session.execute(text("SELECT row::text FROM aid_applications AS row WHERE id = :id"), {"id": made.id})
    stored = row.scalar_one()
    assert "serious_illness" not in stored
    assert "尿毒症".encode().hex() not in stored
    reader = staff(session, world, Role.CENTRE)
    opened = applications.opened(session, made, actor=reader, purpose="page")
    assert (opened.ground, opened.circumstances) == (Ground.SERIOUS_ILLNESS, "尿毒症透析")
    (listed,) = beneficiaries.list_beneficiaries(session, actor=reader, now=clock.now(session))
    assert opened.name is not None
    assert (listed.name, "*" in opened.name) == (mask_name(opened.name), False)
    query = select(AuditEntry).where(AuditEntry.action == "market.read_application", AuditEntry.subject_id == made.id)
    (entry,) = session.scalars(query)
    assert (entry.user_id, entry.purpose, entry.fields) == (reader.user_id, "page", {})


def test_the_evidence_is_read_by_who_may_read_beneficiaries_and_by_no_other_reader(
    session: Session, world: World
) -> None:
    made = applied(session, world)
    reader = staff(session, world, Role.CENTRE)
    (kept,) = files.list_files(session, "aid_applications", made.id, actor=reader)
    assert files.read_file(session, kept.uid, actor=reader, purpose="evidence").media_type == "image/jpeg"
    for role in (Role.DISPATCHER, Role.OPERATOR, Role.KEEPER, Role.ADMIN):
        with pytest.raises((NotAllowed, NotFound)):
            files.read_file(session, kept.uid, actor=replace(reader, rights=RIGHTS[role]))


def test_nothing_is_approved_without_evidence_by_the_service_or_by_the_database(session: Session, world: World) -> None:
    made = applied(session, world, evidence=0)
    centre, now = staff(session, world, Role.CENTRE), clock.now(session)
    with pytest.raises(NoEvidence):
        applications.approve(session, made, actor=centre, now=now)
    with pytest.raises(IntegrityError, match="has no evidence"), session.begin_nested():
        session.execute(
            text(
                "UPDATE aid_applications SET standing = 'approved', decided_by = :who, decided_at = now(), "
                "valid_from = '2026-01-01', valid_until = '2027-01-01' WHERE id = :id"
            ),
            {"who": centre.user_id, "id": made.id},
        )
    applications.add_evidence(session, made, picture(), actor=centre, now=now)
    assert applications.approve(session, made, actor=centre, now=now).standing == "approved"


def test_nobody_decides_what_they_registered_and_a_relative_of_a_manager_needs_two(
    session: Session, world: World
) -> None:
    clerk, first, second = (staff(session, world, role) for role in (Role.WELFARE, Role.CENTRE, Role.CENTRE))
    now = clock.now(session)
    made = applied(session, world, actor=clerk, is_relative=True)
    with pytest.raises(OwnApplication):
        applications.approve(session, made, actor=clerk, now=now)
    assert applications.approve(session, made, actor=first, now=now).standing == "seconding"
    assert made.valid_from is None
    with pytest.raises(SecondSameAsFirst):
        applications.approve(session, made, actor=first, now=now)
    with pytest.raises(OwnApplication):
        applications.refuse(session, made, reason="不属实", actor=clerk, now=now)
    assert applications.approve(session, made, actor=second, now=now).standing == "approved"
    with pytest.raises(NotWaiting):
        applications.approve(session, made, actor=second, now=now)
    with pytest.raises(IntegrityError, match="relative"), session.begin_nested():
        session.execute(
            text("UPDATE aid_applications SET first_by = NULL, first_at = NULL WHERE id = :i"), {"i": made.id}
        )
    with pytest.raises(IntegrityError, match="for ever"), session.begin_nested():
        session.execute(text("UPDATE aid_applications SET is_relative = false WHERE id = :i"), {"i": made.id})


def test_a_refusal_has_its_reason_which_is_sealed(session: Session, world: World) -> None:
    made = applied(session, world)
    centre, now = staff(session, world, Role.CENTRE), clock.now(session)
    with pytest.raises(Invalid) as refused:
        applications.refuse(session, made, reason=" ", actor=centre, now=now)
    assert refused.value.field == "reason"
    applications.refuse(session, made, reason="收入超过标准", actor=centre, now=now)
    assert applications.opened(session, made, actor=centre, purpose="page").reason == "收入超过标准"
    with pytest.raises(IntegrityError, match="is decided"), session.begin_nested():
        session.execute(text("UPDATE aid_applications SET standing = 'approved' WHERE id = :id"), {"id": made.id})


def test_who_changed_meanwhile_is_told(session: Session, world: World) -> None:
    made = applied(session, world)
    centre, now = staff(session, world, Role.CENTRE), clock.now(session)
    with pytest.raises(ChangedMeanwhile):
        applications.approve(session, made, version=made.version + 1, actor=centre, now=now)
    with pytest.raises(NotApproved):
        applications.end(session, made, reason="搬走", actor=centre, now=now)


def test_one_waits_at_a_time_and_a_renewal_takes_the_place_of_what_held(session: Session, world: World) -> None:
    card = carded(session, world)
    person = beneficiary_resident(session, card.card.beneficiary_id)
    renewed = applied(session, world, resident_id=person)
    with pytest.raises(AlreadyApplied):
        applied(session, world, resident_id=person)
    assert renewed.beneficiary_id == card.card.beneficiary_id
    centre, now = staff(session, world, Role.CENTRE), clock.now(session)
    applications.approve(session, renewed, actor=centre, now=now)
    standings = [one.standing for one in beneficiaries.applications_of(session, renewed.beneficiary_id)]
    assert standings == ["approved", "ended"]
    held = beneficiaries.scan(session, card.qr, actor=centre, now=now)
    assert held.application.id == renewed.id


def beneficiary_resident(session: Session, beneficiary_id: int) -> int:
    """The resident behind a beneficiary."""
    query = text("SELECT resident_id FROM beneficiaries WHERE id = :id")
    return int(session.execute(query, {"id": beneficiary_id}).scalar_one())


@pytest.mark.parametrize("missing", ["resident", "home", "other_community"])
def test_who_is_not_of_the_register_cannot_apply(session: Session, world: World, missing: str) -> None:
    clerk, now = staff(session, world, Role.WELFARE), clock.now(session)
    where = make_world(session) if missing == "other_community" else world
    person = resident(session, where, is_housed=missing != "home")
    if missing == "resident":
        person.left_at = now
    draft = AidDraft(Ground.LONE_ELDER, "独居", resident_id=person.id)
    with pytest.raises(Invalid) as refused:
        applications.apply(session, draft, actor=clerk, now=now)
    assert refused.value.field == "resident_id"


def test_lists_mask_names_tell_no_ground_and_take_the_same_queries_for_more(session: Session, world: World) -> None:
    reader, now = staff(session, world, Role.CENTRE), clock.now(session)
    asked = {"actor": reader, "now": now}
    approved(session, world)
    with statements(session) as few:
        beneficiaries.list_beneficiaries(session, **asked)
    for ground in Ground:
        approved(session, world, ground=ground)
    waiting = applied(session, world)
    with statements(session) as many:
        rows = beneficiaries.list_beneficiaries(session, **asked)
    assert len(many) == len(few) == 1
    assert [row.name for row in rows] == ["陈**", None, "陈**", "陈**", "陈**", "陈**"]
    shown = {one: {row.id for row in beneficiaries.list_beneficiaries(session, shown=one, **asked)} for one in Shown}
    assert shown[Shown.WAITING] == {waiting.beneficiary_id}
    assert len(shown[Shown.HOLDING]) == 5
    assert shown[Shown.RECHECK] == shown[Shown.OVER] == set()
    assert beneficiaries.find_row(session, rows[2].id, **asked).id == rows[2].id
    assert [
        row.id for row in beneficiaries.list_beneficiaries(session, query="chen", after=rows[0].application.id, **asked)
    ]
    assert beneficiaries.list_beneficiaries(session, query="王", **asked) == []


def test_another_community_s_are_not_found(session: Session, world: World) -> None:
    made, stranger = approved(session, world), staff(session, make_world(session), Role.CENTRE)
    now = clock.now(session)
    assert beneficiaries.list_beneficiaries(session, actor=stranger, now=now) == []
    for ask in (
        lambda: applications.find(session, made.id, actor=stranger),
        lambda: beneficiaries.find_row(session, made.beneficiary_id, actor=stranger, now=now),
        lambda: cards.issue(session, made.beneficiary_id, actor=stranger, now=now),
    ):
        with pytest.raises(NotFound):
            ask()


def test_a_recheck_is_told_once_before_the_end_and_once_after_and_cleared_by_a_renewal(
    session: Session, world: World
) -> None:
    made = approved(session, world)
    assert made.valid_until is not None
    now = clock.now(session)
    days_left = (made.valid_until - clock.today(now)).days

    def told(after: int) -> list[str]:
        rechecks.recheck(session, now=now + timedelta(days=after))
        return open_alarms(session, made)

    assert told(days_left - 31) == []
    assert told(days_left - 30) == ["aid_recheck_due"]
    assert rechecks.recheck(session, now=now + timedelta(days=days_left - 29)) == 0
    assert told(days_left) == ["aid_recheck_due"]
    assert told(days_left + 1) == ["aid_over"]
    assert rechecks.recheck(session, now=now + timedelta(days=days_left + 2)) == 0
    renewed = applied(session, world, resident_id=beneficiary_resident(session, made.beneficiary_id))
    applications.approve(session, renewed, actor=staff(session, world, Role.CENTRE), now=now)
    assert told(1) == []


def open_alarms(session: Session, made: AidApplication) -> list[str]:
    """The kinds of the open alarms of an approval."""
    query = select(Alarm.kind).where(Alarm.subject == f"aid_application:{made.id}", Alarm.cleared_at.is_(None))
    return list(session.scalars(query))
