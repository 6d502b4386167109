"""Papers of performers: whether they are valid, and which of them expire."""

from datetime import datetime

from sqlalchemy import and_, false, func, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.catalogue import Paper


def papers_valid(session: Session, performer_id: int, *, now: datetime) -> bool:
    """Whether a performer holds papers and every kind of them is valid today."""
    day = clock.today(now)
    valid = and_(Paper.valid_from <= day, Paper.valid_until >= day)
    kinds = (
        select(Paper.kind, func.bool_or(valid).label("is_valid"))
        .where(Paper.performer_id == performer_id)
        .group_by(Paper.kind)
        .subquery()
    )
    return bool(session.execute(select(func.coalesce(func.bool_and(kinds.c.is_valid), false()))).scalar_one())
