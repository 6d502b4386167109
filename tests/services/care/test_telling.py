"""Children hear of the month's visit by consent: once a month, and nothing of the elder."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.notify import Notice
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.access import vault
from dispatch.services.care import alarms
from dispatch.services.notify.tell import secret_place
from tests.factories.alarms import device_of
from tests.factories.care import ELDER, WIFE, home, make_calendar, paired, visited, voucher


def at(month: int, day: int, hour: int = 10) -> datetime:
    """An hour of a day of 2026 in Shanghai."""
    return datetime(2026, month, day, hour, tzinfo=SHANGHAI).astimezone(UTC)


def letters(session: Session) -> list[tuple[str, str]]:
    """Which month was told to whom, in the order of writing."""
    query = select(Notice).where(Notice.template == "monthly_visit").order_by(Notice.id)
    return [
        (one.facts["until"], vault.open_sealed(secret_place(one.dedupe), one.secret or b""))
        for one in session.scalars(query)
    ]


def test_children_are_written_to_after_the_month_s_visit_by_consent_and_once_a_month(session: Session) -> None:
    calendar = make_calendar(session)
    elder, wife = home(session, calendar, ELDER, WIFE)
    paired(session, calendar, [elder, wife], now=at(1, 10))
    for person in (elder, wife):
        voucher(session, calendar, person, now=at(1, 10))
    device = device_of(session, calendar.world, elder)
    for name, consents in (("ming", True), ("hong", False)):
        draft = alarms.ContactDraft(
            "child", "陈小明", "13800005678", f"{name}@letters.example", told_visit=consents, has_consented=True
        )
        alarms.add_contact(session, device.id, draft, actor=SYSTEM, now=at(1, 10))
    visited(session, calendar, elder, at(1, 11), kind="call")
    assert letters(session) == []
    for month, day in ((1, 12), (1, 20), (2, 1)):
        visited(session, calendar, elder, at(month, day))
    # 16:00 UTC of 28 February is 1 March here.
    visited(session, calendar, elder, at(3, 1, 0))
    assert letters(session) == [(f"2026年{month}月", "ming@letters.example") for month in (1, 2, 3)]
    facts = session.scalars(select(Notice.facts).where(Notice.template == "monthly_visit")).all()
    assert all(set(one) == {"until", "place"} and elder.name not in str(one) for one in facts)
