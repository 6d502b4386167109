"""Who lives here no more, and who turned out to live here still: the register follows, the history stays."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.grid import Residence, Resident
from dispatch.rules.access.roles import Actor
from dispatch.services.access import audit


def leave(session: Session, resident: Resident, day: date, *, actor: Actor, now: datetime) -> Residence | None:
    """A locked resident lives here no more from a day on; the residence that ended with it, None without one."""
    residence = session.scalars(
        select(Residence).where(Residence.resident_id == resident.id, Residence.valid_until.is_(None)).with_for_update()
    ).one_or_none()
    if residence is not None:
        residence.valid_until = max(day, residence.valid_from)
    resident.household_id, resident.left_at = None, now
    resident.version += 1
    session.flush()
    note(session, "leave", resident, actor=actor)
    return residence


def come_back(session: Session, resident: Resident, household_id: int | None, *, actor: Actor) -> None:
    """A locked resident never left: home is where it was."""
    resident.household_id, resident.left_at = household_id, None
    resident.version += 1
    session.flush()
    note(session, "come_back", resident, actor=actor)


def note(session: Session, deed: str, resident: Resident, *, actor: Actor) -> None:
    """The audit entry."""
    audit.record(session, f"grid.{deed}", "residents", resident.id, actor=actor, community_id=resident.community_id)
