"""职业介绍: vacancies of employers, who seeks work by consent until a day, introductions and what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import Introduction, JobSeeker, Vacancy
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import station as rule
from dispatch.rules.care.station import Found
from dispatch.rules.grid.phone import normalise_phone
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, policies, reach, vault
from dispatch.services.care.courses.planning import needed
from dispatch.services.grid.build import demand_community

DAYS = "station.seeker_days"
PHONE_PURPOSE = "seeker.phone"
FORGOTTEN = "—"
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class VacancyDraft:
    """A place of work to be: whose, what, on which terms, how many, until when."""

    employer: str
    title: str
    places: int
    until: date
    terms: str = ""


@dataclass(frozen=True, slots=True)
class Introduced:
    """An introduction with who and where to."""

    introduction: Introduction
    seeker: str
    title: str
    employer: str


def add_vacancy(session: Session, community_id: int, draft: VacancyDraft, *, actor: Actor, now: datetime) -> Vacancy:
    """Write down a place of work; raises NotFound, Invalid naming the field."""
    demand_community(actor, community_id)
    rule.check_until(draft.until, clock.today(now))
    if not 1 <= draft.places <= rule.MOST_PLACES:
        raise Invalid("places", "招几个人？请填1到1000")
    made = Vacancy(
        community_id=community_id,
        employer=needed("employer", draft.employer, rule.LONGEST_NAME),
        title=needed("title", draft.title, rule.LONGEST_NAME),
        terms=check_text("terms", draft.terms, rule.LONGEST_TERMS),
        places=draft.places,
        until=draft.until,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    note(session, "add_vacancy", made, actor=actor)
    return made


def end_vacancy(session: Session, vacancy_id: int, *, actor: Actor, now: datetime) -> None:
    """Nobody is introduced to it any more; said twice is said once. Raises NotFound."""
    vacancy = find_vacancy(session, vacancy_id, actor=actor)
    if vacancy.ended_at is None:
        vacancy.ended_at = now
        note(session, "end_vacancy", vacancy, actor=actor)


def find_vacancy(session: Session, vacancy_id: int, *, actor: Actor) -> Vacancy:
    """A vacancy in reach, locked; raises NotFound."""
    query = select(Vacancy).where(Vacancy.id == vacancy_id, reach.visible(Vacancy, actor))
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound
    return found


def place_of(seeker: JobSeeker) -> str:
    """Where a seeker's telephone number is sealed."""
    return f"job_seekers.phone.{seeker.uid}"


def phone_of(seeker: JobSeeker) -> str:
    """A seeker's telephone number; empty once it is forgotten."""
    return vault.open_sealed(place_of(seeker), seeker.phone) if seeker.phone is not None else ""


def register_seeker(
    session: Session,
    community_id: int,
    name: str,
    phone: str,
    wish: str,
    *,
    has_consented: bool,
    actor: Actor,
    now: datetime,
) -> JobSeeker:
    """Write down who seeks work, or renew it with the same number; raises NotFound, Invalid naming the field."""
    demand_community(actor, community_id)
    number = normalise_phone(phone)
    if not has_consented:
        raise Invalid("has_consented", "要本人同意把姓名和电话告诉用人单位，才能登记")
    index = vault.blind_index(PHONE_PURPOSE, number)
    known = select(JobSeeker).where(
        JobSeeker.community_id == community_id, JobSeeker.phone_index == index, JobSeeker.ended_at.is_(None)
    )
    seeker = session.scalars(known.with_for_update()).one_or_none()
    if seeker is None:
        seeker = JobSeeker(
            uid=uuid4(), community_id=community_id, phone_index=index, created_by=actor.user_id, created_at=now
        )
        seeker.phone = vault.seal(place_of(seeker), number)
    seeker.name, seeker.wish = needed("name", name, rule.LONGEST_NAME), needed("wish", wish, rule.LONGEST_TERMS)
    seeker.consented_at = now
    seeker.until = rule.consent_ends(clock.today(now), policies.policy(session, community_id, DAYS))
    write(session, seeker, Conflict())
    note(session, "register_seeker", seeker, actor=actor)
    return seeker


def write(session: Session, made: JobSeeker | Introduction, refused: Conflict) -> None:
    """Write a row; raises what it means that the database refused it."""
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        raise refused from error


def find_seeker(session: Session, seeker_id: int, *, actor: Actor) -> JobSeeker:
    """Somebody in reach who seeks work, locked; raises NotFound."""
    query = select(JobSeeker).where(JobSeeker.id == seeker_id, reach.visible(JobSeeker, actor))
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound
    return found


def reveal_phone(session: Session, seeker_id: int, *, actor: Actor) -> str:
    """The telephone number, the reading audited; raises NotFound."""
    seeker = find_seeker(session, seeker_id, actor=actor)
    note(session, "reveal_seeker_phone", seeker, actor=actor)
    return phone_of(seeker)


def end_seeker(session: Session, seeker_id: int, *, actor: Actor, now: datetime) -> None:
    """Consent is taken back, or work is found: name and number are forgotten at once. Raises NotFound."""
    seeker = find_seeker(session, seeker_id, actor=actor)
    if seeker.phone is not None:
        seeker.name, seeker.wish, seeker.phone, seeker.phone_index = FORGOTTEN, FORGOTTEN, None, None
        seeker.ended_at = seeker.ended_at or now
        note(session, "end_seeker", seeker, actor=actor)


def forget_seekers(session: Session, *, now: datetime) -> int:
    """Forget name and number of those whose consent is over; how many. One statement."""
    over = JobSeeker.phone.is_not(None), JobSeeker.until < clock.today(now)
    gone = {"name": FORGOTTEN, "wish": FORGOTTEN, "phone": None, "phone_index": None}
    ended = func.coalesce(JobSeeker.ended_at, now)
    return len(
        session.scalars(update(JobSeeker).where(*over).values(**gone, ended_at=ended).returning(JobSeeker.id)).all()
    )


def introduce(session: Session, vacancy_id: int, seeker_id: int, *, actor: Actor, now: datetime) -> Introduction:
    """Send somebody to an employer; raises NotFound, NotOpenNow, IntroducedAlready."""
    vacancy = find_vacancy(session, vacancy_id, actor=actor)
    seeker, today = find_seeker(session, seeker_id, actor=actor), clock.today(now)
    over = vacancy.ended_at is not None or vacancy.until < today or seeker.ended_at is not None or seeker.until < today
    if over or vacancy.community_id != seeker.community_id:
        raise rule.NotOpenNow
    made = Introduction(
        community_id=vacancy.community_id,
        vacancy_id=vacancy.id,
        seeker_id=seeker.id,
        outcome=str(Found.OPEN),
        created_by=actor.user_id,
        created_at=now,
    )
    write(session, made, rule.IntroducedAlready())
    note(session, "introduce_seeker", made, actor=actor)
    return made


def note_outcome(
    session: Session, introduction_id: int, outcome: Found, *, actor: Actor, now: datetime
) -> Introduction:
    """Note what came of an introduction, once; the last place that is taken ends the vacancy.

    Raises NotFound, Invalid, OutcomeKnown.
    """
    query = select(Introduction).where(Introduction.id == introduction_id, reach.visible(Introduction, actor))
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    if outcome is Found.OPEN:
        raise Invalid("outcome", "请选结果")
    vacancy = find_vacancy(session, found.vacancy_id, actor=actor)
    session.refresh(found)
    hired = hired_of(session, vacancy)
    if found.outcome != Found.OPEN or (outcome is Found.HIRED and hired >= vacancy.places):
        raise rule.OutcomeKnown
    found.outcome, found.outcome_on = str(outcome), clock.today(now)
    if outcome is Found.HIRED and hired + 1 == vacancy.places:
        vacancy.ended_at = vacancy.ended_at or now
    session.flush()
    note(session, "note_introduction", found, actor=actor)
    return found


def hired_of(session: Session, vacancy: Vacancy) -> int:
    """How many were hired for a vacancy."""
    query = select(func.count()).select_from(Introduction)
    return session.execute(
        query.where(Introduction.vacancy_id == vacancy.id, Introduction.outcome == str(Found.HIRED))
    ).scalar_one()


def open_vacancies(session: Session, *, actor: Actor, now: datetime) -> Sequence[Vacancy]:
    """The vacancies of the reach to which somebody may be introduced."""
    query = select(Vacancy).where(
        reach.visible(Vacancy, actor), Vacancy.ended_at.is_(None), Vacancy.until >= clock.today(now)
    )
    return session.scalars(query.order_by(Vacancy.id.desc()).limit(MOST_SHOWN)).all()


def open_seekers(session: Session, *, actor: Actor, now: datetime) -> Sequence[JobSeeker]:
    """Who of the reach seeks work and may be introduced."""
    query = select(JobSeeker).where(
        reach.visible(JobSeeker, actor), JobSeeker.ended_at.is_(None), JobSeeker.until >= clock.today(now)
    )
    return session.scalars(query.order_by(JobSeeker.id.desc()).limit(MOST_SHOWN)).all()


def introductions(session: Session, *, actor: Actor) -> list[Introduced]:
    """The newest introductions of the reach. One query."""
    query = (
        select(Introduction, JobSeeker.name, Vacancy.title, Vacancy.employer)
        .join(JobSeeker, JobSeeker.id == Introduction.seeker_id)
        .join(Vacancy, Vacancy.id == Introduction.vacancy_id)
        .where(reach.visible(Introduction, actor))
        .order_by(Introduction.id.desc())
        .limit(MOST_SHOWN)
    )
    return [Introduced(*row) for row in session.execute(query)]


def note(session: Session, deed: str, about: Vacancy | JobSeeker | Introduction, *, actor: Actor) -> None:
    """The audit entry of what was done with a vacancy, a seeker or an introduction."""
    table = about.__tablename__
    audit.record(session, f"care.{deed}", table, about.id, actor=actor, community_id=about.community_id)
