"""What the journal is kept in: funds, the givers' wishes, and where money and goods lie."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.funds import Earmark, Fund, Holding
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.claims import EarmarkKind
from dispatch.rules.funds.terms import HoldingKind, Owner, Purpose
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit

LONGEST_NAME = 60
LONGEST_CODE = 20
Made = TypeVar("Made", Fund, Earmark, Holding)


class CodeTaken(Conflict):
    """这个编号已经用过了，请换一个"""


def open_fund(
    session: Session,
    community_id: int,
    *,
    code: str,
    name: str,
    owner: Owner,
    purposes: Iterable[Purpose],
    actor: Actor,
    now: datetime,
) -> Fund:
    """Open a fund for purposes that are never changed; raises Invalid naming the field, CodeTaken."""
    check_reach(community_id, actor)
    made = Fund(
        community_id=community_id,
        code=named("code", code, LONGEST_CODE),
        name=named("name", name, LONGEST_NAME),
        owner=str(owner),
        purposes=checked_purposes(purposes),
        created_by=actor.user_id,
        created_at=now,
    )
    if session.execute(select(Fund.id).where(Fund.community_id == community_id, Fund.code == made.code)).first():
        raise CodeTaken
    return kept(session, made, "funds.open_fund", actor)


def add_earmark(
    session: Session,
    fund: Fund,
    *,
    name: str,
    purposes: Iterable[Purpose],
    kind: EarmarkKind = EarmarkKind.WISH,
    actor: Actor,
    now: datetime,
) -> Earmark:
    """Add a giver's wish (or a named account) to a fund, with purposes that are never changed; raises Invalid."""
    check_reach(fund.community_id, actor)
    made = Earmark(
        community_id=fund.community_id,
        fund_id=fund.id,
        kind=str(kind),
        name=named("name", name, LONGEST_NAME),
        purposes=checked_purposes(purposes),
        created_by=actor.user_id,
        created_at=now,
    )
    return kept(session, made, "funds.add_earmark", actor)


def add_holding(
    session: Session,
    community_id: int,
    *,
    kind: HoldingKind,
    code: str,
    name: str,
    actor: Actor,
    now: datetime,
) -> Holding:
    """Add a bank account, a till, a stock or what is on its way; raises Invalid naming the field, CodeTaken."""
    check_reach(community_id, actor)
    made = Holding(
        community_id=community_id,
        kind=str(kind),
        code=named("code", code, LONGEST_CODE),
        name=named("name", name, LONGEST_NAME),
        created_by=actor.user_id,
        created_at=now,
    )
    taken = select(Holding.id).where(Holding.community_id == community_id, Holding.code == made.code)
    if session.execute(taken).first():
        raise CodeTaken
    return kept(session, made, "funds.add_holding", actor)


def kept(session: Session, made: Made, action: str, actor: Actor) -> Made:
    """Write the row and its audit entry."""
    session.add(made)
    session.flush()
    audit.record(session, action, made.__tablename__, made.id, actor=actor, community_id=made.community_id)
    return made


def check_reach(community_id: int, actor: Actor) -> None:
    """Refuse a community out of reach; raises NotFound."""
    if not actor.scope.everything and community_id not in actor.scope.communities:
        raise NotFound


def named(field: str, words: str, longest: int) -> str:
    """A name or code that is there and not too long; raises Invalid naming the field."""
    checked = check_text(field, words, longest)
    if not checked:
        raise Invalid(field, "请填写这一项")
    return checked


def checked_purposes(purposes: Iterable[Purpose]) -> list[str]:
    """At least one purpose, each once; raises Invalid."""
    chosen = sorted({str(purpose) for purpose in purposes})
    if not chosen:
        raise Invalid("purposes", "请至少选择一个用途")
    return chosen
