"""The station of a small world: a kind that is offered at it, a vacancy, who seeks work, an introduction."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Introduction, JobSeeker, Vacancy
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import SYSTEM
from dispatch.services.care.station import VacancyDraft, jobs
from tests.factories.courses import make_course, make_member
from tests.factories.world import NUMBERS, World, service


def station_kind(session: Session, world: World) -> Service:
    """A kind of the station."""
    known = select(Service).where(Service.organisation_id == world.district.id, Service.code == "house_cleaning")
    return session.scalars(known).one_or_none() or service(
        session, world.district, "house_cleaning", name="家政服务", offered=["hotline", "station"]
    )


def make_vacancy(session: Session, world: World, *, places: int = 1) -> Vacancy:
    """A place of work of the coming month."""
    now = clock.now(session)
    draft = VacancyDraft("绿谷家政公司", "保洁员", places, clock.today(now) + timedelta(days=30), "白班")
    return jobs.add_vacancy(session, world.community.id, draft, actor=SYSTEM, now=now)


def make_seeker(session: Session, world: World, *, phone: str | None = None) -> JobSeeker:
    """Somebody who seeks work."""
    phone, now = phone or f"139{next(NUMBERS):08}", clock.now(session)
    return jobs.register_seeker(
        session, world.community.id, "陈桂花", phone, "保洁或带孩子", has_consented=True, actor=SYSTEM, now=now
    )


def introduced(session: Session, world: World) -> Introduction:
    """Somebody who was sent to an employer."""
    vacancy, seeker = make_vacancy(session, world), make_seeker(session, world)
    return jobs.introduce(session, vacancy.id, seeker.id, actor=SYSTEM, now=clock.now(session))


def with_phones(session: Session, world: World) -> None:
    """Somebody on the roster of a course, and somebody who seeks work."""
    make_member(session, make_course(session, world))
    make_seeker(session, world)
