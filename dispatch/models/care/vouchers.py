"""服务券: who was granted how much, the paper card, what firms took, what came back, and what firms were paid."""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.funds.journal import author, wish_of
from dispatch.models.grid import community, within

LIVE = text("state IN ('open', 'frozen')")
UNSETTLED = text("settlement_id IS NULL AND refunded_at IS NULL")


class VoucherGrant(Base):
    """发放: so many fen for each on a list, for a year, from a fund (and wish); asked by one, decided by another."""

    __tablename__ = "voucher_grants"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    year: Mapped[int] = mapped_column(SmallInteger)
    fund_id: Mapped[Reference]
    earmark_id: Mapped[Reference | None]
    holding_id: Mapped[Reference]
    fen: Mapped[Reference]
    expires_on: Mapped[date]
    state: Mapped[str] = mapped_column(server_default=text("'asked'"))
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    asked_by: Mapped[Reference | None] = author()
    asked_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    asked_at: Mapped[Moment]
    decided_by: Mapped[Reference | None] = author()
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        within("funds", "fund_id"),
        wish_of(),
        within("holdings", "holding_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("fen > 0 AND year BETWEEN 2000 AND 2999", name="numbers"),
        CheckConstraint("expires_on > (asked_at AT TIME ZONE 'Asia/Shanghai')::date", name="expires_on"),
        CheckConstraint(
            "state IN ('asked', 'granted', 'refused', 'withdrawn') AND (state = 'asked') = (decided_at IS NULL) "
            "AND (state NOT IN ('granted', 'refused') OR decided_by IS NOT NULL)",
            name="state",
        ),
        CheckConstraint("state = 'withdrawn' OR decided_by <> asked_by", name="second_person"),
        CheckConstraint("num_nonnulls(asked_by, asked_by_key) <= 1", name="asker"),
        CheckConstraint("state <> 'refused' OR reason <> ''", name="reason"),
        Index("ix_voucher_grants_newest", "community_id", "id"),
    )


class Voucher(Base):
    """服务券账户: one person's, of one year; its earmark in the journal is what is left of it. Not transferable."""

    __tablename__ = "vouchers"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    grant_id: Mapped[Reference]
    enrolment_id: Mapped[Reference]
    resident_id: Mapped[Reference]
    year: Mapped[int] = mapped_column(SmallInteger)
    fen: Mapped[Reference]
    expires_on: Mapped[date]
    state: Mapped[str] = mapped_column(server_default=text("'asked'"))
    number: Mapped[int | None]
    earmark_id: Mapped[Reference | None]
    entry_id: Mapped[Reference | None]
    frozen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    lapse_entry_id: Mapped[Reference | None]

    __table_args__ = (
        within("voucher_grants", "grant_id"),
        within("enrolments", "enrolment_id"),
        within("residents", "resident_id"),
        within("earmarks", "earmark_id"),
        within("entries", "entry_id"),
        within("entries", "lapse_entry_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "number"),
        UniqueConstraint("earmark_id"),
        UniqueConstraint("entry_id"),
        UniqueConstraint("lapse_entry_id"),
        CheckConstraint("fen > 0", name="fen"),
        CheckConstraint("state IN ('asked', 'open', 'frozen', 'over', 'void')", name="state"),
        CheckConstraint(
            "num_nulls(number, earmark_id, entry_id) = CASE WHEN state IN ('asked', 'void') THEN 3 ELSE 0 END",
            name="granted",
        ),
        CheckConstraint("(state = 'over') = (ended_at IS NOT NULL)", name="ended"),
        CheckConstraint("state <> 'frozen' OR frozen_at IS NOT NULL", name="frozen"),
        CheckConstraint("state = 'over' OR lapse_entry_id IS NULL", name="lapse"),
        Index("ix_vouchers_once", "resident_id", "year", unique=True, postgresql_where=text("state <> 'void'")),
        Index("ix_vouchers_grant_id", "grant_id"),
        Index("ix_vouchers_live", "expires_on", "id", postgresql_where=LIVE),
        Index("ix_vouchers_newest", "community_id", "id"),
    )


class VoucherCard(Base):
    """The paper card of a voucher: only the hash of its code is kept; a replacement kills the one before."""

    __tablename__ = "voucher_cards"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    voucher_id: Mapped[Reference]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    issued_by: Mapped[Reference | None] = author()
    issued_at: Mapped[Moment]
    replaces_id: Mapped[Reference | None]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
    ended_by: Mapped[Reference | None] = author()

    __table_args__ = (
        within("vouchers", "voucher_id"),
        within("voucher_cards", "replaces_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("replaces_id"),
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
        CheckConstraint("num_nulls(ended_at, ended_as) IN (0, 2)", name="ended"),
        CheckConstraint("ended_as IN ('lost', 'revoked')", name="ended_as"),
        Index("ix_voucher_cards_good", "voucher_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_voucher_cards_voucher_id", "voucher_id", "id"),
    )


class VoucherPayee(Base):
    """The account of a firm in a fund: what it has taken and was not yet paid."""

    __tablename__ = "voucher_payees"

    fund_id: Mapped[Reference] = mapped_column(primary_key=True)
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"), primary_key=True)
    community_id: Mapped[Reference] = community()
    earmark_id: Mapped[Reference] = mapped_column(unique=True)

    __table_args__ = (within("funds", "fund_id"), wish_of())


class VoucherSettlement(Base):
    """结算: what a firm is owed for a month of one fund at one holding, paid by a spending that another approves.

    Where the spending was refused, withdrawn or taken back it ends, and its redemptions may be settled anew.
    """

    __tablename__ = "voucher_settlements"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    month: Mapped[date]
    fund_id: Mapped[Reference]
    holding_id: Mapped[Reference]
    fen: Mapped[Reference]
    redemption_count: Mapped[int]
    spending_id: Mapped[Reference] = mapped_column(unique=True)
    made_by: Mapped[Reference | None] = author()
    made_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    made_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        within("funds", "fund_id"),
        within("holdings", "holding_id"),
        within("spendings", "spending_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("fen > 0 AND redemption_count > 0", name="numbers"),
        CheckConstraint("month = date_trunc('month', month)::date", name="month"),
        CheckConstraint("num_nonnulls(made_by, made_by_key) <= 1", name="maker"),
        Index("ix_voucher_settlements_newest", "community_id", "month", "id"),
    )


class VoucherRedemption(Base):
    """核销: a firm took some of a voucher for something, by the code of its card. Written once."""

    __tablename__ = "voucher_redemptions"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    voucher_id: Mapped[Reference]
    card_id: Mapped[Reference]
    performer_id: Mapped[Reference] = mapped_column(ForeignKey("performers.id"))
    fen: Mapped[Reference]
    what: Mapped[str]
    order_id: Mapped[Reference | None]
    redeemed_on: Mapped[date]
    redeemed_at: Mapped[Moment]
    made_by: Mapped[Reference | None] = author()
    made_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    form_key: Mapped[Reference | None]
    entry_id: Mapped[Reference] = mapped_column(unique=True)
    refunded_at: Mapped[datetime | None]
    settlement_id: Mapped[Reference | None]

    __table_args__ = (
        within("vouchers", "voucher_id"),
        within("voucher_cards", "card_id"),
        within("orders", "order_id"),
        within("entries", "entry_id"),
        within("voucher_settlements", "settlement_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("performer_id", "form_key"),
        CheckConstraint("fen > 0 AND length(what) BETWEEN 1 AND 60", name="what"),
        CheckConstraint("redeemed_on = (redeemed_at AT TIME ZONE 'Asia/Shanghai')::date", name="redeemed_on"),
        CheckConstraint("num_nonnulls(made_by, made_by_key) <= 1", name="maker"),
        CheckConstraint("refunded_at IS NULL OR settlement_id IS NULL", name="refunded"),
        Index("ix_voucher_redemptions_order", "order_id", unique=True, postgresql_where=text("refunded_at IS NULL")),
        Index("ix_voucher_redemptions_voucher_id", "voucher_id", "id"),
        Index("ix_voucher_redemptions_performer_id", "performer_id", "redeemed_on", "id"),
        Index("ix_voucher_redemptions_unsettled", "community_id", "redeemed_on", postgresql_where=UNSETTLED),
        Index("ix_voucher_redemptions_settlement_id", "settlement_id"),
    )


class VoucherRefund(Base):
    """退回: a redemption that is to be taken back, why; asked by one, decided by another."""

    __tablename__ = "voucher_refunds"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    redemption_id: Mapped[Reference]
    words: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'asked'"))
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    asked_by: Mapped[Reference | None] = author()
    asked_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    asked_at: Mapped[Moment]
    decided_by: Mapped[Reference | None] = author()
    decided_at: Mapped[datetime | None]
    entry_id: Mapped[Reference | None] = mapped_column(unique=True)

    __table_args__ = (
        within("voucher_redemptions", "redemption_id"),
        within("entries", "entry_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint("length(words) BETWEEN 1 AND 200", name="words"),
        CheckConstraint(
            "state IN ('asked', 'done', 'refused', 'withdrawn') AND (state = 'asked') = (decided_at IS NULL) "
            "AND (state = 'done') = (entry_id IS NOT NULL) "
            "AND (state NOT IN ('done', 'refused') OR decided_by IS NOT NULL)",
            name="state",
        ),
        CheckConstraint("state = 'withdrawn' OR decided_by <> asked_by", name="second_person"),
        CheckConstraint("num_nonnulls(asked_by, asked_by_key) <= 1", name="asker"),
        CheckConstraint("state <> 'refused' OR reason <> ''", name="reason"),
        Index(
            "ix_voucher_refunds_once", "redemption_id", unique=True, postgresql_where=text("state IN ('asked', 'done')")
        ),
        Index("ix_voucher_refunds_waiting", "community_id", "id", postgresql_where=text("state = 'asked'")),
    )
