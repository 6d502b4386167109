"""Everybody besides an order's own caller who waits for its end."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, LargeBinary, SmallInteger, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import within


class OrderCaller(Base):
    """Somebody who called about an order that somebody else had reported, or whose own order was merged into it.

    `order_id` is where they wait, and moves with merges; `from_order_id` is the order on which they called, when
    that is another one by now: the chain of its merges ends at `order_id` (deferred trigger). `is_own` is the
    caller of the order they come from, whose row exists from the first merge or repeated call on. `left_at` is
    set while nobody has to be called for this row: the same number waits here already, or an own caller is at home.
    """

    __tablename__ = "order_callers"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference] = mapped_column(ForeignKey("orders.id"))
    from_order_id: Mapped[Reference | None] = mapped_column(ForeignKey("orders.id"))
    home_id: Mapped[Reference] = mapped_column(Computed("coalesce(from_order_id, order_id)", persisted=True))
    is_own: Mapped[bool] = mapped_column(server_default=text("false"))
    name: Mapped[str | None]
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    resident_id: Mapped[Reference | None]
    words: Mapped[str] = mapped_column(server_default=text("''"))
    calls: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    first_at: Mapped[Moment]
    last_at: Mapped[Moment]
    left_at: Mapped[datetime | None]
    last_key: Mapped[str | None]

    __table_args__ = (
        within("orders", "order_id"),
        within("orders", "from_order_id"),
        within("residents", "resident_id"),
        CheckConstraint("calls >= 1 AND last_at >= first_at", name="calls"),
        CheckConstraint("from_order_id <> order_id", name="from_another"),
        CheckConstraint("NOT is_own OR from_order_id IS NOT NULL OR left_at IS NOT NULL", name="own_at_home"),
        CheckConstraint("(phone IS NULL) = (phone_index IS NULL)", name="phone"),
        CheckConstraint("length(words) <= 4000 AND length(name) <= 60", name="lengths"),
        Index(
            "ix_order_callers_waiting",
            "order_id",
            "phone_index",
            unique=True,
            postgresql_where=text("left_at IS NULL"),
        ),
        Index("ix_order_callers_own", "home_id", unique=True, postgresql_where=text("is_own")),
        Index("ix_order_callers_home_id", "home_id"),
        Index("ix_order_callers_order_id", "order_id", "id"),
        Index("ix_order_callers_phone_index", "phone_index"),
    )
