"""Empty nests are looked at again a year after they were looked at last; what has changed becomes an alarm."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Enrolment, Programme
from dispatch.rules.care import eligibility
from dispatch.services import notify
from dispatch.services.care import cases

CHANGED = "nest_changed"
AT_ONCE = 500


def check_nests(session: Session, *, now: datetime) -> int:
    """Look at the homes whose year is over: an alarm where it is no empty nest any more; how many were looked at."""
    today = clock.today(now)
    a_year_ago = eligibility.years_after(today, -1)
    rows = session.execute(
        select(Enrolment.id, Programme.least_age)
        .join(Programme, Programme.id == Enrolment.programme_id)
        .where(Programme.empty_nest, Enrolment.ends_on.is_(None), Enrolment.checked_on <= a_year_ago)
        .order_by(Enrolment.id)
        .limit(AT_ONCE)
    ).all()
    least_ages = {row.id: row.least_age for row in rows}
    found = cases.load(session, list(least_ages), locked=True)
    births = cases.births_at_home(session, found)
    for case in found:
        one = case.enrolment
        least_age = least_ages[one.id] or eligibility.LEAST_AGE
        if not eligibility.is_empty_nest(births[one.id], today, least_age, is_couple=one.is_couple):
            notify.raise_alarm(
                session,
                kind=CHANGED,
                subject=f"enrolment:{one.id}",
                level="warning",
                community_id=one.community_id,
                facts={"enrolment": one.id},
            )
        one.checked_on = today
    session.flush()
    return len(found)
