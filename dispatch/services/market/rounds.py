"""Yearly rounds: listed, frozen, each household brought its parcel by an order, signed for by lot, carried on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.grid import Resident
from dispatch.models.market import Goods, Round, RoundBill, RoundEntry
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.terms import Purpose
from dispatch.rules.market import rounds as rule
from dispatch.rules.market.campaigns import check_title
from dispatch.rules.market.double_dip import Programme
from dispatch.rules.market.errands import errand_of
from dispatch.rules.market.rounds import EntryState, Progress, RoundState
from dispatch.rules.market.shelf import MoveKind
from dispatch.rules.orders.states import OrderState
from dispatch.services import orders
from dispatch.services.access import audit, reach
from dispatch.services.catalogue.applying import district_of
from dispatch.services.market import benefits
from dispatch.services.market.campaigns import keep
from dispatch.services.market.facilities import find_facility
from dispatch.services.market.moving import Outgoing, Wish, move_out
from dispatch.services.market.signing import Signed, keep_signed

ORIGIN = "market.round"
PARCEL = "market.parcel"
DELIVERING = "parcel_delivery"
MOST_FOUND = 100


class RoundKnown(Conflict):
    """今年已有同名的发放"""


class SetBackByThem(NotAllowed):
    """没有交到手是您自己记的，不再发放要由另一位来记"""


class ListedAlready(Conflict):
    """这一户已经在名单上"""


@dataclass(frozen=True, slots=True)
class RoundDraft:
    """A round to be: of which year, from which market, and what every parcel holds (goods id → amount)."""

    year: int
    name: str
    facility_id: int
    bill: Mapping[int, int]


def plan_round(session: Session, draft: RoundDraft, *, actor: Actor, now: datetime) -> Round:
    """Begin a round's list with the bill of a parcel; raises NotFound, Invalid naming the field, RoundKnown."""
    facility = find_facility(session, draft.facility_id, actor=actor)
    check_title(draft.name, "name")
    if not 2000 <= draft.year <= 2199:  # noqa: PLR2004 - years in which there can be rounds
        raise Invalid("year", "请填写年份")
    known = select(Goods.id).where(Goods.id.in_(draft.bill), Goods.community_id == facility.community_id)
    if not draft.bill or set(session.scalars(known)) != set(draft.bill):
        raise Invalid("bill", "请写明每一份有什么物资")
    if any(not 0 < amount <= rule.MOST_AMOUNT for amount in draft.bill.values()):
        raise Invalid("bill", "每一样的数量都要大于零")
    made = Round(
        community_id=facility.community_id,
        year=draft.year,
        name=draft.name.strip(),
        facility_id=facility.id,
        created_by=actor.user_id,
        created_at=now,
    )
    keep(session, made, RoundKnown)
    bill = [
        RoundBill(round_id=made.id, goods_id=goods_id, community_id=made.community_id, amount=amount)
        for goods_id, amount in draft.bill.items()
    ]
    session.add_all(bill)
    session.flush()
    session.refresh(made)
    record(session, "plan_round", made, actor=actor)
    return made


def record(session: Session, deed: str, row: Round | RoundEntry, *, actor: Actor) -> None:
    """The audit entry of what was done with a round or a household of it."""
    audit.record(session, f"market.{deed}", row.__tablename__, row.id, actor=actor, community_id=row.community_id)


def find_round(session: Session, round_id: int, *, actor: Actor, locked: bool = False) -> Round:
    """A round in reach, locked and read fresh when asked; raises NotFound."""
    query = select(Round).where(Round.id == round_id, reach.visible(Round, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def list_rounds(session: Session, *, actor: Actor) -> Sequence[Round]:
    """The rounds in reach, the newest first."""
    query = select(Round).where(reach.visible(Round, actor)).order_by(Round.year.desc(), Round.id.desc())
    return session.scalars(query.limit(MOST_FOUND)).all()


def entries_of(session: Session, round_id: int) -> Sequence[tuple[RoundEntry, str, str | None]]:
    """The list of a round: each household with who gets the parcel and the number of its newest order."""
    query = listed().where(RoundEntry.round_id == round_id).order_by(RoundEntry.id)
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def listed() -> Select[RoundEntry, str, str | None]:
    """Households of lists with the name of who gets the parcel and the number of their newest order."""
    return (
        select(RoundEntry, Resident.name, Order.number)
        .join(Resident, Resident.id == RoundEntry.resident_id)
        .outerjoin(Order, Order.id == RoundEntry.order_id)
    )


def progress_of(session: Session, round_id: int) -> Progress:
    """How far a round is."""
    return progress_of_many(session, [round_id])[round_id]


def progress_of_many(session: Session, round_ids: Sequence[int]) -> dict[int, Progress]:
    """How far rounds are. One query."""
    states: dict[int, list[EntryState]] = {round_id: [] for round_id in round_ids}
    query = select(RoundEntry.round_id, RoundEntry.state).where(RoundEntry.round_id.in_(round_ids))
    for row in session.execute(query):
        states[row.round_id].append(EntryState(row.state))
    return {round_id: rule.progress(found) for round_id, found in states.items()}


def list_household(session: Session, round_id: int, resident_id: int, *, actor: Actor) -> RoundEntry:
    """Put the household of a resident on the list, once; raises NotFound, Invalid, ListFrozen, ListedAlready."""
    found = find_round(session, round_id, actor=actor, locked=True)
    rule.check_listable(RoundState(found.state))
    resident = session.scalars(
        select(Resident).where(Resident.id == resident_id, Resident.community_id == found.community_id)
    ).one_or_none()
    if resident is None or resident.household_id is None or resident.left_at is not None:
        raise Invalid("resident_id", "居民台账里没有这户人家，请重新选择")
    entry = RoundEntry(
        community_id=found.community_id,
        round_id=found.id,
        household_id=resident.household_id,
        resident_id=resident.id,
    )
    keep(session, entry, ListedAlready)
    session.refresh(entry)
    record(session, "list_household", entry, actor=actor)
    return entry


def freeze_round(session: Session, round_id: int, *, actor: Actor, now: datetime) -> Round:
    """Freeze the list; raises NotFound, ListFrozen, NobodyListed."""
    found = find_round(session, round_id, actor=actor, locked=True)
    households = session.scalars(select(RoundEntry.household_id).where(RoundEntry.round_id == found.id)).all()
    rule.check_freeze(RoundState(found.state), households)
    found.state, found.frozen_by, found.frozen_at = str(RoundState.FROZEN), actor.user_id, now
    session.flush()
    record(session, "freeze_round", found, actor=actor)
    return found


def lock_entry(session: Session, entry_id: int, *, actor: Actor) -> tuple[RoundEntry, Round]:
    """A household of a list in reach, locked, and its round; raises NotFound."""
    query = select(RoundEntry).where(RoundEntry.id == entry_id, reach.visible(RoundEntry, actor)).with_for_update()
    entry = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if entry is None:
        raise NotFound
    return entry, session.get_one(Round, entry.round_id, populate_existing=True)


def send_parcel(session: Session, entry_id: int, *, actor: Actor, now: datetime) -> RoundEntry:
    """Send somebody with the parcel: an order of the core to the household's home; again after one came to nothing.

    Raises NotFound, ListNotFrozen, EntryNotThere.
    """
    entry, found = lock_entry(session, entry_id, actor=actor)
    rule.check_sendable(RoundState(found.state), EntryState(entry.state))
    entry.tries += 1
    draft = orders.OrderDraft(
        description=f"{found.year} {found.name}",
        service_code=DELIVERING,
        caller_resident_id=entry.resident_id,
        caller_name=session.get_one(Resident, entry.resident_id).name,
        source="programme",
        origin=ORIGIN,
        origin_id=entry.id,
        occasion=str(entry.tries),
        organisation_id=district_of(session, entry.community_id),
    )
    entry.order_id = orders.receive(session, draft, actor=actor, now=now).id
    entry.order_version, entry.state = 0, str(EntryState.OUT)
    session.flush()
    record(session, "send_parcel", entry, actor=actor)
    return entry


def find_entry(session: Session, entry_id: int, *, actor: Actor) -> tuple[RoundEntry, str, str | None]:
    """A household of a list in reach, with who gets the parcel and the number of its newest order; raises NotFound."""
    row = session.execute(listed().where(RoundEntry.id == entry_id, reach.visible(RoundEntry, actor))).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1], row[2]


def bill_of(session: Session, round_id: int) -> Sequence[tuple[Goods, int]]:
    """What a parcel of a round holds, by goods."""
    query = select(Goods, RoundBill.amount).join(Goods, Goods.id == RoundBill.goods_id)
    rows = session.execute(query.where(RoundBill.round_id == round_id).order_by(RoundBill.goods_id))
    return [(row[0], row[1]) for row in rows]


def parcel_of(session: Session, entry: RoundEntry, found: Round, signed_on: date | None) -> Outgoing:
    """What leaves the stock for one household of a round."""
    return Outgoing(
        kind=MoveKind.PARCEL,
        facility_id=found.facility_id,
        wishes=tuple(Wish(goods.id, amount) for goods, amount in bill_of(session, found.id)),
        purpose=Purpose.YEARLY_ROUND,
        signed_on=signed_on,
        origin=PARCEL,
        origin_id=entry.id,
    )


def sign_parcel(
    session: Session,
    entry_id: int,
    signer: str,
    *,
    signed: Signed,
    signed_on: date | None = None,
    actor: Actor,
    now: datetime,
) -> RoundEntry:
    """Enter who signed for a parcel: its goods leave the stock by lot, on the day of signing, the earliest first.

    Raises NotFound, EntryNotThere, Invalid("signer" | "signature"), what the stock refuses (past its day, not enough).
    """
    entry, found = lock_entry(session, entry_id, actor=actor)
    rule.check_sign(RoundState(found.state), EntryState(entry.state), signer)
    keep_signed(session, entry, signed, actor=actor, now=now)
    outgoing = parcel_of(session, entry, found, signed_on)
    entry.move_id = move_out(session, outgoing, actor=actor, now=now).move.id
    entry.signer, entry.signed_on = signer.strip(), signed_on or clock.today(now)
    entry.state = str(EntryState.DELIVERED)
    session.flush()
    benefits.record(
        session,
        community_id=entry.community_id,
        household_id=entry.household_id,
        programme=Programme.YEARLY_ROUND,
        given_on=entry.signed_on,
        origin=PARCEL,
        origin_id=entry.id,
    )
    record(session, "sign_parcel", entry, actor=actor)
    return entry


def set_back(session: Session, entry_id: int, reason: str, *, actor: Actor) -> RoundEntry:
    """What was taken there was not handed over, for a reason (nothing was left of it): it is carried on.

    Raises NotFound, EntryNotThere, Invalid("set_back", …).
    """
    entry, found = lock_entry(session, entry_id, actor=actor)
    rule.check_set_back(RoundState(found.state), EntryState(entry.state), reason)
    entry.state, entry.set_back, entry.set_back_by = str(EntryState.UNREACHED), reason.strip(), actor.user_id
    session.flush()
    record(session, "set_back", entry, actor=actor)
    return entry


def excuse_household(session: Session, entry_id: int, reason: str, *, actor: Actor) -> RoundEntry:
    """Leave a household out with a reason; one that was set back is left out by another than who did that.

    Raises NotFound, EntryNotThere, Invalid("reason", …), SetBackByThem.
    """
    entry, found = lock_entry(session, entry_id, actor=actor)
    rule.check_excuse(RoundState(found.state), EntryState(entry.state), reason)
    if actor.user_id is not None and actor.user_id == entry.set_back_by:
        raise SetBackByThem
    entry.state, entry.reason, entry.excused_by = str(EntryState.EXCUSED), reason.strip(), actor.user_id
    session.flush()
    record(session, "excuse_household", entry, actor=actor)
    return entry


def close_round(session: Session, round_id: int, *, actor: Actor, now: datetime) -> Round:
    """End a round in which everybody was reached or has a reason; raises NotFound, ListNotFrozen, SomebodyLeft."""
    found = find_round(session, round_id, actor=actor, locked=True)
    states = session.scalars(select(RoundEntry.state).where(RoundEntry.round_id == found.id)).all()
    rule.check_close(RoundState(found.state), [EntryState(state) for state in states])
    found.state, found.closed_by, found.closed_at = str(RoundState.CLOSED), actor.user_id, now
    session.flush()
    record(session, "close_round", found, actor=actor)
    return found


def hear_of_parcel(session: Session, order: Order, version: int) -> bool:
    """Taken there, come to nothing or under way again; a household that is settled hears nothing."""
    entry = session.scalars(
        select(RoundEntry)
        .where(RoundEntry.order_id == order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if entry is None or entry.order_version >= version or entry.state in rule.FINAL:
        return False
    entry.state = str(rule.OUTCOMES[errand_of(OrderState(order.state), order.result)])
    entry.order_version = order.version
    session.flush()
    return True
