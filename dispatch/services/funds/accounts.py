"""Accounts of the journal: found by what they hold, opened when they are first posted to."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from dispatch.db import insert_rows
from dispatch.errors import Invalid
from dispatch.models.funds import Account, Balance, Earmark, Fund, Holding
from dispatch.rules.funds.draft import AccountKey, Dimension, Draft
from dispatch.rules.funds.terms import Commodity

Found = Mapping[AccountKey, Row[*tuple[Any, ...]]]
"""The row of an account (see read_accounts) by its key."""


def accounts_of(session: Session, draft: Draft) -> Found:
    """Account, balance, fund, earmark and holding of every line; accounts that are not there yet are opened."""
    wanted = {line.account for line in draft.lines}
    found = read_accounts(session, draft.community_id, wanted)
    missing = wanted - found.keys()
    if missing:
        open_accounts(session, draft.community_id, missing)
        found |= read_accounts(session, draft.community_id, missing)
    return found


def read_accounts(
    session: Session, community_id: int, keys: Iterable[AccountKey]
) -> dict[AccountKey, Row[*tuple[Any, ...]]]:
    """The accounts with these keys, each with its balance and what it is called. One query."""
    query = (
        select(
            Account.id,
            Account.fund_id,
            Account.earmark_id,
            Account.commodity,
            Account.holding_id,
            Account.owner,
            Balance.amount,
            Fund.name.label("fund"),
            Fund.purposes,
            Earmark.name.label("earmark"),
            Earmark.purposes.label("earmark_purposes"),
            Earmark.kind.label("earmark_kind"),
            Holding.name.label("holding"),
        )
        .join(Balance, Balance.account_id == Account.id)
        .join(Fund, Fund.id == Account.fund_id)
        .outerjoin(Earmark, Earmark.id == Account.earmark_id)
        .outerjoin(Holding, Holding.id == Account.holding_id)
        .where(Account.community_id == community_id, or_(*(is_key(key) for key in keys)))
    )
    return {
        AccountKey(Dimension(row.fund_id, Commodity(row.commodity), row.earmark_id), row.holding_id): row
        for row in session.execute(query)
    }


def is_key(key: AccountKey) -> ColumnElement[bool]:
    """The condition that an account has this key."""
    dimension = key.dimension
    return and_(
        Account.fund_id == dimension.fund_id,
        Account.commodity == str(dimension.commodity),
        is_value(Account.earmark_id, dimension.earmark_id),
        is_value(Account.holding_id, key.holding_id),
    )


def is_value(column: InstrumentedAttribute[int | None], value: int | None) -> ColumnElement[bool]:
    """The condition that a column has a value or is empty, so that an index serves it."""
    return column.is_(None) if value is None else column == value


def open_accounts(session: Session, community_id: int, keys: set[AccountKey]) -> None:
    """Open accounts; raises Invalid naming what is not there or does not go together."""
    owners = owners_of(session, community_id, {key.dimension.fund_id for key in keys})
    places = kinds_of(session, community_id, {key.holding_id for key in keys if key.holding_id is not None})
    wishes = {(key.dimension.fund_id, key.dimension.earmark_id) for key in keys if key.dimension.earmark_id is not None}
    known = session.execute(
        select(Earmark.fund_id, Earmark.id).where(
            Earmark.community_id == community_id, tuple_(Earmark.fund_id, Earmark.id).in_(wishes)
        )
    )
    if wishes - {(row.fund_id, row.id) for row in known}:
        raise Invalid("earmark_id", "这个捐赠意向不属于所选的基金，请重新选择")
    insert_rows(session, Account, [row_of(key, community_id, owners, places) for key in sorted(keys, key=repr)])


def owners_of(session: Session, community_id: int, ids: set[int]) -> dict[int, str]:
    """The owners of some funds of the community."""
    query = select(Fund.id, Fund.owner).where(Fund.community_id == community_id, Fund.id.in_(ids))
    return {row.id: row.owner for row in session.execute(query)}


def kinds_of(session: Session, community_id: int, ids: set[int]) -> dict[int, str]:
    """The kinds of some holdings of the community."""
    query = select(Holding.id, Holding.kind).where(Holding.community_id == community_id, Holding.id.in_(ids))
    return {row.id: row.kind for row in session.execute(query)}


def row_of(
    key: AccountKey, community_id: int, owners: Mapping[int, str], places: Mapping[int, str]
) -> dict[str, object]:
    """The row of an account that is opened."""
    if key.dimension.fund_id not in owners:
        raise Invalid("fund_id", "没有这个基金，请重新选择")
    kind = None
    if key.holding_id is not None:
        kind = places.get(key.holding_id)
        if kind is None:
            raise Invalid("holding_id", "没有这个存放处，请重新选择")
        if kind != "transit" and (kind == "stock") == (key.dimension.commodity is Commodity.FEN):
            raise Invalid("holding_id", "钱放在银行或钱箱，物资放在仓库，请重新选择")
    return {
        "community_id": community_id,
        "fund_id": key.dimension.fund_id,
        "owner": owners[key.dimension.fund_id],
        "earmark_id": key.dimension.earmark_id,
        "commodity": str(key.dimension.commodity),
        "holding_id": key.holding_id,
        "holding_kind": kind,
    }
