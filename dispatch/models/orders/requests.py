"""What is asked about an order beside its state, and supervision with its own due date and closing check."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import within


class OrderRequest(Base):
    """退单, 延期, 挂起, 协办, 转派 or 最终答复: grounds, basis, decider and limit; counted per order and kind.

    One of a kind waits at a time; whoever asked does not decide.
    """

    __tablename__ = "order_requests"

    id: Mapped[Id]
    community_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference]
    cycle: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    number: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    asked_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    asked_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    asked_at: Mapped[Moment]
    grounds: Mapped[str]
    basis: Mapped[str] = mapped_column(server_default=text("''"))
    wish: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    decide_due_at: Mapped[datetime]
    decided_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    decided_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]

    __table_args__ = (
        within("orders", "order_id"),
        UniqueConstraint("order_id", "kind", "number"),
        CheckConstraint(
            "kind IN ('return', 'extension', 'hold', 'help', 'reroute', 'final_answer')",
            name="kind",
        ),
        CheckConstraint("state IN ('pending', 'granted', 'refused', 'withdrawn')", name="state"),
        CheckConstraint("(state = 'pending') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("num_nonnulls(asked_by, asked_by_key) = 1", name="asker"),
        CheckConstraint(
            "state NOT IN ('granted', 'refused') OR (num_nonnulls(decided_by, decided_by_key) = 1 "
            "AND decided_by IS DISTINCT FROM asked_by OR decided_by IS NULL AND decided_by_key <> asked_by_key)",
            name="second_person",
        ),
        Index("ix_order_requests_pending", "order_id", "kind", unique=True, postgresql_where=text("state = 'pending'")),
        Index(
            "ix_order_requests_to_decide",
            "community_id",
            "decide_due_at",
            "id",
            postgresql_where=text("state = 'pending'"),
        ),
    )


class Supervision(Base):
    """督办: the centre (or the clock, for what is far overdue) watches an order until its own closing check."""

    __tablename__ = "supervisions"

    id: Mapped[Id]
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference] = mapped_column(ForeignKey("orders.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    asked_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[Moment]
    reason: Mapped[str]
    due_at: Mapped[datetime]
    ended_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]
    finding: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("order_id", "number"),
        CheckConstraint("num_nulls(ended_at, finding) IN (0, 2)", name="ended"),
        Index("ix_supervisions_open", "order_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_supervisions_due", "due_at", postgresql_where=text("ended_at IS NULL")),
    )
