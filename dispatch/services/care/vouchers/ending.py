"""The end of a voucher: frozen at death, thawed if that was wrong; after its last day the rest goes to the fund."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.errors import Conflict
from dispatch.models.care import Voucher
from dispatch.models.funds import Earmark
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import CLOCK, Actor
from dispatch.rules.care.vouchers import VoucherState
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import EntryKind
from dispatch.rules.queue import Lane
from dispatch.services import funds
from dispatch.services.access import audit
from dispatch.services.care.vouchers.finding import find_voucher, grant_of, locking, purse_of
from dispatch.services.care.vouchers.warning import clear_warning

ORIGIN = "care.voucher_lapse"
LIVE = (str(VoucherState.OPEN), str(VoucherState.FROZEN))


class PersonGone(Conflict):
    """这位老人已经去世或迁出，服务券不能解冻"""


def freeze(session: Session, resident_id: int, *, actor: Actor, now: datetime) -> Sequence[Voucher]:
    """Freeze the open vouchers of somebody, as at death: nothing is taken of them any more. Said twice is said once."""
    query = select(Voucher).where(Voucher.resident_id == resident_id, Voucher.state == str(VoucherState.OPEN))
    found = session.scalars(locking(query.order_by(Voucher.id))).all()
    for voucher in found:
        voucher.state, voucher.frozen_at = str(VoucherState.FROZEN), now
        note(session, "freeze_voucher", voucher, actor=actor)
    session.flush()
    return found


def freeze_voucher(session: Session, voucher_id: int, *, actor: Actor, now: datetime) -> Voucher:
    """Freeze one by hand, as when somebody moves away; said twice is said once. Raises NotFound."""
    voucher = find_voucher(session, voucher_id, actor=actor, locked=True)
    if voucher.state == VoucherState.OPEN:
        voucher.state, voucher.frozen_at = str(VoucherState.FROZEN), now
        session.flush()
        note(session, "freeze_voucher", voucher, actor=actor)
    return voucher


def thaw_voucher(session: Session, voucher_id: int, *, actor: Actor, now: datetime) -> Voucher:
    """Let a frozen one be used again; said twice is said once. Raises NotFound, PersonGone, VoucherOver."""
    voucher = find_voucher(session, voucher_id, actor=actor, locked=True)
    state = purse_of(session, voucher).thaw(clock.today(now)).state
    if session.get_one(Resident, voucher.resident_id, populate_existing=True).left_at is not None:
        raise PersonGone
    if voucher.state != state:
        voucher.state, voucher.frozen_at = str(state), None
        session.flush()
        note(session, "thaw_voucher", voucher, actor=actor)
    return voucher


def lapse_vouchers(session: Session, *, now: datetime) -> int:
    """A job for each voucher whose last day is over; how many there are."""
    query = select(Voucher.id).where(Voucher.state.in_(LIVE), Voucher.expires_on < clock.today(now))
    found = session.scalars(query.order_by(Voucher.id)).all()
    for voucher_id in found:
        dedupe = f"care.lapse_voucher:{voucher_id}"
        queue.enqueue(session, "care.lapse_voucher", lane=Lane.PERIODIC, reference=voucher_id, dedupe=dedupe)
    return len(found)


def lapse_voucher(session: Session, voucher_id: int, *, now: datetime) -> bool:
    """Close a voucher and give what is left back to where it came from; False where there is nothing to close."""
    voucher = find_voucher(session, voucher_id, actor=CLOCK, locked=True)
    if voucher.state not in LIVE:
        return False
    purse = purse_of(session, voucher).lapse(clock.today(now))
    if purse.state is not VoucherState.OVER:
        return False
    if purse.returned:
        voucher.lapse_entry_id = funds.post(session, rest_of(session, voucher, purse.returned), actor=CLOCK, now=now).id
    voucher.state, voucher.ended_at = str(VoucherState.OVER), now
    session.get_one(Earmark, voucher.earmark_id).closed_at = now
    session.flush()
    clear_warning(session, voucher, now=now)
    note(session, "lapse_voucher", voucher, actor=CLOCK)
    return True


def rest_of(session: Session, voucher: Voucher, fen: int) -> Draft:
    """The draft that takes what is left back to the fund and wish from which it was granted."""
    grant = grant_of(session, voucher)
    lines = (
        *at(Dimension(grant.fund_id, earmark_id=voucher.earmark_id), grant.holding_id, -fen),
        *at(Dimension(grant.fund_id, earmark_id=grant.earmark_id), grant.holding_id, fen),
    )
    return Draft(
        voucher.community_id,
        EntryKind.LAPSE,
        lines,
        origin=ORIGIN,
        origin_id=voucher.id,
        facts={"voucher": voucher.number},
    )


def note(session: Session, deed: str, voucher: Voucher, *, actor: Actor) -> None:
    """The audit entry."""
    audit.record(session, f"care.{deed}", "vouchers", voucher.id, actor=actor, community_id=voucher.community_id)
