"""Exemptions: asked for by one person with a reason, approved or declined by another."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import DutyPeriod
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import excuses
from dispatch.rules.care.terms import PeriodState
from dispatch.services import notify
from dispatch.services.access import audit, vault
from dispatch.services.care import cases, helping, misses, part, periods
from dispatch.services.care.ordering import withdraw

WITHDRAWN = "这次上门免做"
WAITS = "excuse_waits"


def find_period(session: Session, period_id: int, *, actor: Actor) -> DutyPeriod:
    """A period in reach, locked and read fresh; raises NotFound."""
    found = session.scalars(
        select(DutyPeriod)
        .where(DutyPeriod.id == period_id, part.visible(DutyPeriod, actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def ask_excuse(session: Session, period_id: int, *, code: str, words: str, actor: Actor, now: datetime) -> DutyPeriod:
    """Ask that a period be excused; another person decides. Raises NotFound, Invalid, PeriodSettled."""
    period = find_period(session, period_id, actor=actor)
    excuse = excuses.check_ask(PeriodState(period.state), code, words)
    if actor.user_id is None:
        raise Invalid("code", "免做要由本人登录后申请")
    period.excuse_code = str(excuse)
    period.excuse_words = vault.seal(f"duty_periods.excuse_words.{period.uid}", words.strip())
    period.asked_by, period.asked_at = actor.user_id, now
    session.flush()
    record(session, "care.ask_excuse", period, actor=actor)
    facts = {"enrolment": periods.owners_of(session, [period.id])[0]}
    notify.raise_alarm(
        session,
        kind=WAITS,
        subject=periods.subject_of(period),
        level="notice",
        community_id=period.community_id,
        facts=facts,
    )
    return period


def approve_excuse(session: Session, period_id: int, *, actor: Actor, now: datetime) -> DutyPeriod:
    """A second person excuses a period; its orders are withdrawn. Raises NotFound, PeriodSettled, OwnExcuse."""
    period = find_period(session, period_id, actor=actor)
    excuses.check_approve(PeriodState(period.state), period.asked_by, actor.user_id)
    today = clock.today(now)
    period.approved_by, period.approved_at = actor.user_id, now
    periods.change(period, PeriodState.EXCUSED, min(max(today, period.starts_on), period.until), now=now)
    session.flush()
    record(session, "care.approve_excuse", period, actor=actor)
    misses.hush(session, [period], now=now)
    withdraw(session, [period], reason=WITHDRAWN, now=now)
    found = cases.load(session, periods.owners_of(session, [period.id]), locked=True)
    periods.renew(session, found, helping.bench_of(session, period.community_id, today=today), now=now)
    return period


def decline_excuse(session: Session, period_id: int, *, actor: Actor, now: datetime) -> DutyPeriod:
    """A second person says no: the period stays as it is. Raises NotFound, PeriodSettled, NothingAsked, OwnExcuse."""
    period = find_period(session, period_id, actor=actor)
    excuses.check_approve(PeriodState(period.state), period.asked_by, actor.user_id)
    period.excuse_code = period.excuse_words = period.asked_by = period.asked_at = None
    session.flush()
    record(session, "care.decline_excuse", period, actor=actor)
    notify.clear_alarms(session, subject=periods.subject_of(period), kinds=(WAITS,), now=now)
    return period


def record(session: Session, action: str, period: DutyPeriod, *, actor: Actor) -> None:
    """The audit entry of what was done with an exemption."""
    fields = {"code": period.excuse_code} if period.excuse_code else {}
    audit.record(
        session, action, "duty_periods", period.id, actor=actor, community_id=period.community_id, fields=fields
    )
