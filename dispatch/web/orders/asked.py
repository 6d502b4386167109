"""What the page of an order shows of requests, helpers and supervision, and what it lets somebody do about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import format_date, gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.catalogue import Team
from dispatch.models.orders import Assignment, Order, OrderRequest, Supervision
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.orders.confidential import may_conceal, may_reveal
from dispatch.rules.orders.requests import REQUEST_LABELS, RULES, RequestKind, may_decide
from dispatch.rules.orders.states import OPEN, OrderState
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import orders


@dataclass(frozen=True, slots=True)
class AskedView:
    """Everything asked about an order, its helpers and supervisions, the teams to choose from, and what may be done."""

    requests: Sequence[OrderRequest]
    helpers: Sequence[Assignment]
    supervisions: Sequence[Supervision]
    teams: Sequence[tuple[int, str]]
    kinds: Sequence[tuple[str, str]]
    decidable: frozenset[int]
    own: frozenset[int]
    can: frozenset[str]

    def words(self, request: OrderRequest, teams: Mapping[int, str], *, hidden: bool) -> str:
        """What a request wishes; of a confidential order without the task."""
        return wish_words({name: value for name, value in request.wish.items() if not hidden or name != "task"}, teams)

    @property
    def open_supervision(self) -> Supervision | None:
        """The supervision that has not ended."""
        return next((one for one in self.supervisions if one.ended_at is None), None)


def wish_words(wish: Mapping[str, Any], teams: Mapping[int, str]) -> str:
    """What a request wishes, in words; empty where its kind says everything."""
    words = []
    if wish.get("days"):
        words.append(gettext("%(days)s 个工作日", days=wish["days"]))
    if wish.get("until"):
        last = datetime.fromisoformat(wish["until"]).astimezone(SHANGHAI) - timedelta(seconds=1)
        words.append(gettext("到 %(date)s", date=format_date(last.date())))
    if wish.get("long_works"):
        words.append(gettext("长期工程"))
    if wish.get("team_id"):
        words.append(teams.get(wish["team_id"], ""))
    if wish.get("task"):
        words.append(wish["task"])
    return " · ".join(words)


def read_asked(session: Session, order: Order, actor: Actor) -> AskedView:
    """Read it in four queries, and one more of a confidential order: who made it so."""
    requests = orders.requests_of(session, order)
    supervisions = orders.supervisions_of(session, order)
    helpers = session.scalars(
        select(Assignment).where(Assignment.order_id == order.id, Assignment.must_finish).order_by(Assignment.id)
    ).all()
    waiting = [one for one in requests if one.state == "pending"]
    own = frozenset(one.id for one in waiting if actor.user_id is not None and one.asked_by == actor.user_id)
    decidable = frozenset(
        one.id
        for one in waiting
        if actor.may(Right.ORDERS_DECIDE) and may_decide(RequestKind(one.kind), actor.kind, is_asker=one.id in own)
    )
    concealer = orders.concealed_by(session, order) if order.confidential else None
    kinds = askable(order, actor, {one.kind for one in waiting})
    return AskedView(
        requests=requests,
        helpers=helpers,
        supervisions=supervisions,
        teams=teams_of(session, order) if kinds or decidable else (),
        kinds=kinds,
        decidable=decidable,
        own=own,
        can=possible(order, actor, helpers, supervisions, concealer),
    )


def askable(order: Order, actor: Actor, waiting: set[str]) -> list[tuple[str, str]]:
    """The kinds of request that may be asked now, with their words."""
    if not actor.may(Right.ORDERS_REQUEST) or order.community_id is None or order.held_until is not None:
        return []
    state = OrderState(order.state)
    return [
        (str(kind), gettext(REQUEST_LABELS[kind]))
        for kind in RequestKind
        if state in RULES[kind].states and str(kind) not in waiting
    ]


def teams_of(session: Session, order: Order) -> list[tuple[int, str]]:
    """The other teams of the order's community."""
    query = select(Team.id, Team.name).where(Team.community_id == order.community_id, Team.id != order.lead_team_id)
    return [(identity, name) for identity, name in session.execute(query.order_by(Team.kind, Team.code))]


def possible(
    order: Order,
    actor: Actor,
    helpers: Sequence[Assignment],
    supervisions: Sequence[Supervision],
    concealer: int | None,
) -> frozenset[str]:
    """What may be done beside asking and deciding."""
    is_open = OrderState(order.state) in OPEN
    supervised = any(one.ended_at is None for one in supervisions)
    working = [one for one in helpers if one.done_at is None]
    mine = any(not actor.narrowed or one.team_id in actor.teams for one in working)
    can_change = order.state != OrderState.ARCHIVED and actor.may(Right.ORDERS_PLACE)
    offered = {
        "conceal": can_change and not order.confidential and may_conceal(order, actor),
        "reveal": can_change and order.confidential and may_reveal(actor, concealer),
        "urge": is_open and actor.may(Right.CALLERS_READ),
        "supervise": is_open and not supervised and actor.may(Right.ORDERS_SUPERVISE),
        "end_supervision": supervised and actor.may(Right.ORDERS_SUPERVISE),
        "resume": order.held_until is not None and actor.may(Right.ORDERS_SUPERVISE),
        "finish_help": mine and actor.may(Right.ORDERS_WORK),
    }
    return frozenset(name for name, is_offered in offered.items() if is_offered)
