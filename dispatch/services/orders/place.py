"""Placing an order: one durable statement for order, history, audit and job."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.errors import Conflict, Invalid
from dispatch.models.catalogue import Performer, Service
from dispatch.models.grid import Resident
from dispatch.models.orders import Order
from dispatch.queue import hint
from dispatch.rules.access.chain import GENESIS
from dispatch.rules.access.roles import Actor, ActorKind
from dispatch.rules.grid.phone import normalise_phone
from dispatch.rules.orders.answers import check_answers
from dispatch.rules.orders.intake import check_text, check_window
from dispatch.rules.orders.number import RANDOM_BITS, make_number
from dispatch.rules.orders.states import Action, OrderState, next_state
from dispatch.rules.orders.urgency import PRESSING, Urgency
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, grid
from dispatch.services.access import reach, vault
from dispatch.services.grid import Place
from dispatch.services.orders.draft import OrderDraft
from dispatch.services.orders.insert import INSERT, insert_parameters
from dispatch.services.orders.limits import Due, due_of, place_alarm_at
from dispatch.services.orders.steps import Line

FirstStep = tuple[Action, Mapping[str, object]]

LONGEST_ADDRESS = 500
LONGEST_NAME = 60
MOST_NUMBERS = 3


class AlreadyPlaced(Conflict):
    """这张订单已经登记过"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft that has been checked and completed: what the insert needs."""

    draft: OrderDraft
    organisation_id: int
    service: Service
    urgency: Urgency
    phone: str | None
    place: Place
    due: Due


@dataclass(frozen=True, slots=True)
class Received:
    """An order as it was just inserted: its columns (those that are not named have no value yet), the phone plain."""

    id: int
    number: str
    columns: Mapping[str, Any]
    phone: str | None = field(repr=False)


def place(session: Session, draft: OrderDraft, *, actor: Actor, now: datetime) -> Order:
    """Place an order as `receive` does, and give it as an object to go on with."""
    return session.get_one(Order, receive(session, draft, actor=actor, now=now).id)


def receive(session: Session, draft: OrderDraft, *, actor: Actor, now: datetime) -> Received:
    """Place an order: after the commit it is never lost and sure to be dispatched.

    A place that is not found never refuses a call: the order stays 受理中, with candidates, at the top of the
    desk's list, alarmed after some minutes (policy). Raises Invalid naming the field, AlreadyPlaced for a
    known (source, source_number) or (origin, origin_id, occasion).
    """
    prepared = prepare(session, draft, actor=actor, now=now)
    for _ in range(MOST_NUMBERS):
        number = make_number(clock.today(now), secrets.randbits(RANDOM_BITS))
        received = insert_order(session, prepared, number, actor=actor, now=now)
        if received is not None:
            return received
    raise AlreadyPlaced


def insert_order(session: Session, prepared: Prepared, number: str, *, actor: Actor, now: datetime) -> Received | None:
    """Insert the order under this number; None when the number is taken (30 random bits a day: take another)."""
    values, events = beginning(prepared, number, actor=actor, now=now)
    job = first_job(session, prepared, number, now=now)
    ending = {f"job_{name}": value for name, value in job.items()}
    session.flush()
    try:
        parameters = insert_parameters(values, events, ending, actor=actor, now=now)
        row = session.connection().execute(INSERT, parameters).one_or_none()
    except IntegrityError as error:
        raise AlreadyPlaced from error
    if row is None:
        return None
    if job["run_at"] <= now:
        hint(session, Lane(job["lane"]), row.job_id)
    return Received(row.id, number, values, prepared.phone)


def beginning(
    prepared: Prepared, number: str, *, actor: Actor, now: datetime
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The columns of a new order and the events that it begins with."""
    values = order_values(prepared, number, actor=actor, now=now)
    events = first_events(number, first_steps(values), actor=actor, now=now)
    values |= {"version": len(events), "state": events[-1]["to_state"], "chain_head": events[-1]["digest"]}
    return values, events


def prepare(
    session: Session, draft: OrderDraft, *, where: Place | None = None, actor: Actor, now: datetime
) -> Prepared:
    """Check every field of a draft and look up what it names; raises Invalid naming the field.

    With `where` the caller has just read the place, and the person whom the draft names.
    """
    organisation_id = draft.organisation_id or actor.organisation_id
    if organisation_id is None:
        raise Invalid("organisation_id", "请说明由哪个热线中心受理")
    check_text("description", draft.description)
    check_text("address_text", draft.address_text, LONGEST_ADDRESS)
    check_text("caller_name", draft.caller_name or "", LONGEST_NAME)
    check_window(draft.wanted_from, draft.wanted_until, now)
    service = catalogue.find_service(session, organisation_id, service_id=draft.service_id, code=draft.service_code)
    check_answers(service.questions, draft.answers, all_needed=False)
    phone = normalise_phone(draft.caller_phone) if draft.caller_phone else None
    check_named(session, draft, service)
    where = where or place_of(session, draft, actor=actor)
    urgency = urgency_of(draft, service)
    due = due_of(
        session,
        service,
        urgency,
        organisation_id,
        now=now,
        wanted_from=draft.wanted_from,
        wanted_until=draft.wanted_until,
    )
    return Prepared(draft, organisation_id, service, urgency, phone, where, due)


def urgency_of(draft: OrderDraft, service: Service) -> Urgency:
    """How pressing: as said, else booked when a time is wanted, else as the kind has it."""
    if draft.urgency is None:
        wished = Urgency.BOOKED if draft.wanted_from and service.urgency not in PRESSING else None
        return wished or Urgency(service.urgency)
    try:
        return Urgency(draft.urgency)
    except ValueError as error:
        raise Invalid("urgency", "紧急程度请填 emergency、urgent、same_day 或 booked") from error


def check_named(session: Session, draft: OrderDraft, service: Service) -> None:
    """A kind for a named person needs the person; the person must exist."""
    if service.given == "named" and draft.named_performer_id is None:
        raise Invalid("named_performer_id", "这类订单要指定由谁去做")
    if draft.named_performer_id is not None and session.get(Performer, draft.named_performer_id) is None:
        raise Invalid("named_performer_id", "没有这位执行人,请重新选择")


def place_of(session: Session, draft: OrderDraft, *, actor: Actor) -> Place:
    """Where the order is: by explicit id, by address text, else the home of the known caller."""
    communities = None if actor.scope.everything else actor.scope.communities
    home = home_of(session, draft, actor=actor)
    if draft.stairwell_id is None and draft.building_id is None and not draft.address_text and home is not None:
        return grid.resolve_place(session, "", communities=communities, stairwell_id=home, room=draft.room)
    return grid.resolve_place(
        session,
        draft.address_text,
        communities=communities,
        stairwell_id=draft.stairwell_id,
        building_id=draft.building_id,
        room=draft.room,
    )


def home_of(session: Session, draft: OrderDraft, *, actor: Actor) -> int | None:
    """The stairwell where the named caller lives, None when nobody is named; raises Invalid for an unknown id."""
    if draft.caller_resident_id is None:
        return None
    known = session.execute(
        select(Resident.id).where(Resident.id == draft.caller_resident_id, reach.visible(Resident, actor))
    ).scalar_one_or_none()
    if known is None:
        raise Invalid("caller_resident_id", "居民台账里没有这个人,请重新选择")
    return grid.home_stairwell(session, known)


def order_values(prepared: Prepared, number: str, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """The columns of the new order but for state, version and chain."""
    draft, service, community_id = prepared.draft, prepared.service, prepared.place.community_id
    return {
        "number": number,
        "organisation_id": prepared.organisation_id,
        "community_id": community_id,
        "service_id": service.id,
        "urgency": str(prepared.urgency),
        "confidential": service.confidential if draft.confidential is None else draft.confidential,
        "is_canary": draft.is_canary,
        "source": draft.source,
        "source_number": draft.source_number,
        "origin": draft.origin,
        "origin_id": draft.origin_id,
        "occasion": draft.occasion,
        "caller_resident_id": draft.caller_resident_id if community_id is not None else None,
        "caller_name": draft.caller_name,
        "caller_phone": vault.seal(f"orders.caller_phone.{number}", prepared.phone) if prepared.phone else None,
        "phone_index": vault.blind_index("phone", prepared.phone) if prepared.phone else None,
        "description": draft.description,
        "answers": dict(draft.answers),
        **place_values(prepared),
        "wanted_from": draft.wanted_from,
        "wanted_until": draft.wanted_until,
        "named_performer_id": draft.named_performer_id,
        "excluded_performers": list(draft.excluded_performers),
        "created_by": actor.user_id,
        "created_by_key": actor.api_key_id,
        "created_at": now,
        "civic_due_at": prepared.due.civic,
        "service_due_at": prepared.due.service,
        "arrive_due_at": prepared.due.arrive,
        "due_assumed": prepared.due.assumed,
    }


def place_values(prepared: Prepared) -> dict[str, Any]:
    """Where the order is to be done: what was said, and what was found of it."""
    where = prepared.place
    return {
        "address_text": prepared.draft.address_text,
        "place_outcome": where.outcome,
        "place_candidates": [candidate.as_fact() for candidate in where.candidates],
        "area_id": where.area_id,
        "building_id": where.building_id,
        "stairwell_id": where.stairwell_id,
        "room": where.room or prepared.draft.room,
        "latitude": where.latitude,
        "longitude": where.longitude,
    }


def capacity_of(actor: Actor) -> ActorKind:
    """In what capacity an order is placed: a person or key as operator, the house itself as system."""
    return ActorKind.SYSTEM if actor.user_id is None and actor.api_key_id is None else ActorKind.OPERATOR


def first_steps(values: Mapping[str, Any]) -> list[FirstStep]:
    """What an order begins with: 受理, and 待派 when its place is known."""
    steps: list[FirstStep] = [as_received(values)]
    return steps if values["area_id"] is None else [*steps, (Action.COMPLETE_INTAKE, {})]


def as_received(values: Mapping[str, Any]) -> FirstStep:
    """受理, with where the order came from and whether its place was found."""
    return Action.RECEIVE, {"source": values["source"], "place": values["place_outcome"]}


def first_events(number: str, steps: Sequence[FirstStep], *, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """The one or two events that a new order begins with, chained."""
    kind, digest, state, events = capacity_of(actor), GENESIS, None, []
    for version, (action, facts) in enumerate(steps, start=1):
        target = next_state(OrderState(state) if state else None, action, kind)
        line = Line(
            number=number,
            version=version,
            action=str(action),
            origin=state,
            target=str(target),
            at=now,
            actor_kind=str(kind),
            user_id=actor.user_id,
            performer_id=actor.performer_id,
            api_key_id=actor.api_key_id,
            facts=facts,
            reason=None,
        )
        digest = line.digest(digest)
        events.append(
            {
                "version": version,
                "action": line.action,
                "from_state": state,
                "to_state": line.target,
                "actor_kind": line.actor_kind,
                "facts": dict(facts),
                "digest": digest,
            }
        )
        state = str(target)
    return events


def first_job(session: Session, prepared: Prepared, number: str, *, now: datetime) -> dict[str, Any]:
    """The job that moves a new order on: routing at once, or the alarm of a place that nobody settled."""
    if prepared.place.area_id is not None:
        lane = Lane.EMERGENCY if prepared.urgency in PRESSING else Lane.DISPATCH
        return {
            "kind": "orders.route",
            "lane": int(lane),
            "run_at": now,
            "dedupe": f"orders.route:{number}:1",
        }
    run_at = place_alarm_at(session, prepared.organisation_id, now)
    return {
        "kind": "orders.place_alarm",
        "lane": int(Lane.DEADLINE),
        "run_at": run_at,
        "dedupe": f"orders.place_alarm:{number}",
    }


def settle_place(
    session: Session,
    order: Order,
    *,
    stairwell_id: int | None = None,
    building_id: int | None = None,
    area_id: int | None = None,
    actor: Actor,
) -> None:
    """Give a locked order whose place was not found its place; raises Invalid naming the field."""
    communities = None if actor.scope.everything else actor.scope.communities
    where = grid.resolve_place(
        session,
        "",
        communities=communities,
        stairwell_id=stairwell_id,
        building_id=building_id,
        area_id=area_id,
        room=order.room,
    )
    if where.area_id is None:
        raise Invalid("stairwell_id", "请选择片区、楼幢或楼道")
    for column in ("community_id", "area_id", "building_id", "stairwell_id", "latitude", "longitude"):
        setattr(order, column, getattr(where, column))
    order.place_outcome = where.outcome
    order.place_candidates = []


def enqueue_route(session: Session, order: Order, *, run_at: datetime | None = None) -> None:
    """Enqueue the order's next routing, once per version."""
    lane = Lane.EMERGENCY if order.urgency in PRESSING else Lane.DISPATCH
    queue.enqueue(
        session,
        "orders.route",
        lane=lane,
        reference=order.id,
        run_at=run_at,
        dedupe=f"orders.route:{order.number}:{order.version}",
    )
