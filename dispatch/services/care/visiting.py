"""Who pays a visit of 三访, and when: asked like other visits, within their hours and before it is due."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.care import Condolence
from dispatch.models.catalogue import Performer, PerformerService, Service
from dispatch.rules.care.sharing import choose
from dispatch.rules.care.windows import Window, days_by_preference
from dispatch.services import catalogue
from dispatch.services.access import policies
from dispatch.services.care import cases, helping
from dispatch.services.care.checks import desk_of
from dispatch.services.care.helping import Bench

KIND = "condolence_visit"
AHEAD, MINUTES = "care.place_days_ahead", "care.visit_minutes"


class NobodyNamed(Invalid):
    """没有人可派:请先指定一位登门慰问的人"""


def appoint(
    session: Session, visit: Condolence, household_id: int, *, now: datetime
) -> tuple[int, Window | tuple[None, None]]:
    """Who goes and when: who is named, in their next hours, else who knows the home best and can before it is due.

    Who is named goes also without such hours, then at no given time. Raises NobodyNamed.
    """
    bench = bench_for(session, visit.community_id, now=now)
    if visit.performer_id is not None:
        return visit.performer_id, window_of(session, bench, visit, visit.performer_id, now=now) or (None, None)
    home, known = cases.homes_of(session, [household_id])[household_id], known_at(session, visit, household_id)
    able = {one.id: bench.candidate(one, household_id, known) for one in bench.able(KIND, home.area_id)}
    while (chosen := choose(able.values(), clock.today(now), home.point)) is not None:
        window = window_of(session, bench, visit, chosen, now=now)
        if window is not None:
            return chosen, window
        del able[chosen]
    raise NobodyNamed("performer_id")


def bench_for(session: Session, community_id: int, *, now: datetime) -> Bench:
    """Who pays such visits here, but for who is suspended; visits of 三访 that they are to pay are work too."""
    bench = helping.bench_of(session, community_id, today=clock.today(now), codes=frozenset({KIND}))
    bench.helpers = {
        one.id: one for one in bench.helpers.values() if one.suspended_until is None or one.suspended_until <= now
    }
    placed = (
        select(Condolence.performer_id, func.count())
        .where(Condolence.community_id == community_id, Condolence.state == "placed")
        .group_by(Condolence.performer_id)
    )
    for performer_id, number in session.execute(placed):
        if performer_id is not None:
            bench.load[performer_id] += number
    return bench


def known_at(session: Session, visit: Condolence, household_id: int) -> set[int]:
    """Who paid a visit for this event before; else who is paired with the home."""
    before = select(Condolence.performer_id).where(Condolence.event_id == visit.event_id, Condolence.state == "done")
    known = {one for one in session.scalars(before) if one is not None}
    found = () if known else cases.load(session, cases.enrolments_at(session, household_id))
    return known | {performer_id for case in found for performer_id in case.known}


def window_of(session: Session, bench: Bench, visit: Condolence, performer_id: int, *, now: datetime) -> Window | None:
    """When somebody can come before the visit is due, with time left to answer if that can be; late, as soon as may be.

    None for who has no hours until then, or does not pay such visits.
    """
    if performer_id not in bench.helpers:
        return None
    values = policies.policies(session, visit.community_id, (AHEAD, MINUTES))
    until = visit.due_at if visit.due_at > now else now + timedelta(days=int(values[AHEAD]))
    service = catalogue.find_service(session, desk_of(session, visit.community_id), code=KIND)
    today = clock.today(now)
    days = days_by_preference(today, today, clock.today(until))
    for not_before in (now + timedelta(minutes=service.hold_minutes), now):
        window = bench.free(performer_id, days, int(values[MINUTES]), not_before=not_before, until=until)
        if window is not None:
            return window
    return None


def visitors_of(session: Session, community_id: int) -> Sequence[tuple[int, str]]:
    """Who may be named for a visit of 三访, by name."""
    query = (
        select(Performer.id, Performer.name)
        .join(PerformerService, PerformerService.performer_id == Performer.id)
        .join(Service, Service.id == PerformerService.service_id)
        .where(Performer.community_id == community_id, Performer.is_active, Service.code == KIND)
        .order_by(Performer.name, Performer.id)
    )
    return [(row.id, row.name) for row in session.execute(query)]
