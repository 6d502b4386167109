"""What people look at: funds with what may be spent, where money lies, a fund's lines, an entry with all about it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, asc, desc, func, lateral, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.access import User
from dispatch.models.funds import (
    Account,
    Balance,
    Consent,
    Earmark,
    Entry,
    EntryLine,
    EntryNote,
    Fund,
    Holding,
    JournalHead,
    Receipt,
)
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.booking import FORM
from dispatch.rules.funds.claims import EarmarkKind
from dispatch.services.access.reach import visible
from dispatch.services.funds.reverse import entry_in_reach

MOST_LISTED = 200
Amounts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FundRow:
    """A fund with what may be spent of it, by commodity."""

    fund: Fund
    left: Amounts


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """A holding with what lies there, by commodity."""

    holding: Holding
    held: Amounts


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry with what it changed, by commodity: of what is owed, or what changed its place."""

    entry: Entry
    amounts: Amounts
    words: str


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Which entries are asked for: of a fund, posted between two days, of one document."""

    fund_id: int | None = None
    first: date | None = None
    last: date | None = None
    origin: str | None = None
    origin_id: int | None = None


ALL = JournalPage()


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry with its lines, words, who made and who approved it, what takes it back, and its receipts."""

    entry: Entry
    lines: Sequence[Row[*tuple[Any, ...]]]
    words: str
    maker: str | None
    approver: str | None
    reversed_by: int | None
    receipts: Sequence[Receipt] = field(default_factory=list)

    def as_row(self) -> EntryRow:
        """The same as it stands in a list."""
        return EntryRow(self.entry, changed(self.lines), self.words)


def list_funds(session: Session, *, actor: Actor) -> list[FundRow]:
    """The funds in reach by community and code. Two queries."""
    query = select(Fund).where(visible(Fund, actor)).order_by(Fund.community_id, Fund.code)
    found = session.scalars(query.limit(MOST_LISTED)).all()
    sums = sums_by(session, Account.fund_id, (one.id for one in found), "custody")
    return [FundRow(one, sums[one.id]) for one in found]


def list_holdings(session: Session, *, actor: Actor) -> list[HoldingRow]:
    """The holdings in reach by community and code. Two queries."""
    query = select(Holding).where(visible(Holding, actor)).order_by(Holding.community_id, Holding.code)
    found = session.scalars(query.limit(MOST_LISTED)).all()
    sums = sums_by(session, Account.holding_id, (one.id for one in found), "holding")
    return [HoldingRow(one, sums[one.id]) for one in found]


def list_earmarks(session: Session, *, fund_id: int | None = None, actor: Actor) -> Sequence[Earmark]:
    """The wishes in reach (of one fund) that may still be chosen, by fund; named accounts are nobody's to choose."""
    query = select(Earmark).where(
        visible(Earmark, actor), Earmark.closed_at.is_(None), Earmark.kind == str(EarmarkKind.WISH)
    )
    if fund_id is not None:
        query = query.where(Earmark.fund_id == fund_id)
    return session.scalars(query.order_by(Earmark.fund_id, Earmark.id.desc()).limit(MOST_LISTED)).all()


def wish_names(session: Session, *, actor: Actor) -> dict[tuple[int, int | None], str]:
    """What the funds and wishes in reach are called, each fund before its wishes; also those that are closed."""
    rows = session.execute(
        select(Fund.id, Fund.name, Earmark.id, Earmark.name)
        .outerjoin(Earmark, and_(Earmark.fund_id == Fund.id, Earmark.kind == str(EarmarkKind.WISH)))
        .where(visible(Fund, actor))
        .order_by(Fund.community_id, Fund.code, Earmark.id)
        .limit(MOST_LISTED)
    )
    names: dict[tuple[int, int | None], str] = {}
    for fund_id, fund, earmark_id, earmark in rows:
        names[fund_id, None] = fund
        if earmark_id is not None:
            names[fund_id, earmark_id] = f"{fund} · {earmark}"
    return names


def sums_by(session: Session, by: Any, ids: Iterable[int], side: str) -> Mapping[int, dict[str, int]]:
    """The sums of balances of a side by commodity, for each of some funds or holdings."""
    rows = session.execute(
        select(by.label("owner"), Account.commodity, func.sum(Balance.amount).label("amount"))
        .join(Balance, Balance.account_id == Account.id)
        .where(by.in_(list(ids)), Account.side == side)
        .group_by(by, Account.commodity)
    )
    sums: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in rows:
        sums[row.owner][row.commodity] = int(row.amount)
    return sums


def find_fund(session: Session, fund_id: int, *, actor: Actor) -> Fund:
    """A fund in reach; raises NotFound."""
    found = session.scalars(select(Fund).where(Fund.id == fund_id, visible(Fund, actor))).one_or_none()
    if found is None:
        raise NotFound
    return found


def find_open_fund(session: Session, fund_id: int, *, actor: Actor) -> Fund:
    """A fund in reach that somebody has chosen; raises Invalid("fund_id") where it is not there or closed."""
    try:
        fund = find_fund(session, fund_id, actor=actor)
    except NotFound as error:
        raise Invalid("fund_id", "没有这个基金，请重新选择") from error
    if fund.closed_at is not None:
        raise Invalid("fund_id", "这个基金已经关闭，请改选别的基金")
    return fund


def accounts_in(session: Session, fund_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """The accounts of a fund with wish, place and balance: what is owed first. Empty named accounts are left out."""
    return session.execute(
        select(
            Account.id, Account.side, Account.commodity, Balance.amount, Earmark.name.label("earmark"),
            Holding.name.label("holding"),
        )
        .join(Balance, Balance.account_id == Account.id)
        .outerjoin(Earmark, Earmark.id == Account.earmark_id)
        .outerjoin(Holding, Holding.id == Account.holding_id)
        .where(
            Account.fund_id == fund_id,
            or_(Earmark.id.is_(None), Earmark.kind == str(EarmarkKind.WISH), Balance.amount > 0),
        )
        .order_by(Account.side, Account.commodity, Earmark.id.nulls_first(), Account.id)
        .limit(MOST_LISTED)
    ).all()  # fmt: skip


def lines_of_accounts(
    session: Session, account_ids: Sequence[int], *, before: int | None, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The newest lines of some accounts before an entry: each account gives at most a page, however long it is."""
    chosen = func.unnest(literal(list(account_ids), ARRAY(BIGINT)))
    accounts = select(chosen.label("account_id")).subquery("chosen")
    newest = (
        select(EntryLine.entry_id, EntryLine.account_id, EntryLine.amount)
        .where(EntryLine.account_id == accounts.c.account_id, *([EntryLine.entry_id < before] if before else []))
        .order_by(EntryLine.entry_id.desc())
        .limit(limit)
    )
    page = lateral(newest, "page")
    return session.execute(
        select(Entry, page.c.account_id, page.c.amount, EntryNote.words)
        .select_from(accounts)
        .join(page, true())
        .join(Entry, Entry.id == page.c.entry_id)
        .outerjoin(EntryNote, EntryNote.entry_id == Entry.id)
        .order_by(page.c.entry_id.desc(), page.c.account_id)
        .limit(limit)
    ).all()


def list_entries(
    session: Session, which: JournalPage = ALL, *, actor: Actor, before: int | None, limit: int
) -> list[EntryRow]:
    """The newest entries in reach before one; three queries, one or two more for a fund or for days.

    Raises NotFound for a fund out of reach.
    """
    query = select(Entry).where(visible(Entry, actor), *([Entry.id < before] if before else []))
    if which.origin is not None or which.origin_id is not None:
        query = query.where(Entry.origin == which.origin, Entry.origin_id == which.origin_id)
    bounds = days_bounds(session, which)
    if bounds is not None:
        query = query.where(Entry.id.between(*bounds), *on_days(which))
    if which.fund_id is not None:
        ids = ids_of_fund(session, which.fund_id, bounds, before=before, limit=limit, actor=actor)
        query = query.where(Entry.id.in_(ids))
    found = session.scalars(query.order_by(Entry.id.desc()).limit(limit)).all()
    ids = [one.id for one in found]
    notes = {one.entry_id: one.words for one in session.scalars(select(EntryNote).where(EntryNote.entry_id.in_(ids)))}
    rows = session.execute(
        select(EntryLine.entry_id, Account.commodity, Account.side, EntryLine.amount)
        .join(Account, Account.id == EntryLine.account_id)
        .where(EntryLine.entry_id.in_(ids))
    ).all()
    lines = defaultdict(list)
    for row in rows:
        lines[row.entry_id].append(row)
    return [EntryRow(one, changed(lines[one.id]), notes.get(one.id, "")) for one in found]


def on_days(which: JournalPage) -> list[ColumnElement[bool]]:
    """The conditions of the days asked for."""
    first = [] if which.first is None else [Entry.posted_on >= which.first]
    return first + ([] if which.last is None else [Entry.posted_on <= which.last])


def days_bounds(session: Session, which: JournalPage) -> tuple[int, int] | None:
    """Ids between which the entries of the days lie, found at the ends of each community's days; None without days.

    The order of ids is the order of days within a community.
    """
    if which.first is None and which.last is None:
        return None
    ends = []
    for order in (asc, desc):
        at_end = (
            select(Entry.id)
            .where(Entry.community_id == JournalHead.community_id, *on_days(which))
            .order_by(order(Entry.posted_on), order(Entry.seq))
            .limit(1)
        )
        ends.append(lateral(at_end, order.__name__))
    first, last = ends
    row = session.execute(
        select(func.min(first.c.id), func.max(last.c.id))
        .select_from(JournalHead)
        .join(first, true())
        .join(last, true())
    ).one()
    return (row[0] or 0, row[1] or 0)


def ids_of_fund(
    session: Session, fund_id: int, bounds: tuple[int, int] | None, *, before: int | None, limit: int, actor: Actor
) -> list[int]:
    """The ids of the newest entries that touch a fund: each of its accounts gives at most a page."""
    fund = find_fund(session, fund_id, actor=actor)
    accounts = select(Account.id).where(Account.fund_id == fund.id).subquery("chosen")
    newest = select(EntryLine.entry_id).where(EntryLine.account_id == accounts.c.id)
    if before is not None:
        newest = newest.where(EntryLine.entry_id < before)
    if bounds is not None:
        newest = newest.where(EntryLine.entry_id.between(*bounds))
    page = lateral(newest.order_by(EntryLine.entry_id.desc()).limit(limit), "page")
    ids = select(page.c.entry_id).select_from(accounts).join(page, true()).distinct()
    return list(session.scalars(ids.order_by(page.c.entry_id.desc()).limit(limit)))


def changed(rows: Sequence[Any]) -> Amounts:
    """What an entry changed: of what is owed, or, where nothing is, what came to another place."""
    sums: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        if row.side == "custody":
            sums[row.commodity] += row.amount
    if not any(sums.values()):
        for row in rows:
            if row.amount > 0 and row.side == "holding":
                sums[row.commodity] += row.amount
    return {commodity: amount for commodity, amount in sums.items() if amount}


def view_entry(session: Session, entry_id: int, *, actor: Actor) -> EntryView:
    """An entry with all about it; raises NotFound."""
    entry = entry_in_reach(session, entry_id, actor)
    lines = session.execute(
        select(
            EntryLine.amount, Account.id.label("account_id"), Account.side, Account.commodity, Fund.id.label("fund_id"),
            Fund.name.label("fund"), Earmark.name.label("earmark"), Holding.name.label("holding"),
        )
        .join(Account, Account.id == EntryLine.account_id)
        .join(Fund, Fund.id == Account.fund_id)
        .outerjoin(Earmark, Earmark.id == Account.earmark_id)
        .outerjoin(Holding, Holding.id == Account.holding_id)
        .where(EntryLine.entry_id == entry_id)
        .order_by(Account.side, Account.id)
    ).all()  # fmt: skip
    words = session.scalars(select(EntryNote.words).where(EntryNote.entry_id == entry_id)).one_or_none()
    people = [one for one in (entry.made_by, entry.approved_by) if one is not None]
    names = {row.id: row.name for row in session.execute(select(User.id, User.name).where(User.id.in_(people)))}
    return EntryView(
        entry,
        lines,
        words or "",
        names.get(entry.made_by or 0),
        names.get(entry.approved_by or 0),
        session.scalars(select(Entry.id).where(Entry.reverses_id == entry_id)).one_or_none(),
        session.scalars(select(Receipt).where(Receipt.entry_id == entry_id).order_by(Receipt.id)).all(),
    )


def entry_of_form(session: Session, form_key: int, *, actor: Actor) -> int | None:
    """The entry that a form has made already."""
    query = select(Entry.id).where(visible(Entry, actor), Entry.origin == FORM, Entry.origin_id == form_key)
    return session.scalars(query).one_or_none()


def open_consents(session: Session, *, actor: Actor) -> Sequence[Consent]:
    """The consents in reach on which nobody has acted yet, the newest first."""
    used = select(Entry.id).where(Entry.consent_id == Consent.id).exists()
    return session.scalars(
        select(Consent).where(visible(Consent, actor), ~used).order_by(Consent.id.desc()).limit(MOST_LISTED)
    ).all()
