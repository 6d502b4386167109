"""What family may see from far away: one secret link for one elder, by the elder's consent, until a day or its end."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.funds.journal import author
from dispatch.models.grid import community, within


class FamilyLink(Base):
    """家属查看: who (only the relation), what, since which day; of the link only the hash of its token is kept."""

    __tablename__ = "family_links"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    resident_id: Mapped[Reference]
    relation: Mapped[str]
    sees_visits: Mapped[bool]
    sees_alarms: Mapped[bool]
    consented_on: Mapped[date]
    expires_on: Mapped[date]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_by: Mapped[Reference | None] = author()
    made_at: Mapped[Moment]
    revoked_by: Mapped[Reference | None] = author()
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        within("residents", "resident_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("relation IN ('child', 'grandchild', 'sibling', 'relative')", name="relation"),
        CheckConstraint("sees_visits OR sees_alarms", name="sees"),
        CheckConstraint(
            "consented_on <= (made_at AT TIME ZONE 'Asia/Shanghai')::date AND consented_on < expires_on", name="days"
        ),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        Index("ix_family_links_newest", "community_id", "id"),
        Index("ix_family_links_resident_id", "resident_id"),
    )
