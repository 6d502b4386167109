"""How lots move: a step, its movements (never changed), and what stands where."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

KINDS = "kind IN ('receive', 'shelve', 'transfer', 'quarantine', 'release', 'hand_out', 'parcel', 'kit', 'shipment', \
'sale', 'return', 'adjust', 'dispose', 'reverse')"


class StockMove(Base):
    """One step of stock: of what kind, for what, signed on which day, with the entry of the journal behind it.

    `origin` and `origin_id` name what it was made for (`market.hand_out`), once for each occasion.
    """

    __tablename__ = "stock_moves"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    facility_id: Mapped[Reference]
    entry_id: Mapped[Reference | None]
    signed_on: Mapped[date]
    consumed_on: Mapped[date | None]
    movement_count: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    origin: Mapped[str | None]
    origin_id: Mapped[Reference | None]
    occasion: Mapped[int] = mapped_column(server_default=text("1"))
    reverses_id: Mapped[Reference | None]
    moved_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    approved_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    moved_at: Mapped[Moment]

    __table_args__ = (
        within("facilities", "facility_id"),
        within("entries", "entry_id"),
        within("stock_moves", "reverses_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("entry_id"),
        UniqueConstraint("reverses_id"),
        UniqueConstraint("origin", "origin_id", "occasion"),
        CheckConstraint(KINDS, name="kind"),
        CheckConstraint("movement_count BETWEEN 1 AND 400", name="movement_count"),
        CheckConstraint("kind NOT IN ('shelve', 'quarantine', 'release') OR entry_id IS NULL", name="inside"),
        CheckConstraint(
            "kind NOT IN ('receive', 'hand_out', 'parcel', 'shipment', 'sale', 'dispose') OR entry_id IS NOT NULL",
            name="entry",
        ),
        CheckConstraint("(kind = 'shipment') = (consumed_on IS NOT NULL)", name="consumed"),
        CheckConstraint("(kind = 'reverse') = (reverses_id IS NOT NULL)", name="reverses"),
        CheckConstraint("num_nulls(origin, origin_id) IN (0, 2)", name="origin"),
        CheckConstraint("approved_by <> moved_by", name="second_person"),
        CheckConstraint("kind NOT IN ('adjust', 'dispose') OR approved_by IS NOT NULL", name="approved"),
        Index("ix_stock_moves_facility_id", "facility_id", "id"),
    )


class Movement(Base):
    """A signed amount of a lot at a spot of a facility; `last_good_day` is the lot's as the database knew it then."""

    __tablename__ = "movements"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    move_id: Mapped[Reference]
    lot_id: Mapped[Reference]
    facility_id: Mapped[Reference]
    spot: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    last_good_day: Mapped[date | None]

    __table_args__ = (
        within("stock_moves", "move_id"),
        within("lots", "lot_id"),
        within("facilities", "facility_id"),
        UniqueConstraint("move_id", "lot_id", "facility_id", "spot"),
        CheckConstraint("spot IN ('store', 'shelf', 'quarantine')", name="spot"),
        CheckConstraint("amount <> 0 AND abs(amount) <= 1000000000000", name="amount"),
        Index("ix_movements_lot_id", "lot_id"),
    )


class LotBalance(Base):
    """What of a lot stands at a spot: the sum of its movements, kept by trigger, never below nothing.

    `reserved` of it is promised to hand-outs that nobody has signed yet; kept by trigger too.
    """

    __tablename__ = "lot_balances"

    lot_id: Mapped[Reference] = mapped_column(primary_key=True)
    facility_id: Mapped[Reference] = mapped_column(primary_key=True)
    spot: Mapped[str] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    amount: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))

    __table_args__ = (
        within("lots", "lot_id"),
        within("facilities", "facility_id"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("reserved >= 0", name="reserved"),
        CheckConstraint("spot IN ('store', 'shelf', 'quarantine')", name="spot"),
        Index("ix_lot_balances_facility_id", "facility_id", "lot_id", postgresql_where=text("amount > 0")),
    )
