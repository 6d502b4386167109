"""Relief shipments: where to, for whom, when used up; per line sent, received, returned, with the lots' own steps."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class Shipment(Base):
    """赈灾物资: to a town (碧湖 is a town of 莲都), signed for there, reconciled by line; alone or with a partner."""

    __tablename__ = "shipments"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    facility_id: Mapped[Reference]
    partner_id: Mapped[Reference | None]
    city: Mapped[str]
    county: Mapped[str]
    town: Mapped[str]
    receiver: Mapped[str]
    persons: Mapped[int]
    sends_on: Mapped[date]
    consumed_by: Mapped[date]
    state: Mapped[str] = mapped_column(server_default=sql("'planned'"))
    move_id: Mapped[Reference | None]
    sent_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    sent_at: Mapped[datetime | None]
    signer: Mapped[str | None]
    received_on: Mapped[date | None]
    closed_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    closed_at: Mapped[datetime | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        within("facilities", "facility_id"),
        within("partners", "partner_id"),
        within("stock_moves", "move_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("move_id"),
        CheckConstraint("state IN ('planned', 'sent', 'received', 'reconciled', 'cancelled')", name="state"),
        CheckConstraint("btrim(city) <> '' AND btrim(county) <> '' AND btrim(town) <> ''", name="place"),
        CheckConstraint("btrim(receiver) <> '' AND persons BETWEEN 1 AND 1000000", name="receiver"),
        CheckConstraint("consumed_by >= sends_on", name="days"),
        CheckConstraint("(state IN ('planned', 'cancelled')) = (move_id IS NULL)", name="sent"),
        CheckConstraint("num_nulls(move_id, sent_at) IN (0, 2)", name="sent_at"),
        CheckConstraint(
            "num_nonnulls(signer, received_on) = CASE WHEN state IN ('received', 'reconciled') THEN 2 ELSE 0 END",
            name="signed",
        ),
        CheckConstraint("(state = 'reconciled') = (closed_at IS NOT NULL)", name="closed"),
        Index("ix_shipments_community_id", "community_id", "id"),
    )


class ShipmentLine(Base):
    """A line of a shipment: what was sent, what the receiver signed for, what came back, why some is missing."""

    __tablename__ = "shipment_lines"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    shipment_id: Mapped[Reference]
    position: Mapped[int] = mapped_column(SmallInteger)
    goods_id: Mapped[Reference]
    sent: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int | None] = mapped_column(BigInteger)
    returned: Mapped[int] = mapped_column(BigInteger, server_default=sql("0"))
    reason: Mapped[str] = mapped_column(server_default=sql("''"))

    __table_args__ = (
        within("shipments", "shipment_id"),
        within("goods", "goods_id"),
        UniqueConstraint("shipment_id", "position"),
        UniqueConstraint("shipment_id", "goods_id"),
        CheckConstraint(
            "sent > 0 AND received >= 0 AND returned >= 0 AND coalesce(received, 0) + returned <= sent", name="adds_up"
        ),
    )
