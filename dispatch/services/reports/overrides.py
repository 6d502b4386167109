"""The rules most overridden: what was dispatched by hand otherwise than the router had ranked, by rule and kind."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Select, cast, func, select, true
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.selectable import LateralFromClause

from dispatch.models.access import ApiKey, User
from dispatch.models.catalogue import Performer, Service
from dispatch.models.orders import DecisionRecord, Order, OrderEvent
from dispatch.models.reports import OrderCount
from dispatch.rules.access.roles import Actor
from dispatch.rules.orders.overriding import Overridden, overridden
from dispatch.rules.orders.record import decode
from dispatch.rules.orders.states import Action
from dispatch.services.access import reach
from dispatch.services.reports.asking import ReportQuery, check_days, in_reach, narrowed_to

MOST_LOOKED_AT: Final = 2_000
MOST_LISTED: Final = 100
MOST_NAMED: Final = 5
FIRST: Final = "first_"
HAND = aliased(OrderEvent, name="hand")


@dataclass(frozen=True, slots=True)
class Override:
    """One choice by hand: of which order, when, by whom (person or key), whom, whom the router had first, rules, why.

    Of a confidential order neither kind, nor whom the router had first, nor the reason, whoever reads.
    """

    number: str
    at: datetime
    service: str | None
    person: str | None
    chosen: str
    first: str | None
    rules: Sequence[Overridden]
    reason: str | None


@dataclass(frozen=True, slots=True)
class OverriddenRule:
    """A rule set aside for a kind (None: confidential orders): how often, by whom and for what, the most first."""

    rule: Overridden
    service: str | None
    times: int
    people: Sequence[tuple[str, int]]
    reasons: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Overrides:
    """The rules most overridden, and the newest choices by hand; `is_cut` when there are more than were looked at."""

    rules: Sequence[OverriddenRule]
    newest: Sequence[Override]
    times: int
    is_cut: bool


def overrides(session: Session, query: ReportQuery, *, actor: Actor) -> Overrides:
    """Whom people chose by hand although the router had decided, of the orders that 人工改派率 counts in these days.

    Read from the newest 2,000 such choices with the record that was the router's last before each, in two queries.
    Raises Invalid for wrong days.
    """
    check_days(query)
    rows = session.execute(chosen_by_hand(query, actor).limit(MOST_LOOKED_AT + 1)).all()
    decisions = [decode(row.record) for row in rows[:MOST_LOOKED_AT]]
    names = names_of(session, {one for decision in decisions if (one := decision.winner) is not None})
    found = [
        override_of(row, overridden(decision, row.chosen_id), names.get(decision.winner or 0))
        for row, decision in zip(rows, decisions, strict=False)
    ]
    return Overrides(by_rule(found), found[:MOST_LISTED], len(found), is_cut=len(rows) > MOST_LOOKED_AT)


def chosen_by_hand(query: ReportQuery, actor: Actor) -> Select[Any]:
    """The choices by hand of the orders that the figure counts, newest first, each with what the router had decided."""
    chosen_id = cast(HAND.facts["to"][0].astext, BigInteger)
    why, record = reason_before(), record_before()
    return (
        select(
            Order.number,
            Order.confidential,
            HAND.at,
            Service.name.label("service"),
            func.coalesce(User.name, ApiKey.name).label("person"),
            Performer.id.label("chosen_id"),
            Performer.name.label("chosen"),
            why.c.reason,
            record.c.record,
        )
        .select_from(OrderCount)
        .join(Order, Order.id == OrderCount.order_id)
        .join(Service, Service.id == Order.service_id)
        .join(HAND, HAND.order_id == Order.id)
        .join(record, true())
        .outerjoin(why, true())
        .join(Performer, Performer.id == chosen_id)
        .outerjoin(User, User.id == HAND.user_id)
        .outerjoin(ApiKey, ApiKey.id == HAND.api_key_id)
        .where(
            OrderCount.dispatched_on.between(query.begin, query.end),
            OrderCount.is_overridden,
            in_reach(OrderCount, actor, FIRST),
            narrowed_to(query, OrderCount, FIRST),
            reach.visible_orders(actor),
            HAND.action == str(Action.OPEN_ROUND),
            HAND.facts.has_key("by_hand"),
        )
        .order_by(HAND.at.desc(), HAND.order_id)
    )


def reason_before() -> LateralFromClause:
    """What the person wrote who dispatched by hand: it stands at the step before the round."""
    return (
        select(OrderEvent.reason)
        .where(
            OrderEvent.order_id == HAND.order_id,
            OrderEvent.version < HAND.version,
            OrderEvent.action.in_([str(Action.DISPATCH), str(Action.REASSIGN)]),
        )
        .order_by(OrderEvent.version.desc())
        .limit(1)
        .lateral("why")
    )


def record_before() -> LateralFromClause:
    """The router's last decision about the order before it was dispatched by hand."""
    return (
        select(DecisionRecord.record)
        .where(DecisionRecord.order_id == HAND.order_id, DecisionRecord.made_at <= HAND.at)
        .order_by(DecisionRecord.cycle.desc(), DecisionRecord.round.desc())
        .limit(1)
        .lateral("decided")
    )


def names_of(session: Session, performer_ids: set[int]) -> dict[int, str]:
    """The names of performers."""
    asked = select(Performer.id, Performer.name).where(Performer.id.in_(performer_ids))
    return {identity: name for identity, name in session.execute(asked)}  # noqa: C416 - the types of a row


def override_of(row: Any, rules: Sequence[Overridden], first: str | None) -> Override:
    """A choice as it may be shown."""
    is_open = not row.confidential
    return Override(
        number=row.number,
        at=row.at,
        service=row.service if is_open else None,
        person=row.person,
        chosen=row.chosen,
        first=first if is_open else None,
        rules=rules,
        reason=row.reason if is_open else None,
    )


def by_rule(found: Iterable[Override]) -> list[OverriddenRule]:
    """Each rule with each kind, the most overridden first."""
    groups: dict[tuple[Overridden, str | None], list[Override]] = {}
    for one in found:
        for rule in one.rules:
            groups.setdefault((rule, one.service), []).append(one)
    rows = [
        OverriddenRule(rule, service, len(group), most(one.person for one in group), most(one.reason for one in group))
        for (rule, service), group in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row.times, row.rule, row.service or ""))


def most(words: Iterable[str | None]) -> list[tuple[str, int]]:
    """What stands there most often, with how often."""
    counted = Counter(word for word in words if word)
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_NAMED]
