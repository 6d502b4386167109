"""Who has logged in stays logged in for the whole year: the clock leaps over every session's end several times a day.

Without this everybody would log in anew on each lived day, which is more often in an hour than one name may.
"""

from datetime import timedelta

from sqlalchemy import select

from dispatch import clock
from dispatch.models.access import Organisation
from dispatch.rules.access.roles import EVERYTHING, SYSTEM
from dispatch.services.access import policies
from dispatch.transaction import transaction

LONGER = timedelta(days=400)
VALUES = {
    "access.session_idle_minutes": LONGER // timedelta(minutes=1),
    "access.session_absolute_hours": LONGER // timedelta(hours=1),
}
REASON = "演示：时钟跳过每次登录的期限"


def outlast_the_year() -> None:
    """Give the demo's root organisation sessions that are longer than the year; the doors must be open."""
    with transaction(EVERYTHING) as session:
        root = session.scalars(select(Organisation.id).where(Organisation.parent_id.is_(None))).one()
        for key, value in VALUES.items():
            policies.set_policy(session, root, key, value, reason=REASON, actor=SYSTEM, now=clock.now(session))
