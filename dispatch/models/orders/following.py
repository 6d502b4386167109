"""What follows an order to its end: callbacks and escalations."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference


class Callback(Base):
    """One try to call the resident back, by somebody who did not handle the order."""

    __tablename__ = "callbacks"

    id: Mapped[Id]
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference] = mapped_column(ForeignKey("orders.id"))
    cycle: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int] = mapped_column(SmallInteger)
    clerk_id: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[Moment]
    half_day: Mapped[str]
    reached: Mapped[bool]
    contacted: Mapped[bool | None]
    solved: Mapped[bool | None]
    satisfaction: Mapped[str | None]
    remark: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("order_id", "cycle", "number"),
        CheckConstraint("number BETWEEN 1 AND 9", name="number"),
        CheckConstraint(
            "satisfaction IN ('very_satisfied', 'satisfied', 'basically_satisfied', 'dissatisfied', "
            "'very_dissatisfied')",
            name="satisfaction",
        ),
        CheckConstraint("NOT reached OR (contacted IS NOT NULL AND solved IS NOT NULL)", name="reached"),
    )


class Escalation(Base):
    """A level of escalation that has been told: once each, per cycle."""

    __tablename__ = "escalations"

    id: Mapped[Id]
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference] = mapped_column(ForeignKey("orders.id"))
    cycle: Mapped[int] = mapped_column(SmallInteger)
    level: Mapped[str]
    audience: Mapped[str]
    due_at: Mapped[datetime]
    told_at: Mapped[Moment]

    __table_args__ = (UniqueConstraint("order_id", "cycle", "level"),)
