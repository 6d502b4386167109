"""View objects of orders: names beside ids, places in words, personal data masked."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import User
from dispatch.models.catalogue import Coverage, Performer, PerformerService, Team
from dispatch.models.grid import Area, Building, Stairwell
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.grid.phone import mask_phone
from dispatch.rules.orders.callback import SATISFACTION_LABELS, Satisfaction
from dispatch.rules.orders.confidential import is_open_to
from dispatch.services import catalogue, orders
from dispatch.services.access import audit, reach, vault
from dispatch.web.prices import span_words

MOST_BY_HAND = 200


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as a list shows it; a hidden one is its shell: neither kind nor place, nor what, nor who."""

    order: Order
    service: str
    place: str
    performer: str
    lead_team: str
    matter: str
    is_hidden: bool
    merged_into: str = ""


def opened_row(session: Session, order: Order, actor: Actor, *, purpose: str) -> OrderRow:
    """One order as its own page shows it, open to who may see it; each reading of a confidential one is audited."""
    is_hidden = not is_open_to(order, actor)
    if order.confidential and not is_hidden:
        audit.record(
            session,
            "orders.read_confidential",
            "orders",
            order.id,
            actor=actor,
            community_id=order.community_id,
            organisation_id=order.organisation_id,
            purpose=purpose,
        )
    return made_rows(session, [order], frozenset({order.id}) if is_hidden else frozenset(), actor)[0]


def rows(session: Session, found: Sequence[Order], actor: Actor) -> list[OrderRow]:
    """The view objects of orders for a list, which opens no confidential one, whoever looks."""
    return made_rows(session, found, frozenset(order.id for order in found if order.confidential), actor)


def made_rows(session: Session, found: Sequence[Order], hidden: frozenset[int], actor: Actor) -> list[OrderRow]:
    """The view objects, in five queries however many they are."""
    services = orders.service_names(session, {order.service_id for order in found})
    performers = orders.performer_names(session, {order.performer_id for order in found if order.performer_id})
    teams = names(session, Team, {order.lead_team_id for order in found if order.lead_team_id})
    places = place_words(session, found, hidden)
    merged = order_numbers(session, {order.merged_into_id for order in found if order.merged_into_id}, actor)
    return [
        OrderRow(
            order=order,
            service=gettext("保密服务") if order.id in hidden else services.get(order.service_id, ""),
            place=places[order.id],
            performer=performers.get(order.performer_id or 0, ""),
            lead_team=teams.get(order.lead_team_id or 0, ""),
            matter=gettext("保密订单") if order.id in hidden else order.description,
            is_hidden=order.id in hidden,
            merged_into=merged.get(order.merged_into_id or 0, ""),
        )
        for order in found
    ]


def names(session: Session, table: type[Team] | type[User] | type[Area], ids: Iterable[int]) -> dict[int, str]:
    """Names by id, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    query = select(table.id, table.name).where(table.id.in_(wanted))
    return dict(session.execute(query).all())


def order_numbers(session: Session, ids: Collection[int], actor: Actor) -> dict[int, str]:
    """Numbers of the orders with these ids that the actor may see."""
    if not ids:
        return {}
    query = select(Order.id, Order.number).where(Order.id.in_(set(ids)), reach.visible_orders(actor))
    return dict(session.execute(query).all())


def place_words(session: Session, found: Sequence[Order], hidden: frozenset[int]) -> dict[int, str]:
    """Where each order is, in words: the settled place with its room, else what the caller said.

    Of a hidden order only the area is told.
    """
    stairwells = {order.stairwell_id for order in found if order.stairwell_id}
    buildings = {order.building_id for order in found if order.building_id}
    areas = names(
        session,
        Area,
        {order.area_id for order in found if order.area_id and (order.id in hidden or not order.building_id)},
    )
    address: dict[int, str] = {}
    unit: dict[int, str] = {}
    if buildings:
        address = dict(session.execute(select(Building.id, Building.address).where(Building.id.in_(buildings))).all())
    if stairwells:
        unit = dict(session.execute(select(Stairwell.id, Stairwell.number).where(Stairwell.id.in_(stairwells))).all())
    return {order.id: one_place(order, areas, address, unit, is_hidden=order.id in hidden) for order in found}


def one_place(
    order: Order, areas: Mapping[int, str], address: Mapping[int, str], unit: Mapping[int, str], *, is_hidden: bool
) -> str:
    """One order's place in words."""
    if is_hidden:
        return areas.get(order.area_id or 0) or gettext("保密订单")
    if order.building_id is not None:
        words = address.get(order.building_id, "")
        if order.stairwell_id is not None:
            words += f"{unit.get(order.stairwell_id, '')}单元"
        return f"{words}{order.room or ''}"
    if order.area_id is not None:
        return f"{areas.get(order.area_id, '')} {order.address_text}".strip()
    return order.address_text or gettext("没有说地址")


def masked_phone(order: Order) -> str:
    """The caller's number with its middle hidden, empty when none was given."""
    phone = open_phone(order)
    return mask_phone(phone) if phone else ""


def open_phone(order: Order) -> str:
    """The caller's whole number: whoever shows it writes an audit entry."""
    if order.caller_phone is None:
        return ""
    return vault.open_sealed(f"orders.caller_phone.{order.number}", order.caller_phone)


def performers_by_hand(session: Session, order: Order) -> list[tuple[int, str]]:
    """Who may be given this order by hand: serves its kind and is admitted to its community; with what they take."""
    query = (
        select(Performer.id, Performer.name)
        .join(PerformerService, PerformerService.performer_id == Performer.id)
        .where(
            PerformerService.service_id == order.service_id,
            Performer.is_active,
            (Performer.community_id == order.community_id)
            | Performer.id.in_(select(Coverage.performer_id).where(Coverage.community_id == order.community_id)),
        )
        .order_by(Performer.kind, Performer.code)
        .limit(MOST_BY_HAND)
    )
    found = session.execute(query).all()
    day = clock.today(clock.now(session))
    prices = catalogue.prices_on(session, [identity for identity, _ in found], order.service_id, day)
    return [(one, " · ".join(filter(None, (name, span_words(prices.get(one, ())))))) for one, name in found]


def satisfaction_choices() -> list[tuple[str, str]]:
    """The five steps with their words."""
    return [(str(step), gettext(SATISFACTION_LABELS[step])) for step in Satisfaction]


def waits_words(order: Order) -> str:
    """Why an order waits for a human, and what to do."""
    if order.place_outcome == "unresolved":
        return gettext("地址没有找到，请核对后定地点")
    words = {
        "area_chief_chooses": gettext("只知道片区，请片长选定团队"),
        "no_block_team": gettext("这个地点没有块状团队，请人工派单"),
        "no_candidate": gettext("没有符合条件的服务商，请人工派单"),
        "rounds_used_up": gettext("询单已满五轮，没有人接，请人工派单"),
    }
    return words.get(order.waits_for or "", gettext("自动派单没有结果，请人工处理"))


def limits_moved(facts: Mapping[str, Any]) -> list[tuple[str, datetime, datetime]]:
    """The limits that a corrected calendar moved: which, from when, to when."""
    words = {
        "service_due_at": gettext("服务时限"),
        "civic_due_at": gettext("民生时限（工作日）"),
        "callback_due_at": gettext("回访"),
    }
    return [
        (word, datetime.fromisoformat(facts[f"{name}_from"]), datetime.fromisoformat(facts[f"{name}_to"]))
        for name, word in words.items()
        if f"{name}_to" in facts
    ]
