"""What a household was given by whom (领取记录): each programme writes it, the counter is warned by it."""

from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from dispatch.models.market.people import Benefit
from dispatch.rules.market.double_dip import Given, Programme, warnings
from dispatch.services.access import policies

KEYS = {one: f"market.double_dip_days.{one}" for one in Programme}


def record(
    session: Session,
    *,
    community_id: int,
    household_id: int,
    programme: Programme,
    given_on: date,
    origin: str,
    origin_id: int,
) -> None:
    """Note that a household was given something; told twice for one origin (`market.hand_out`, its id) is told once."""
    session.execute(
        upsert(Benefit)
        .values(
            community_id=community_id,
            household_id=household_id,
            programme=str(programme),
            given_on=given_on,
            origin=origin,
            origin_id=origin_id,
        )
        .on_conflict_do_nothing(index_elements=["origin", "origin_id", "household_id"])
    )


def withdraw(session: Session, origin: str, origin_id: int, *, now: datetime) -> None:
    """What was reversed was not given."""
    session.execute(
        update(Benefit)
        .where(Benefit.origin == origin, Benefit.origin_id == origin_id, Benefit.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )


def warnings_of(session: Session, community_id: int, household_id: int, day: date) -> list[Given]:
    """What a household was given lately, by the community's days of each programme, the newest first; one query."""
    known = policies.policies(session, community_id, KEYS.values())
    days = {programme: int(known[key]) for programme, key in KEYS.items()}
    since = day - timedelta(days=max(days.values()))
    rows = session.execute(
        select(Benefit.id, Benefit.programme, Benefit.given_on).where(
            Benefit.household_id == household_id, Benefit.given_on >= since, Benefit.withdrawn_at.is_(None)
        )
    )
    return warnings([Given(row.id, Programme(row.programme), row.given_on) for row in rows], day, days)
