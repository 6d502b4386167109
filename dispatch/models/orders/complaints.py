"""Complaints about a firm's work on an order: raised, answered by the firm, decided by somebody else."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import within

WAITING = text("state IN ('open', 'answered')")


class Complaint(Base):
    """投诉: numbered per order, one of a kind waits at a time; whoever raised it does not decide.

    `disputed_fen` is what of the cost the resident does not call right; the refund is never more.
    """

    __tablename__ = "complaints"

    id: Mapped[Id]
    community_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    order_id: Mapped[Reference]
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    words: Mapped[str]
    disputed_fen: Mapped[int | None]
    raised_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    raised_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    raised_at: Mapped[Moment]
    answer_due_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]
    decided_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    decided_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    consequence: Mapped[str] = mapped_column(server_default=text("'none'"))
    refund_fen: Mapped[int | None]

    __table_args__ = (
        within("orders", "order_id"),
        UniqueConstraint("order_id", "number"),
        CheckConstraint("kind IN ('price', 'quality', 'attitude', 'no_show', 'damage', 'other')", name="kind"),
        CheckConstraint("state IN ('open', 'answered', 'upheld', 'rejected', 'withdrawn')", name="state"),
        CheckConstraint("(state IN ('open', 'answered')) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("num_nulls(answer, answered_at) IN (0, 2)", name="answered"),
        CheckConstraint("num_nonnulls(raised_by, raised_by_key) = 1", name="raiser"),
        CheckConstraint(
            "state NOT IN ('upheld', 'rejected') OR (num_nonnulls(decided_by, decided_by_key) = 1 "
            "AND decided_by IS DISTINCT FROM raised_by OR decided_by IS NULL AND decided_by_key <> raised_by_key)",
            name="second_person",
        ),
        CheckConstraint("consequence IN ('none', 'warning', 'suspension')", name="consequence"),
        CheckConstraint("consequence = 'none' OR state = 'upheld'", name="fault"),
        CheckConstraint("(kind = 'price') = (disputed_fen IS NOT NULL)", name="disputed"),
        CheckConstraint(
            "(kind = 'price' AND state = 'upheld') = (refund_fen IS NOT NULL)",
            name="refunded",
        ),
        CheckConstraint(
            "disputed_fen > 0 AND (refund_fen IS NULL OR refund_fen BETWEEN 1 AND disputed_fen)", name="fen"
        ),
        Index("ix_complaints_waiting", "order_id", "kind", unique=True, postgresql_where=WAITING),
        Index("ix_complaints_to_decide", "community_id", "answer_due_at", "id", postgresql_where=WAITING),
        Index("ix_complaints_performer_id", "performer_id", "raised_at"),
    )
