"""What would happen to a call if it were saved now: duplicates, teams, performers in order, limits. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from dispatch.models.catalogue import Service
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.papers import days_wanted
from dispatch.rules.catalogue.prices import PriceLine
from dispatch.rules.orders.decision import Decision, Exhausted, Offer, OfferMode, TeamChoice
from dispatch.rules.orders.duplicates import Comparable, Match, likely_duplicates
from dispatch.rules.orders.explain import Sentence, explain
from dispatch.rules.orders.intake import UrgencySuggestion, classify_urgency
from dispatch.rules.orders.routing import decide_among, next_step
from dispatch.rules.orders.urgency import Urgency
from dispatch.services import catalogue
from dispatch.services.access import policies, reach, vault
from dispatch.services.grid import Place
from dispatch.services.orders.draft import OrderDraft
from dispatch.services.orders.later import Shift, first_shift
from dispatch.services.orders.limits import Due
from dispatch.services.orders.picture import picture_of, request_of
from dispatch.services.orders.place import Prepared, prepare
from dispatch.services.orders.queries import OPEN_STATES, performer_names, team_names
from dispatch.services.orders.route import teams_of

MOST_COMPARED = 50


@dataclass(frozen=True, slots=True)
class Preview:
    """What the desk shows before saving."""

    service: Service
    place: Place
    urgency: Urgency
    suggestion: UrgencySuggestion
    due: Due
    duplicates: Sequence[tuple[Match, Order]]
    teams: TeamChoice | None
    decision: Decision | None
    recipients: Sequence[tuple[int, str]]
    sentences: Sequence[Sentence]
    first_shift: Shift | None = None
    prices: Mapping[int, Sequence[PriceLine]] = field(default_factory=dict)


def preview(session: Session, draft: OrderDraft, *, actor: Actor, now: datetime) -> Preview:
    """Look ahead for a draft, with the rules and facts that routing itself uses; raises Invalid like place()."""
    prepared = prepare(session, draft, actor=actor, now=now)
    suggestion = classify_urgency(draft.description, Urgency(prepared.service.urgency), draft.wanted_from, now)
    found = duplicates(session, prepared, actor=actor, now=now)
    where = prepared.place
    if where.area_id is None or where.community_id is None:
        return Preview(prepared.service, where, prepared.urgency, suggestion, prepared.due, found, None, None, (), ())
    teams, decision, outcome = decide(session, prepared, now=now)
    names = performer_names(session, {one.performer_id for one in decision.considered} if decision else set())
    team_of = team_names(session, where.community_id)
    recipients: list[tuple[int, str]] = []
    if isinstance(outcome, Offer):
        recipients = [(one, names.get(one, "")) for one in outcome.recipients]
    sentences = explain(decision, names, team_of) if decision is not None else []
    wanted = draft.wanted_from or now
    coming = first_shift(session, decision, after=wanted) if decision is not None else None
    return Preview(
        prepared.service,
        where,
        prepared.urgency,
        suggestion,
        prepared.due,
        found,
        teams,
        decision,
        recipients,
        sentences,
        coming,
        prices_of(session, prepared, recipients, now=now),
    )


def prices_of(
    session: Session, prepared: Prepared, recipients: Sequence[tuple[int, str]], *, now: datetime
) -> Mapping[int, Sequence[PriceLine]]:
    """What those who would be asked take for the kind on the day wanted."""
    if not recipients:
        return {}
    day, _ = days_wanted(prepared.draft.wanted_from, prepared.draft.wanted_until, now)
    return catalogue.prices_on(session, [one for one, _ in recipients], prepared.service.id, day)


def decide(
    session: Session, prepared: Prepared, *, now: datetime
) -> tuple[TeamChoice, Decision | None, Offer | Exhausted | None]:
    """The decision and first round that routing would make now, by its own functions on an order that is not stored."""
    order = as_order(prepared, now=now)
    picture = picture_of(session, [order], now=now)
    teams = teams_of(order, prepared.service, picture)
    if teams.accountable is None:
        return teams, None, None
    request = request_of(order, prepared.service, picture)
    decision = decide_among(request, picture.panel_of(order), picture.weights(order), now, teams)
    return teams, decision, next_step(decision, 1, OfferMode(prepared.service.given), picture.first_offers(order))


def as_order(prepared: Prepared, *, now: datetime) -> Order:
    """A transient order with what routing reads; it is never added to a session."""
    draft, where = prepared.draft, prepared.place
    return Order(
        id=0,
        organisation_id=prepared.organisation_id,
        community_id=where.community_id,
        service_id=prepared.service.id,
        urgency=str(prepared.urgency),
        area_id=where.area_id,
        building_id=where.building_id,
        stairwell_id=where.stairwell_id,
        latitude=where.latitude,
        longitude=where.longitude,
        wanted_from=draft.wanted_from,
        wanted_until=draft.wanted_until,
        excluded_performers=list(draft.excluded_performers),
        named_performer_id=draft.named_performer_id,
        service_due_at=prepared.due.service,
        created_at=now,
        cycle=1,
        rounds=0,
        rounds_before=0,
    )


def duplicates(session: Session, prepared: Prepared, *, actor: Actor, now: datetime) -> list[tuple[Match, Order]]:
    """Open orders that may be the same matter, best first: near in place or from the same caller."""
    where = prepared.place
    index = vault.blind_index("phone", prepared.phone) if prepared.phone else None
    near = near_by(where, index)
    if not near:
        return []
    keys = ("intake.duplicate_window_hours", "intake.duplicate_candidates")
    values = policies.policies(session, prepared.organisation_id, keys)
    window = timedelta(hours=int(values["intake.duplicate_window_hours"]))
    query = (
        select(Order, Service.group)
        .join(Service, Service.id == Order.service_id)
        .where(
            reach.visible_orders(actor),
            Order.state.in_(OPEN_STATES),
            Order.created_at >= now - window,
            or_(*near),
            ~Order.confidential,
        )
        .order_by(Order.created_at.desc())
        .limit(MOST_COMPARED)
    )
    rows = {order.id: (order, group) for order, group in session.execute(query)}
    draft = Comparable(
        0,
        prepared.service.id,
        prepared.service.group,
        where.area_id,
        where.building_id,
        where.stairwell_id,
        now,
        prepared.draft.description,
        index,
    )
    others = [comparable(order, group) for order, group in rows.values()]
    matches = likely_duplicates(draft, others, window=window, most=int(values["intake.duplicate_candidates"]))
    return [(match, rows[match.order_id][0]) for match in matches]


def near_by(where: Place, phone_index: bytes | None) -> list[ColumnElement[bool]]:
    """What makes an order worth comparing: the same stairwell, building or caller, as far as they are known."""
    near = [
        Order.stairwell_id == where.stairwell_id if where.stairwell_id else None,
        Order.building_id == where.building_id if where.building_id else None,
        Order.phone_index == phone_index if phone_index else None,
    ]
    return [condition for condition in near if condition is not None]


def comparable(order: Order, group: str) -> Comparable:
    """What is compared of a stored order."""
    return Comparable(
        order.id,
        order.service_id,
        group,
        order.area_id,
        order.building_id,
        order.stairwell_id,
        order.created_at,
        order.description,
        order.phone_index,
    )
