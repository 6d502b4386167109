"""What people look at: one order with its history, lists by key-set paging, the board, a caller's orders."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.catalogue import Performer, Service, Team
from dispatch.models.orders import Callback, DecisionRecord, Offer, OfferRecipient, Order, OrderCaller, OrderEvent
from dispatch.rules.access.roles import Actor
from dispatch.rules.orders.explain import Sentence, explain
from dispatch.rules.orders.number import check_number
from dispatch.rules.orders.record import decode
from dispatch.rules.orders.states import AFTER_WORK, OPEN, OrderState
from dispatch.services.access import reach

Key = TypeVar("Key")
MOST_PER_PAGE = 100
MOST_ON_BOARD = 50
MOST_ID = 2**63 - 1
DUE_SOON = timedelta(hours=1)
WAITING = (str(OrderState.RECEIVED), str(OrderState.AWAITING_HUMAN))
UNDONE_STATES = tuple(sorted(str(state) for state in OPEN - AFTER_WORK))
OPEN_STATES = tuple(sorted(str(state) for state in OPEN))


@dataclass(frozen=True, slots=True)
class OrderFilters:
    """What a list is narrowed to; empty means all."""

    states: tuple[str, ...] = ()
    service_ids: tuple[int, ...] = ()
    area_id: int | None = None
    performer_id: int | None = None
    team_id: int | None = None
    urgency: str | None = None
    placed_from: datetime | None = None
    placed_until: datetime | None = None
    only_late: bool = False


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of orders, newest first, and the cursor of the next (None: this was the last)."""

    items: Sequence[Order]
    next: str | None


@dataclass(frozen=True, slots=True)
class Board:
    """The dispatcher's board: what waits and why, what lapses next, what is late, callbacks, counts."""

    waiting: Sequence[Order]
    lapsing: Sequence[tuple[Order, Offer]]
    late: Sequence[Order]
    callbacks: Sequence[Order]
    counts_by_state: Mapping[str, int]
    counts_by_area: Mapping[int | None, int]
    counts_by_service: Mapping[int, int] = field(default_factory=dict)


def find(session: Session, number: str, *, actor: Actor, locked: bool = False) -> Order:
    """The order of a number (as somebody writes it), if the actor may see it; others are NotFound like missing."""
    query = select(Order).where(Order.number == check_number(number), reach.visible_orders(actor))
    if locked:
        query = query.with_for_update(of=Order).execution_options(populate_existing=True)
    order = session.scalars(query).one_or_none()
    if order is None:
        raise NotFound
    return order


def time_line(session: Session, order: Order) -> Sequence[OrderEvent]:
    """The order's history, oldest first."""
    query = select(OrderEvent).where(OrderEvent.order_id == order.id).order_by(OrderEvent.version)
    return session.scalars(query).all()


def decisions(session: Session, order: Order) -> list[tuple[DecisionRecord, list[Sentence]]]:
    """Every decision on the order, oldest first, in plain sentences; names are those of today."""
    records = session.scalars(
        select(DecisionRecord)
        .where(DecisionRecord.order_id == order.id)
        .order_by(DecisionRecord.cycle, DecisionRecord.round)
    ).all()
    decoded = [(record, decode(record.record)) for record in records]
    ids = {one.performer_id for _, decision in decoded for one in decision.considered}
    names = performer_names(session, ids)
    teams = team_names(session, order.community_id)
    return [(record, explain(decision, names, teams)) for record, decision in decoded]


def performer_names(session: Session, ids: set[int]) -> dict[int, str]:
    """Names of performers by id, in one query."""
    if not ids:
        return {}
    rows = session.execute(select(Performer.id, Performer.name).where(Performer.id.in_(ids)))
    return dict(rows.all())


def team_names(session: Session, community_id: int | None) -> dict[int, str]:
    """Names of a community's teams by id, in one query."""
    if community_id is None:
        return {}
    rows = session.execute(select(Team.id, Team.name).where(Team.community_id == community_id))
    return dict(rows.all())


def offers_of(session: Session, order: Order) -> Sequence[tuple[Offer, OfferRecipient, str]]:
    """The order's rounds with each recipient and name, in order."""
    rows = session.execute(
        select(Offer, OfferRecipient, Performer.name)
        .join(OfferRecipient, OfferRecipient.offer_id == Offer.id)
        .join(Performer, Performer.id == OfferRecipient.performer_id)
        .where(Offer.order_id == order.id)
        .order_by(Offer.round, OfferRecipient.id)
    )
    return [(offer, recipient, name) for offer, recipient, name in rows]


def callbacks_of(session: Session, order: Order) -> Sequence[Callback]:
    """The tries to call back, oldest first."""
    query = select(Callback).where(Callback.order_id == order.id).order_by(Callback.cycle, Callback.number)
    return session.scalars(query).all()


def list_orders(session: Session, *, actor: Actor, filters: OrderFilters, cursor: str | None, limit: int) -> OrderPage:
    """One page of the orders the actor may see, newest first; `limit` 1..100. Raises Invalid for a bad cursor."""
    if not 1 <= limit <= MOST_PER_PAGE:
        raise Invalid("limit", "每页 1 到 100 条")
    query = narrowed(select(Order).where(reach.visible_orders(actor), ~Order.is_canary), filters, actor)
    if cursor:
        created_at, identity = read_cursor(cursor)
        query = query.where(tuple_(Order.created_at, Order.id) < (created_at, identity))
    rows = session.scalars(query.order_by(Order.created_at.desc(), Order.id.desc()).limit(limit + 1)).all()
    following = write_cursor(rows[limit - 1]) if len(rows) > limit else None
    return OrderPage(rows[:limit], following)


def narrowed(query: Select[Order], filters: OrderFilters, actor: Actor) -> Select[Order]:
    """The query with the filters that are set; the kind of a closed confidential order finds nothing."""
    conditions: list[ColumnElement[bool]] = []
    if filters.states:
        conditions.append(Order.state.in_(filters.states))
    if filters.service_ids:
        conditions += [Order.service_id.in_(filters.service_ids), reach.opened(actor)]
    if filters.team_id is not None:
        conditions.append((Order.lead_team_id == filters.team_id) | (Order.accountable_team_id == filters.team_id))
    if filters.placed_from is not None:
        conditions.append(Order.created_at >= filters.placed_from)
    if filters.placed_until is not None:
        conditions.append(Order.created_at < filters.placed_until)
    if filters.only_late:
        conditions.append(is_late(func.dispatch_now()))
    equal = {"area_id": filters.area_id, "performer_id": filters.performer_id, "urgency": filters.urgency}
    wanted = {name: value for name, value in equal.items() if value is not None}
    return query.where(*conditions).filter_by(**wanted)


def is_late(now: ColumnElement[datetime] | datetime) -> ColumnElement[bool]:
    """Not done yet and past its service limit; while an order is held its clock stands."""
    return Order.state.in_(UNDONE_STATES) & (Order.service_due_at < now) & Order.held_until.is_(None)


def write_cursor(order: Order) -> str:
    """An opaque mark of where the next page begins."""
    plain = json.dumps([order.created_at.isoformat(), order.id])
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, int]:
    """Where a page begins; raises Invalid for what we did not write."""
    try:
        plain = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        created_at, identity = json.loads(plain)
        began, last = datetime.fromisoformat(created_at), int(identity)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise Invalid("cursor", "翻页标记无效,请从第一页开始") from error
    if began.tzinfo is None or not 0 < last <= MOST_ID:
        raise Invalid("cursor", "翻页标记无效,请从第一页开始")
    return began, last


def board(session: Session, *, actor: Actor, now: datetime) -> Board:
    """The dispatcher's board, in seven queries however many orders there are; ≤ 50 rows a list.

    The counts by kind leave out confidential orders: a board hangs where everybody looks.
    """
    seen = reach.visible_orders(actor) & ~Order.is_canary
    is_open = Order.state.in_(OPEN_STATES)
    lapsing = session.execute(
        select(Order, Offer)
        .join(Offer, Offer.order_id == Order.id)
        .where(seen, Offer.closed_at.is_(None), Order.state == str(OrderState.OFFERED))
        .order_by(Offer.hold_until, Offer.id)
        .limit(MOST_ON_BOARD)
    )
    late = select(Order).where(seen, is_late(now))
    return Board(
        waiting=waiting(session, actor=actor),
        lapsing=[(order, offer) for order, offer in lapsing],
        late=session.scalars(late.order_by(Order.service_due_at, Order.id).limit(MOST_ON_BOARD)).all(),
        callbacks=callbacks_to_make(session, actor=actor, now=now),
        counts_by_state=counts(session, Order.state, seen & is_open),
        counts_by_area=counts(session, Order.area_id, seen & is_open),
        counts_by_service=counts(session, Order.service_id, seen & is_open & ~Order.confidential),
    )


def counts(session: Session, column: InstrumentedAttribute[Key], where: ColumnElement[bool]) -> dict[Key, int]:
    """How many orders by one column."""
    return dict(session.execute(select(column, func.count()).where(where).group_by(column)).all())


def waiting(session: Session, *, actor: Actor, limit: int = MOST_ON_BOARD) -> Sequence[Order]:
    """What waits for a human, the most pressing first, then the oldest."""
    query = (
        select(Order)
        .where(reach.visible_orders(actor), ~Order.is_canary, Order.state.in_(WAITING))
        .order_by((Order.urgency != "emergency"), (Order.urgency != "urgent"), Order.created_at, Order.id)
        .limit(limit)
    )
    return session.scalars(query).all()


def callbacks_to_make(session: Session, *, actor: Actor, now: datetime, limit: int = MOST_ON_BOARD) -> Sequence[Order]:
    """The orders whose callback is due, the oldest first."""
    query = (
        select(Order)
        .where(
            reach.visible_orders(actor),
            Order.state.in_([str(OrderState.FED_BACK), str(OrderState.CALLING_BACK)]),
            Order.callback_due_at <= now,
        )
        .order_by(Order.callback_due_at, Order.id)
        .limit(limit)
    )
    return session.scalars(query).all()


def orders_of_caller(session: Session, phone_index: bytes, *, actor: Actor, limit: int = 10) -> Sequence[Order]:
    """The orders that the caller placed or waits for, open ones first; no trace of those whose caller is hidden."""
    waits = select(OrderCaller.order_id).where(OrderCaller.phone_index == phone_index, OrderCaller.left_at.is_(None))
    theirs = select(Order.id).where(Order.phone_index == phone_index).union(waits)
    query = (
        select(Order)
        .where(reach.visible_orders(actor), Order.id.in_(theirs), reach.opened(actor))
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(limit)
    )
    found = session.scalars(query).all()
    return sorted(found, key=lambda order: OrderState(order.state) not in OPEN)


def service_names(session: Session, ids: set[int]) -> dict[int, str]:
    """Names of kinds by id, in one query."""
    rows = session.execute(select(Service.id, Service.name).where(Service.id.in_(ids)))
    return dict(rows.all())
