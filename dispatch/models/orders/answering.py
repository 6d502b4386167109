"""What a call was answered with when nobody had to go: the version of the knowledge that was cited."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Moment, Reference


class KnowledgeUse(Base):
    """The version of an item that closed an order in the call, and whether the caller found it useful.

    By its keys it belongs to the very step of the history that led to 直接答复; a deferred trigger refuses
    an order in that state without one.
    """

    __tablename__ = "knowledge_uses"

    order_id: Mapped[Reference] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    order_version: Mapped[int]
    order_state: Mapped[str] = mapped_column(Computed("'answered'::text", persisted=True))
    knowledge_version_id: Mapped[Reference] = mapped_column(ForeignKey("knowledge_versions.id"))
    cited_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    cited_at: Mapped[Moment]
    useful: Mapped[str]
    asked_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["order_id", "order_version", "order_state"],
            ["order_events.order_id", "order_events.version", "order_events.to_state"],
            name="fk_knowledge_uses_step",
        ),
        CheckConstraint("useful IN ('yes', 'no', 'not_asked')", name="useful"),
        CheckConstraint("(useful = 'not_asked') = (asked_at IS NULL)", name="asked"),
        Index("ix_knowledge_uses_knowledge_version_id", "knowledge_version_id", "cited_at"),
    )
