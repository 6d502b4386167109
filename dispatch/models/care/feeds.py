"""Calendars that leave the house: one link for a helper, one for an elder's family by consent, each revocable."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class CareFeed(Base):
    """A calendar's secret link: only the hash of its token is kept. A family's stands on the elder's consent."""

    __tablename__ = "care_feeds"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    performer_id: Mapped[Reference | None] = mapped_column(ForeignKey("performers.id"))
    resident_id: Mapped[Reference | None]
    relation: Mapped[str | None]
    consented_on: Mapped[date | None]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[Moment]
    revoked_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        within("residents", "resident_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("num_nonnulls(performer_id, resident_id) = 1", name="whose"),
        CheckConstraint(
            "num_nonnulls(relation, consented_on) = CASE WHEN resident_id IS NULL THEN 0 ELSE 2 END", name="consent"
        ),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        Index("ix_care_feeds_performer_id", "performer_id"),
        Index("ix_care_feeds_resident_id", "resident_id"),
    )
