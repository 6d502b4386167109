"""Re-checks (复核): who must be looked at again because what was approved ends soon or has ended, told once each."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.market.people import AidApplication
from dispatch.rules.market.eligibility import Standing, recheck_day
from dispatch.services import notify
from dispatch.services.access import policies
from dispatch.services.market.beneficiaries import WARNING_DAYS

DUE, OVER = "aid_recheck_due", "aid_over"


def recheck(session: Session, *, now: datetime) -> int:
    """Alarm each approval that ends within its community's days, and each that has ended; returns how many were told.

    What was renewed or ended since is cleared. Some queries for all, and two for each that is told.
    """
    today = clock.today(now)
    settle(session, now=now)
    days = {one: int(policies.policy(session, one, WARNING_DAYS)) for one in communities(session)}
    return sum(tell(session, one, today, now=now) for one in ending(session, days, today))


def communities(session: Session) -> list[int]:
    """The communities with approvals."""
    query = select(AidApplication.community_id).where(AidApplication.standing == str(Standing.APPROVED)).distinct()
    return list(session.scalars(query))


def ending(session: Session, days: dict[int, int], today: date) -> list[AidApplication]:
    """The approvals whose re-check is due and was not told yet; one that has ended is told once more."""
    horizon = today + timedelta(days=max(days.values(), default=0))
    found = session.scalars(
        select(AidApplication)
        .where(
            AidApplication.standing == str(Standing.APPROVED),
            AidApplication.valid_until <= horizon,
            AidApplication.reminded_for.is_(None) | (AidApplication.reminded_for <= AidApplication.valid_until),
        )
        .order_by(AidApplication.id)
        .with_for_update()
    )
    return [one for one in found if is_due(one, days[one.community_id], today)]


def is_due(one: AidApplication, days: int, today: date) -> bool:
    """Whether there is something to tell: its coming end once, its end once."""
    if one.valid_until is None or today < recheck_day(one.valid_until, days):
        return False
    return one.reminded_for is None or (today > one.valid_until and one.reminded_for <= one.valid_until)


def tell(session: Session, one: AidApplication, today: date, *, now: datetime) -> int:
    """Raise the alarm of one approval and remember it; ids and days only."""
    assert one.valid_until is not None  # noqa: S101 - narrowed by the query
    is_over = today > one.valid_until
    if is_over:
        notify.clear_alarms(session, subject=subject_of(one), kinds=(DUE,), now=now)
    notify.raise_alarm(
        session,
        kind=OVER if is_over else DUE,
        subject=subject_of(one),
        level="warning" if is_over else "notice",
        community_id=one.community_id,
        facts={"beneficiary_id": one.beneficiary_id, "until": one.valid_until.isoformat()},
    )
    one.reminded_for = one.valid_until + timedelta(days=1) if is_over else one.valid_until
    session.flush()
    return 1


def settle(session: Session, *, now: datetime) -> None:
    """Clear the alarms of approvals that were renewed or ended."""
    settled = session.scalars(
        select(AidApplication)
        .where(AidApplication.standing != str(Standing.APPROVED), AidApplication.reminded_for.is_not(None))
        .with_for_update()
    )
    for one in settled:
        notify.clear_alarms(session, subject=subject_of(one), kinds=(DUE, OVER), now=now)
        one.reminded_for = None
    session.flush()


def subject_of(one: AidApplication) -> str:
    """What the alarms of an approval are about."""
    return f"aid_application:{one.id}"
