"""侨爱年度摘录: what came from overseas Chinese in a year, in which currency at which rate, and where it went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.funds import Fund
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.terms import Owner
from dispatch.services.grid.build import demand_community
from dispatch.services.reports.disclosing.body import rows_of

FIRST_YEAR, LAST_YEAR = 2003, 2199
FOREIGN = text(
    "SELECT entry.happened_on, entry.currency, entry.foreign_minor, entry.foreign_places, entry.rate, entry.rate_on, "
    "sum(line.amount)::bigint AS fen FROM entries AS entry JOIN entry_lines AS line ON line.entry_id = entry.id "
    "JOIN accounts AS account ON account.id = line.account_id AND account.holding_id IS NULL "
    "JOIN funds AS fund ON fund.id = account.fund_id AND fund.owner = 'overseas' "
    "WHERE entry.community_id = :community AND entry.posted_on BETWEEN :first AND :last "
    "AND entry.currency IS NOT NULL AND NOT EXISTS (SELECT FROM entries AS undoing "
    "WHERE undoing.reverses_id = entry.id AND undoing.posted_on <= :last) "
    "GROUP BY entry.id ORDER BY entry.seq LIMIT 1000"
)


@dataclass(frozen=True, slots=True)
class ForeignGift:
    """A gift in foreign money: its day, amount, rate and what it was worth; never from whom."""

    happened_on: date
    currency: str
    amount: Decimal
    rate: Decimal
    rate_on: date
    fen: int


@dataclass(frozen=True, slots=True)
class Extract:
    """The year of the overseas funds: the sheet by fund and commodity, and the foreign gifts one by one."""

    year: int
    names: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]
    foreign: Sequence[ForeignGift]


def extract_abroad(session: Session, community_id: int, year: int, *, actor: Actor) -> Extract:
    """The extract of a calendar year, replayed from the journal; raises NotFound, Invalid("year", …)."""
    demand_community(actor, community_id)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Invalid("year", "请填写年份")
    asked = {"community": community_id, "first": date(year, 1, 1), "last": date(year, 12, 31)}
    query = select(Fund.code, Fund.name).where(Fund.community_id == community_id, Fund.owner == Owner.OVERSEAS)
    names = {row.code: row.name for row in session.execute(query)}
    rows = [row for row in rows_of(session, asked)[0] if row["fund"] in names]
    foreign = [
        ForeignGift(
            happened_on=row.happened_on,
            currency=row.currency,
            amount=Decimal(row.foreign_minor).scaleb(-row.foreign_places),
            rate=row.rate,
            rate_on=row.rate_on,
            fen=row.fen,
        )
        for row in session.execute(FOREIGN, asked)
    ]
    return Extract(year, names, rows, foreign)
