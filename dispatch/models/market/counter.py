"""Hand-outs at the counter: what goods cost, what a household's month allows, what was reserved, signed and by whom."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class GoodsPoints(Base):
    """What goods cost of a month: so many points for each `step` (grams or pieces); others go by the policies."""

    __tablename__ = "goods_points"

    goods_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    points: Mapped[int]
    step: Mapped[int]

    __table_args__ = (
        within("goods", "goods_id"),
        CheckConstraint("points BETWEEN 0 AND 100000", name="points"),
        CheckConstraint("step > 0", name="step"),
    )


class HouseholdMonth(Base):
    """What a household may take in a month and what it has taken or reserved; `used` is kept by trigger."""

    __tablename__ = "household_months"

    household_id: Mapped[Reference] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    allowed: Mapped[int]
    used: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (
        within("households", "household_id"),
        CheckConstraint("used >= 0 AND allowed >= 0", name="used"),
        CheckConstraint("extract(day FROM month) = 1", name="month"),
    )


class HandOut(Base):
    """领取: complete only with items, time, handler and signature, bound to the hash of the list.

    `warned` are the ids of the benefits that the keeper was warned of and went on. `signature` binds the picture, the
    list and the time of signing together.
    """

    __tablename__ = "hand_outs"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    facility_id: Mapped[Reference]
    card_id: Mapped[Reference]
    household_id: Mapped[Reference]
    month: Mapped[date]
    points: Mapped[int]
    list_hash: Mapped[bytes] = mapped_column(LargeBinary)
    warned: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    state: Mapped[str] = mapped_column(server_default=text("'reserved'"))
    reserved_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    reserved_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    reserved_at: Mapped[Moment]
    reserved_until: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    way: Mapped[str | None]
    proxy_name: Mapped[bytes | None] = mapped_column(LargeBinary)
    proxy_relation: Mapped[str | None]
    signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    recorded_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    recorded_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    recorded_at: Mapped[datetime | None]

    __table_args__ = (
        within("facilities", "facility_id"),
        within("cards", "card_id"),
        within("households", "household_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("points >= 0", name="points"),
        CheckConstraint("octet_length(list_hash) = 32", name="list_hash"),
        CheckConstraint("state IN ('reserved', 'done', 'lapsed', 'cancelled')", name="state"),
        CheckConstraint("reserved_until > reserved_at", name="reserved"),
        CheckConstraint("way IN ('stroke', 'scan', 'thumb')", name="way"),
        CheckConstraint(
            "num_nulls(signed_at, way, signature, recorded_at) IN (0, 4) "
            "AND (state = 'done') = (signed_at IS NOT NULL)",
            name="complete",
        ),
        CheckConstraint("signed_at BETWEEN reserved_at AND reserved_until", name="in_time"),
        CheckConstraint("num_nulls(proxy_name, proxy_relation) IN (0, 2)", name="proxy"),
        Index("ix_hand_outs_facility_id", "facility_id", "id"),
        Index("ix_hand_outs_card_id", "card_id", "id"),
    )


class HandOutLine(Base):
    """So much of a lot at a spot that a hand-out takes; what is reserved counts against the lot. Never changed."""

    __tablename__ = "hand_out_lines"

    hand_out_id: Mapped[Reference] = mapped_column(primary_key=True)
    lot_id: Mapped[Reference] = mapped_column(primary_key=True)
    spot: Mapped[str] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    facility_id: Mapped[Reference]
    goods_id: Mapped[Reference]
    amount: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int]

    __table_args__ = (
        within("hand_outs", "hand_out_id"),
        within("goods", "goods_id"),
        ForeignKeyConstraint(
            ["lot_id", "facility_id", "spot"],
            ["lot_balances.lot_id", "lot_balances.facility_id", "lot_balances.spot"],
        ),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("points >= 0", name="points"),
        CheckConstraint("spot IN ('store', 'shelf')", name="spot"),
        Index("ix_hand_out_lines_lot_id", "lot_id"),
    )
