"""What was told wrongly is taken back by two people; what it did is undone where it can be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, DispatchError, Invalid, NotAllowed
from dispatch.models.care import Absence, Enrolment, GroupMember, LifeEffect, LifeEvent, PairedHelper, Programme
from dispatch.models.grid import Residence, Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.care.events import Event
from dispatch.rules.care.terms import AbsenceKind
from dispatch.rules.care.terms import Programme as Kind
from dispatch.rules.orders.states import OPEN, WITH_PERFORMER, OrderState
from dispatch.services import care, grid, orders
from dispatch.services.access import audit, vault
from dispatch.services.care import alarms, condoling, events, hosting, retiring, vouchers
from dispatch.services.grid import leaving as register
from dispatch.services.market import departing

LONGEST_REASON = 500
WRONG = "登记有误，已更正"

log = structlog.get_logger()


class OwnWithdrawal(NotAllowed):
    """申请更正的人不能自己批准，请另一位同事核实后批准"""


class NothingToWithdraw(Conflict):
    """这件事没有人申请更正，或者已经更正"""


@dataclass(frozen=True, slots=True)
class Correction:
    """An event that is taken back: whom it was about, who approves it, and when."""

    event: LifeEvent
    actor: Actor
    now: datetime


@dataclass(slots=True)
class Restored:
    """What was restored, and what must be done by hand, as (table, id)."""

    event: LifeEvent
    done: list[tuple[str, int]] = field(default_factory=list)
    left: list[tuple[str, int]] = field(default_factory=list)


def ask_withdrawal(session: Session, event_id: int, *, reason: str, actor: Actor, now: datetime) -> LifeEvent:
    """Say that an event was told wrongly; another approves it. Raises NotFound, NothingToWithdraw, Invalid."""
    event = events.find_event(session, event_id, actor=actor, locked=True)
    if event.withdrawn_at is not None or event.withdrawal_asked_at is not None or actor.user_id is None:
        raise NothingToWithdraw
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON:
        raise Invalid("reason", "请写明哪里登记错了，不超过500字")
    event.withdrawal_asked_by, event.withdrawal_asked_at = actor.user_id, now
    event.withdrawal_reason = vault.seal(f"life_events.withdrawal_reason.{event.uid}", words)
    session.flush()
    note(session, "ask_withdrawal", event, actor=actor)
    return event


def approve_withdrawal(session: Session, event_id: int, *, actor: Actor, now: datetime) -> Restored:
    """Take an event back and undo what it did. Raises NotFound, NothingToWithdraw, OwnWithdrawal."""
    event = events.find_event(session, event_id, actor=actor, locked=True)
    if event.withdrawn_at is not None or event.withdrawal_asked_at is None:
        raise NothingToWithdraw
    if actor.user_id is None or actor.user_id == event.withdrawal_asked_by:
        raise OwnWithdrawal
    event.withdrawn_by, event.withdrawn_at = actor.user_id, now
    session.flush()
    restored = undo(session, Correction(event, actor, now))
    note(session, "withdraw_event", event, actor=actor)
    return restored


def note(session: Session, deed: str, event: LifeEvent, *, actor: Actor) -> None:
    """The audit entry."""
    audit.record(session, f"care.{deed}", "life_events", event.id, actor=actor, community_id=event.community_id)


def undo(session: Session, correction: Correction) -> Restored:
    """Undo each effect in its own savepoint: one that cannot be undone is told and stops no other."""
    event, found = correction.event, Restored(correction.event)
    condoling.end_visits(session, event, reason=WRONG, now=correction.now)
    if event.kind == Event.HOSPITAL and event.resident_id is not None and event.until is None:
        day = event.happened_on
        care.end_absence(session, event.resident_id, AbsenceKind.HOSPITAL, until=day, actor=correction.actor)
    for effect in effects_of(session, event):
        restore = RESTORES.get(effect.subject)
        try:
            with session.begin_nested():
                is_done = restore is not None and restore(session, correction, effect.subject_id)
        except (DispatchError, IntegrityError) as error:
            log.warning("effect_not_undone", event_id=event.id, subject=effect.subject, error=type(error).__name__)
            is_done = False
        effect.undone = is_done
        (found.done if is_done else found.left).append((effect.subject, effect.subject_id))
    session.flush()
    return found


def effects_of(session: Session, event: LifeEvent) -> Sequence[LifeEffect]:
    """What an event did to rows of other tables, the register first: the others ask it where the home is."""
    query = select(LifeEffect).where(LifeEffect.event_id == event.id)
    rows = session.scalars(query.order_by(LifeEffect.subject, LifeEffect.subject_id)).all()
    order = tuple(RESTORES)
    return sorted(rows, key=lambda one: order.index(one.subject) if one.subject in order else len(order))


def programmes_left(session: Session, effects: Sequence[LifeEffect]) -> dict[int, Kind]:
    """The programmes of the enrolments that an event has ended, by enrolment; one query."""
    ids = [one.subject_id for one in effects if one.subject == "enrolments"]
    query = select(Enrolment.id, Programme.kind).join(Programme, Programme.id == Enrolment.programme_id)
    return {enrolment_id: Kind(kind) for enrolment_id, kind in session.execute(query.where(Enrolment.id.in_(ids)))}


def restore_resident(session: Session, correction: Correction, row_id: int) -> bool:
    """The person lives where they lived."""
    resident = session.get_one(Resident, row_id, with_for_update=True, populate_existing=True)
    register.come_back(session, resident, correction.event.household_id, actor=correction.actor)
    return True


def restore_residence(session: Session, _correction: Correction, row_id: int) -> bool:
    """The history of the home goes on."""
    session.get_one(Residence, row_id).valid_until = None
    session.flush()
    return True


def restore_stay(session: Session, _correction: Correction, row_id: int) -> bool:
    """A stay in hospital goes on."""
    session.get_one(LifeEvent, row_id, with_for_update=True, populate_existing=True).until = None
    session.flush()
    return True


def restore_absence(session: Session, _correction: Correction, row_id: int) -> bool:
    """Who was away is away still."""
    session.get_one(Absence, row_id, with_for_update=True, populate_existing=True).until = None
    session.flush()
    return True


def restore_visit(session: Session, correction: Correction, row_id: int) -> bool:
    """The visit that an earlier event owed is owed again."""
    return condoling.owe_again(session, row_id, now=correction.now)


def restore_enrolment(session: Session, correction: Correction, row_id: int) -> bool:
    """The enrolment goes on with its helpers and what it owed, unless somebody else has the place."""
    care.reopen(session, row_id, actor=correction.actor, now=correction.now)
    return True


def restore_schedule(session: Session, correction: Correction, row_id: int) -> bool:
    """The planned visits go on from now."""
    care.resume_schedule(session, row_id, actor=correction.actor, now=correction.now)
    return True


def restore_membership(session: Session, _correction: Correction, row_id: int) -> bool:
    """The group has its member again."""
    session.get_one(GroupMember, row_id).until = None
    session.flush()
    return True


def restore_invitation(session: Session, _correction: Correction, row_id: int) -> bool:
    """Asked anew whether they come."""
    hosting.invite_again(session, row_id)
    return True


def restore_voucher(session: Session, correction: Correction, row_id: int) -> bool:
    """The voucher may be used again, with the card that it has."""
    vouchers.thaw_voucher(session, row_id, actor=correction.actor, now=correction.now)
    return True


def call_back(session: Session, correction: Correction, row_id: int) -> bool:
    """The order for the device is called back, unless somebody has taken it."""
    order: Order = orders.lock(session, row_id)
    if OrderState(order.state) not in OPEN - WITH_PERFORMER:
        return False
    orders.void(session, order, reason=WRONG, actor=SYSTEM, now=correction.now)
    alarms.keep_device(session, order.id)
    return True


def restore_approval(session: Session, correction: Correction, row_id: int) -> bool:
    """What the love supermarket had approved holds again."""
    departing.hold_again(session, row_id, actor=correction.actor)
    return True


def restore_card(session: Session, correction: Correction, row_id: int) -> bool:
    """The card in the person's hand is good again."""
    departing.open_again(session, row_id, actor=correction.actor)
    return True


def restore_post(session: Session, correction: Correction, row_id: int) -> bool:
    """The post of the grid is theirs still, unless somebody else has it."""
    grid.hold_post_again(session, row_id, actor=correction.actor)
    return True


def restore_helper(session: Session, correction: Correction, row_id: int) -> bool:
    """Who was taken out of use as a helper may be asked again."""
    retiring.use_again(session, row_id, actor=correction.actor, now=correction.now)
    return True


def restore_pairing(session: Session, _correction: Correction, row_id: int) -> bool:
    """The helper is paired again, unless the elder has left the programme meanwhile."""
    pairing = session.get_one(PairedHelper, row_id, with_for_update=True, populate_existing=True)
    if session.get_one(Enrolment, pairing.enrolment_id).ends_on is not None:
        return False
    pairing.ends_on = None
    session.flush()
    return True


RESTORES: dict[str, Callable[[Session, Correction, int], bool]] = {
    "residents": restore_resident,
    "residences": restore_residence,
    "life_events": restore_stay,
    "absences": restore_absence,
    "condolences": restore_visit,
    "enrolments": restore_enrolment,
    "visit_schedules": restore_schedule,
    "care_group_members": restore_membership,
    "festival_invitations": restore_invitation,
    "vouchers": restore_voucher,
    "orders": call_back,
    "aid_applications": restore_approval,
    "cards": restore_card,
    "posts": restore_post,
    "performers": restore_helper,
    "pairing_helpers": restore_pairing,
}
"""How each effect is undone, in this order."""
