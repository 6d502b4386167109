"""The catalogue's daily jobs: each alarm once, cleared when its cause is gone, each period finished."""

from datetime import date, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.notify import Alarm, Notice
from dispatch.queue import Claimed
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, grid
from dispatch.workers.catalogue import WORK
from tests.factories.grid import make_community
from tests.factories.world import firm, make_world


def run(session: Session, kind: str, period: str = "2026-11-23") -> None:
    """Do a job of the clock once."""
    WORK[kind](
        session,
        Claimed(
            id=1,
            kind=kind,
            reference=None,
            arguments={"period": period},
            lane=int(Lane.PERIODIC),
            run_at=clock.now(session),
            attempts=1,
            token=1,
        ),
    )


def alarms(session: Session, kind: str, subject: str) -> list[Alarm]:
    """The open alarms of a kind whose subject begins so."""
    query = select(Alarm).where(Alarm.kind == kind, Alarm.subject.startswith(subject), Alarm.cleared_at.is_(None))
    return [*session.scalars(query)]


def notices(session: Session, performer_id: int) -> list[str]:
    """What a performer was told, in order."""
    query = select(Notice.template).where(Notice.performer_id == performer_id).order_by(Notice.id)
    return [*session.scalars(query)]


def test_a_paper_that_ends_soon_is_alarmed_and_told_once_however_often_the_job_runs(session: Session) -> None:
    today = clock.today(clock.now(session))
    world = make_world(session, firms=0)
    it = firm(session, world.district, world.community, [], papers_until=today + timedelta(days=9))

    run(session, "catalogue.papers_expiring")
    run(session, "catalogue.papers_expiring", "2026-11-24")

    found = [one for one in alarms(session, "papers_expiring", "paper:") if one.facts["performer_id"] == it.id]
    assert len(found) == 1
    assert found[0].organisation_id == world.district.id
    assert notices(session, it.id) == ["papers_expiring"]


def test_a_renewal_clears_the_alarm(session: Session) -> None:
    today = clock.today(clock.now(session))
    world = make_world(session, firms=0)
    it = firm(session, world.district, world.community, [], papers_until=today + timedelta(days=9))
    run(session, "catalogue.papers_expiring")
    renewal = catalogue.NewPaper(kind="business_licence", number="new", valid_from=today, valid_until=date(2099, 1, 1))
    catalogue.add_paper(session, it.id, renewal, actor=SYSTEM)

    run(session, "catalogue.papers_expiring", "2026-11-24")

    assert not [one for one in alarms(session, "papers_expiring", "paper:") if one.facts["performer_id"] == it.id]


def test_an_ended_paper_is_a_warning_of_its_own(session: Session) -> None:
    today = clock.today(clock.now(session))
    world = make_world(session, firms=0)
    it = firm(session, world.district, world.community, [], papers_until=today - timedelta(days=1))

    run(session, "catalogue.papers_expiring")

    found = [one for one in alarms(session, "papers_expired", "paper:") if one.facts["performer_id"] == it.id]
    assert [one.level for one in found] == ["warning"]
    assert notices(session, it.id) == ["papers_expired"]


def test_a_missing_calendar_is_alarmed_and_cleared_when_it_is_entered(session: Session) -> None:
    community = make_community(session)
    now = clock.now(session)
    subject = f"calendar:{community.district}:"

    run(session, "catalogue.calendar_missing")
    run(session, "catalogue.calendar_missing", "2026-11-24")
    assert len(alarms(session, "calendar_missing", subject)) == 1

    for year in (now.year, now.year + 1):
        catalogue.enter_year(session, community.district, year, source="test", actor=SYSTEM, now=now)
    run(session, "catalogue.calendar_missing", "2026-11-25")
    assert alarms(session, "calendar_missing", subject) == []


def test_vacant_posts_are_one_alarm_a_kind_until_all_are_held(session: Session) -> None:
    community = make_community(session)
    today = clock.today(clock.now(session))
    subject = f"posts:{community.id}:"

    run(session, "catalogue.posts_vacant")
    found = {one.facts["post"]: one.facts["number"] for one in alarms(session, "posts_vacant", subject)}
    assert found == {"area_chief": 2, "partner_liaison": 2, "group_leader": 3, "stairwell_leader": 4}

    chiefs = [grid.PostDraft(grid.PostKind.AREA_CHIEF, "王片长", today, area_id=area) for area in community.areas]
    grid.give_posts(session, community.id, chiefs, actor=SYSTEM)
    run(session, "catalogue.posts_vacant", "2026-11-24")
    assert alarms(session, "posts_vacant", f"{subject}area_chief") == []


def test_each_job_finishes_its_period(session: Session) -> None:
    for kind in WORK:
        session.execute(
            text("INSERT INTO period_runs (job, period, due_at) VALUES (:job, '2026-11-23', dispatch_now())"),
            {"job": kind},
        )
        run(session, kind)
    open_periods = session.execute(
        text("SELECT job FROM period_runs WHERE finished_at IS NULL AND job LIKE 'catalogue.%'")
    ).all()

    assert open_periods == []
