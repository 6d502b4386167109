"""Relief shipments: planned to a town, sent by lot, signed for line by line, reconciled when nothing is unexplained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.grid import Resident
from dispatch.models.market import Benefit, Goods, Shipment, ShipmentLine
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.terms import Purpose
from dispatch.rules.market import shipments as rule
from dispatch.rules.market.double_dip import Programme
from dispatch.rules.market.shelf import MoveKind
from dispatch.rules.market.shipments import Destination, SentLine, ShipmentState
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, reach
from dispatch.services.market import benefits, transit
from dispatch.services.market.campaigns import find_partner
from dispatch.services.market.facilities import find_facility
from dispatch.services.market.moving import Outgoing, Wish, move_out
from dispatch.services.market.signing import Signed, keep_signed

ORIGIN = "market.shipment"
MOST_FOUND = 100


@dataclass(frozen=True, slots=True)
class ShipmentDraft:
    """A shipment to be: from which market, where to, for how many, used up when, of what (goods id → amount)."""

    facility_id: int
    destination: Destination
    receiver: str
    persons: int
    sends_on: date
    consumed_by: date
    lines: Mapping[int, int]
    partner_id: int | None = None


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """What the receiver signed for of some goods, what came back, and why some is missing."""

    received: int
    returned: int = 0
    reason: str = ""


def plan_shipment(session: Session, draft: ShipmentDraft, *, actor: Actor, now: datetime) -> Shipment:
    """Plan a shipment, alone or with a partner; raises NotFound, Invalid naming the field."""
    facility = find_facility(session, draft.facility_id, actor=actor)
    rule.check_destination(draft.destination)
    rule.check_plan(draft.persons, draft.sends_on, draft.consumed_by, draft.receiver)
    if draft.partner_id is not None:
        partner = find_partner(session, draft.partner_id, actor=actor)
        if partner.community_id != facility.community_id:
            raise Invalid("partner_id", "没有这个合作单位，请重新选择")
    known = select(Goods.id).where(Goods.id.in_(draft.lines), Goods.community_id == facility.community_id)
    if set(session.scalars(known)) != set(draft.lines):
        raise Invalid("lines", "物品目录里没有这一种，请重新选择")
    rule.check_send(ShipmentState.PLANNED, [SentLine(amount) for amount in draft.lines.values()])
    shipment = Shipment(
        community_id=facility.community_id,
        facility_id=facility.id,
        partner_id=draft.partner_id,
        city=draft.destination.city.strip(),
        county=draft.destination.county.strip(),
        town=draft.destination.town.strip(),
        receiver=draft.receiver.strip(),
        persons=draft.persons,
        sends_on=draft.sends_on,
        consumed_by=draft.consumed_by,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(shipment)
    session.flush()
    lines = [
        ShipmentLine(
            community_id=shipment.community_id, shipment_id=shipment.id, position=place, goods_id=goods_id, sent=amount
        )
        for place, (goods_id, amount) in enumerate(draft.lines.items(), start=1)
    ]
    session.add_all(lines)
    session.flush()
    session.refresh(shipment)
    record(session, "plan_shipment", shipment, actor=actor)
    return shipment


def record(session: Session, deed: str, shipment: Shipment, *, actor: Actor) -> None:
    """The audit entry of what was done with a shipment."""
    audit.record(session, f"market.{deed}", "shipments", shipment.id, actor=actor, community_id=shipment.community_id)


def find_shipment(session: Session, shipment_id: int, *, actor: Actor, locked: bool = False) -> Shipment:
    """A shipment in reach, locked and read fresh when asked; raises NotFound."""
    query = select(Shipment).where(Shipment.id == shipment_id, reach.visible(Shipment, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    shipment = session.scalars(query).one_or_none()
    if shipment is None:
        raise NotFound
    return shipment


def list_shipments(session: Session, *, actor: Actor) -> Sequence[Shipment]:
    """The shipments in reach, the newest first."""
    query = select(Shipment).where(reach.visible(Shipment, actor)).order_by(Shipment.id.desc())
    return session.scalars(query.limit(MOST_FOUND)).all()


def lines_of_shipments(session: Session, shipment_ids: Sequence[int]) -> dict[int, list[ShipmentLine]]:
    """The lines of shipments in their order. One query."""
    query = select(ShipmentLine).where(ShipmentLine.shipment_id.in_(shipment_ids))
    found: dict[int, list[ShipmentLine]] = {shipment_id: [] for shipment_id in shipment_ids}
    for line in session.scalars(query.order_by(ShipmentLine.shipment_id, ShipmentLine.position)):
        found[line.shipment_id].append(line)
    return found


def as_sent(lines: Sequence[ShipmentLine]) -> list[SentLine]:
    """Lines as the rules see them."""
    return [SentLine(line.sent, line.received, line.returned, line.reason) for line in lines]


def send_shipment(session: Session, shipment_id: int, *, actor: Actor, now: datetime) -> Shipment:
    """Send it: the lots leave the stock, none past its day on the planned day of use; owed until they are signed for.

    Raises NotFound, ShipmentNotThere, and what the stock refuses.
    """
    shipment = find_shipment(session, shipment_id, actor=actor, locked=True)
    lines = lines_of_shipments(session, [shipment.id])[shipment.id]
    rule.check_send(ShipmentState(shipment.state), as_sent(lines))
    facility = find_facility(session, shipment.facility_id, actor=actor)
    outgoing = Outgoing(
        kind=MoveKind.SHIPMENT,
        facility_id=shipment.facility_id,
        wishes=tuple(Wish(line.goods_id, line.sent) for line in lines),
        purpose=Purpose.RELIEF,
        consumed_on=shipment.consumed_by,
        transit_id=transit.transit_holding(session, facility, actor=actor, now=now),
        origin=ORIGIN,
        origin_id=shipment.id,
    )
    shipment.move_id = move_out(session, outgoing, actor=actor, now=now).move.id
    shipment.state, shipment.sent_by, shipment.sent_at = str(ShipmentState.SENT), actor.user_id, now
    session.flush()
    record(session, "send_shipment", shipment, actor=actor)
    return shipment


def sign_shipment(
    session: Session,
    shipment_id: int,
    signer: str,
    received: Mapping[int, ReceivedLine],
    *,
    signed: Signed,
    received_on: date | None = None,
    actor: Actor,
    now: datetime,
) -> Shipment:
    """Enter what the receiver signed for, per goods id: given is what arrived, what came back stands apart.

    Raises NotFound, ShipmentNotThere, Invalid naming the field, BeingCounted where something came back.
    """
    shipment = find_shipment(session, shipment_id, actor=actor, locked=True)
    lines = lines_of_shipments(session, [shipment.id])[shipment.id]
    if received.keys() - {line.goods_id for line in lines}:
        raise Invalid("lines", "这批物资里没有这一种")
    for line in lines:
        said = received.get(line.goods_id)
        if said is not None:
            line.received, line.returned = said.received, said.returned
            line.reason = check_text("lines", said.reason, rule.LONGEST_REASON)
    with session.no_autoflush:
        rule.check_receipt(ShipmentState(shipment.state), as_sent(lines), signer)
    day = received_on or clock.today(now)
    if day > clock.today(now) or (shipment.sent_at is not None and day < clock.today(shipment.sent_at)):
        raise Invalid("received_on", "签收的日子不能早于发出，也不能晚于今天")
    keep_signed(session, shipment, signed, actor=actor, now=now)
    shipment.signer, shipment.received_on = signer.strip(), day
    shipment.state = str(ShipmentState.RECEIVED)
    session.flush()
    transit.arrive(session, shipment, transit.parts_of(session, shipment, lines), actor=actor, now=now)
    record(session, "sign_shipment", shipment, actor=actor)
    return shipment


def reconcile_shipment(
    session: Session, shipment_id: int, reasons: Mapping[int, str], *, actor: Actor, now: datetime
) -> Shipment:
    """Close a shipment: what is missing of a line has its reason (by goods id). Raises NotFound, Invalid("lines")."""
    shipment = find_shipment(session, shipment_id, actor=actor, locked=True)
    lines = lines_of_shipments(session, [shipment.id])[shipment.id]
    for line in lines:
        line.reason = check_text("lines", reasons.get(line.goods_id, line.reason), rule.LONGEST_REASON)
    rule.check_reconciled(ShipmentState(shipment.state), as_sent(lines))
    session.flush()
    transit.lose(session, shipment, transit.parts_of(session, shipment, lines), actor=actor, now=now)
    shipment.state, shipment.closed_by, shipment.closed_at = str(ShipmentState.RECONCILED), actor.user_id, now
    session.flush()
    record(session, "reconcile_shipment", shipment, actor=actor)
    return shipment


def cancel_shipment(session: Session, shipment_id: int, *, actor: Actor) -> Shipment:
    """Call off a shipment that has not left; raises NotFound, ShipmentNotThere."""
    shipment = find_shipment(session, shipment_id, actor=actor, locked=True)
    rule.check_cancelled(ShipmentState(shipment.state))
    shipment.state = str(ShipmentState.CANCELLED)
    session.flush()
    record(session, "cancel_shipment", shipment, actor=actor)
    return shipment


def goods_of(session: Session, lines: Sequence[ShipmentLine]) -> dict[int, Goods]:
    """The goods of lines, by id."""
    wanted = {line.goods_id for line in lines}
    return {one.id: one for one in session.scalars(select(Goods).where(Goods.id.in_(wanted)))}


def note_household(session: Session, shipment_id: int, resident_id: int, *, actor: Actor) -> None:
    """Note that a household of the community was helped by a shipment that was signed for, once; the counter warns.

    Raises NotFound, ShipmentNotThere, Invalid("resident_id", …).
    """
    shipment = find_shipment(session, shipment_id, actor=actor, locked=True)
    rule.check_helped(ShipmentState(shipment.state))
    household_id = session.scalars(
        select(Resident.household_id).where(Resident.id == resident_id, Resident.community_id == shipment.community_id)
    ).one_or_none()
    if household_id is None or shipment.received_on is None:
        raise Invalid("resident_id", "居民台账里没有这户人家，请重新选择")
    benefits.record(
        session,
        community_id=shipment.community_id,
        household_id=household_id,
        programme=Programme.RELIEF,
        given_on=shipment.received_on,
        origin=ORIGIN,
        origin_id=shipment.id,
    )
    record(session, "note_household", shipment, actor=actor)


def households_of(session: Session, shipment_id: int) -> int:
    """How many households of the community were helped by a shipment."""
    query = select(func.count()).where(
        Benefit.origin == ORIGIN, Benefit.origin_id == shipment_id, Benefit.withdrawn_at.is_(None)
    )
    return session.scalars(query).one()
