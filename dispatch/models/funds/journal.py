"""The journal: funds, earmarks, holdings, accounts with their balances, entries in a chain and their lines."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

PURPOSES = (
    "purposes <@ ARRAY['serious_illness', 'severe_disability', 'lone_elder', 'sudden_hardship', 'yearly_round', "
    "'relief', 'voucher', 'party_care', 'running', 'any']::text[] AND cardinality(purposes) >= 1"
)
OWNERS = "owner IN ('own', 'partner', 'overseas')"
COMMODITIES = "commodity IN ('fen', 'gram', 'piece')"


def author() -> Mapped[int | None]:
    """A user who did something, where it was no machine."""
    return mapped_column(ForeignKey("users.id"))


def wish_of(fund: str = "fund_id", earmark: str = "earmark_id") -> ForeignKeyConstraint:
    """A giver's wish that lies within the row's own fund and community."""
    return ForeignKeyConstraint(
        ["community_id", fund, earmark], ["earmarks.community_id", "earmarks.fund_id", "earmarks.id"]
    )


class Fund(Base):
    """基金: what is held together for purposes that are never changed; what it holds belongs to one owner."""

    __tablename__ = "funds"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    code: Mapped[str]
    name: Mapped[str]
    owner: Mapped[str]
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_by: Mapped[Reference | None] = author()
    created_at: Mapped[Moment]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("community_id", "code"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "id", "owner"),
        CheckConstraint(OWNERS, name="owner"),
        CheckConstraint(PURPOSES, name="purposes"),
    )


class Earmark(Base):
    """捐赠意向: the giver's wish within a fund, with purposes of its own that are never changed.

    Or a named account: what is kept for a person by a voucher, or owed to a firm that took some (rules/funds/claims).
    """

    __tablename__ = "earmarks"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    fund_id: Mapped[Reference]
    kind: Mapped[str] = mapped_column(server_default=text("'wish'"))
    name: Mapped[str]
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_by: Mapped[Reference | None] = author()
    created_at: Mapped[Moment]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        within("funds", "fund_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "fund_id", "id"),
        CheckConstraint(PURPOSES, name="purposes"),
        CheckConstraint(
            "kind IN ('wish', 'voucher', 'payee') AND (kind = 'wish' OR purposes = ARRAY['voucher']::text[])",
            name="kind",
        ),
    )


class Holding(Base):
    """存放处: a bank account, a till, a shelf or what is on its way; the market's facilities have theirs here."""

    __tablename__ = "holdings"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    created_by: Mapped[Reference | None] = author()
    created_at: Mapped[Moment]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("community_id", "code"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "id", "kind"),
        CheckConstraint("kind IN ('bank', 'till', 'stock', 'transit')", name="kind"),
    )


class Account(Base):
    """科目: one dimension at one holding, or (custody) what is owed to it; money lies in no stock, goods in no till."""

    __tablename__ = "accounts"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    side: Mapped[str] = mapped_column(
        Computed("CASE WHEN holding_id IS NULL THEN 'custody'::text ELSE 'holding'::text END", persisted=True)
    )
    fund_id: Mapped[Reference]
    owner: Mapped[str]
    earmark_id: Mapped[Reference | None]
    commodity: Mapped[str]
    holding_id: Mapped[Reference | None]
    holding_kind: Mapped[str | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(["community_id", "fund_id", "owner"], ["funds.community_id", "funds.id", "funds.owner"]),
        wish_of(),
        ForeignKeyConstraint(
            ["community_id", "holding_id", "holding_kind"], ["holdings.community_id", "holdings.id", "holdings.kind"]
        ),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint(
            "community_id",
            "fund_id",
            "earmark_id",
            "commodity",
            "holding_id",
            name="uq_accounts_key",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint(COMMODITIES, name="commodity"),
        CheckConstraint("num_nulls(holding_id, holding_kind) IN (0, 2)", name="holding"),
        CheckConstraint(
            "holding_kind IS NULL OR holding_kind = 'transit' OR (holding_kind = 'stock') = (commodity <> 'fen')",
            name="place",
        ),
    )


class Balance(Base):
    """余额: kept by the lines' trigger alone, never below zero."""

    __tablename__ = "balances"

    account_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    amount: Mapped[Reference] = mapped_column(server_default=text("0"))

    __table_args__ = (within("accounts", "account_id"), CheckConstraint("amount >= 0", name="not_negative"))


class Consent(Base):
    """同意书: a donor agrees to another wish for an amount: who (sealed), when, and where the evidence is."""

    __tablename__ = "consents"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    from_fund_id: Mapped[Reference]
    from_earmark_id: Mapped[Reference | None]
    to_fund_id: Mapped[Reference]
    to_earmark_id: Mapped[Reference | None]
    commodity: Mapped[str]
    amount: Mapped[Reference]
    given_by: Mapped[bytes] = mapped_column(LargeBinary)
    given_on: Mapped[date]
    evidence: Mapped[str]
    recorded_by: Mapped[Reference | None] = author()
    recorded_at: Mapped[Moment]

    __table_args__ = (
        within("funds", "from_fund_id"),
        within("funds", "to_fund_id"),
        wish_of("from_fund_id", "from_earmark_id"),
        wish_of("to_fund_id", "to_earmark_id"),
        UniqueConstraint("community_id", "id"),
        CheckConstraint(COMMODITIES, name="commodity"),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("evidence <> ''", name="evidence"),
        CheckConstraint("given_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date", name="given_on"),
        CheckConstraint(
            "(from_fund_id, coalesce(from_earmark_id, 0)) <> (to_fund_id, coalesce(to_earmark_id, 0))", name="another"
        ),
    )


class EntryKindRow(Base):
    """The kinds of entries with their shapes, as rules/funds/terms.py knows them; the triggers judge by these."""

    __tablename__ = "entry_kinds"

    kind: Mapped[str] = mapped_column(primary_key=True)
    shape: Mapped[str]
    for_a_purpose: Mapped[bool]


class Entry(Base):
    """一笔账: a link of its community's chain, posted on the day on which it is written; never changed."""

    __tablename__ = "entries"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    seq: Mapped[Reference]
    previous_seq: Mapped[Reference | None] = mapped_column(Computed("nullif(seq - 1, 0)", persisted=True))
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str] = mapped_column(ForeignKey("entry_kinds.kind"))
    posted_on: Mapped[date]
    posted_at: Mapped[Moment]
    happened_on: Mapped[date]
    line_count: Mapped[int] = mapped_column(SmallInteger)
    purpose: Mapped[str | None]
    origin: Mapped[str | None]
    origin_id: Mapped[Reference | None]
    occasion: Mapped[int] = mapped_column(server_default=text("1"))
    reverses_id: Mapped[Reference | None]
    consent_id: Mapped[Reference | None]
    made_by: Mapped[Reference | None] = author()
    made_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    approved_by: Mapped[Reference | None] = author()
    currency: Mapped[str | None]
    foreign_minor: Mapped[Reference | None]
    foreign_places: Mapped[int | None] = mapped_column(SmallInteger)
    rate: Mapped[Decimal | None] = mapped_column(Numeric)
    rate_on: Mapped[date | None]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "seq"),
        UniqueConstraint("community_id", "seq", "digest"),
        ForeignKeyConstraint(
            ["community_id", "previous_seq", "previous"], ["entries.community_id", "entries.seq", "entries.digest"]
        ),
        within("entries", "reverses_id"),
        within("consents", "consent_id"),
        UniqueConstraint("reverses_id"),
        UniqueConstraint("consent_id"),
        CheckConstraint("seq >= 1 AND (seq > 1 OR previous = decode(repeat('00', 32), 'hex'))", name="genesis"),
        CheckConstraint("octet_length(digest) = 32", name="digest"),
        CheckConstraint("happened_on <= posted_on", name="happened_on"),
        CheckConstraint("(posted_at AT TIME ZONE 'Asia/Shanghai')::date = posted_on", name="posted_on"),
        CheckConstraint("line_count BETWEEN 2 AND 400", name="line_count"),
        CheckConstraint("purpose <> 'any'", name="purpose"),
        CheckConstraint("num_nulls(origin, origin_id) IN (0, 2)", name="origin"),
        CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="reverses"),
        CheckConstraint("(kind = 'earmark_change') = (consent_id IS NOT NULL)", name="consent"),
        CheckConstraint("num_nonnulls(made_by, made_by_key) <= 1", name="maker"),
        CheckConstraint("approved_by <> made_by", name="second_person"),
        CheckConstraint(
            "num_nulls(currency, foreign_minor, foreign_places, rate, rate_on) IN (0, 5)", name="foreign_whole"
        ),
        CheckConstraint("foreign_minor > 0 AND rate > 0 AND scale(rate) <= 10", name="foreign_amount"),
        CheckConstraint("rate_on <= posted_on", name="rate_on"),
        Index("ix_entries_origin", "community_id", "origin", "origin_id", "occasion", unique=True),
        Index("ix_entries_posted_on", "community_id", "posted_on", "seq"),
        Index(
            "ix_entries_alone",
            "community_id",
            "kind",
            "purpose",
            "posted_on",
            postgresql_where=text("kind IN ('spend', 'given_back', 'opening') AND approved_by IS NULL"),
        ),
        Index("ix_entries_opening", "community_id", "id", postgresql_where=text("kind = 'opening'")),
    )


class EntryLine(Base):
    """A signed amount of an entry on an account; never changed."""

    __tablename__ = "entry_lines"

    entry_id: Mapped[Reference] = mapped_column(primary_key=True)
    account_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    amount: Mapped[Reference]

    __table_args__ = (
        within("entries", "entry_id"),
        within("accounts", "account_id"),
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_entry_lines_account_id", "account_id", "entry_id"),
    )


class EntryNote(Base):
    """What was written beside an entry; outside the chain, because people write names."""

    __tablename__ = "entry_notes"

    entry_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()
    words: Mapped[str]

    __table_args__ = (within("entries", "entry_id"), CheckConstraint("length(words) <= 500", name="words"))


class JournalHead(Base):
    """The newest link of a community's chain; kept by trigger, locked by every posting."""

    __tablename__ = "journal_heads"

    community_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    seq: Mapped[Reference]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    posted_on: Mapped[date | None]
