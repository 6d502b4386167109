"""What one person asks for and another decides: a grant of vouchers, a redemption that is taken back."""

from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.care import VoucherGrant, VoucherRefund
from dispatch.rules.access.roles import Actor
from dispatch.rules.orders.intake import check_text
from dispatch.services import notify
from dispatch.services.access import audit
from dispatch.services.access.reach import visible
from dispatch.services.care.vouchers.finding import locking

LONGEST_REASON = 200
WAITS = {VoucherGrant: "voucher_grant_waits", VoucherRefund: "voucher_refund_waits"}
Asked = TypeVar("Asked", VoucherGrant, VoucherRefund)


class OwnRequest(NotAllowed):
    """提出申请的人不能自己审批，请另一位来审批"""


class RequestDecided(Conflict):
    """这件申请已经有了结果，不能再改"""


def asked(session: Session, made: Asked, amount: str, *, actor: Actor) -> Asked:
    """Keep what is asked for; whoever may decide is alarmed."""
    session.add(made)
    session.flush()
    note(session, "ask", made, actor=actor)
    notify.raise_alarm(
        session,
        kind=WAITS[type(made)],
        subject=subject_of(made),
        level="notice",
        community_id=made.community_id,
        facts={"amount": amount},
    )
    return made


def waiting(session: Session, model: type[Asked], asked_id: int, *, actor: Actor) -> Asked:
    """What waits in reach, locked; raises NotFound, RequestDecided."""
    query = select(model).where(model.id == asked_id, visible(model, actor))
    found = session.scalars(locking(query)).one_or_none()
    if found is None:
        raise NotFound
    if found.state != "asked":
        raise RequestDecided
    return found


def own(session: Session, model: type[Asked], asked_id: int, *, actor: Actor) -> Asked:
    """What somebody asked for and may take back; raises NotFound, RequestDecided, NotAllowed."""
    found = waiting(session, model, asked_id, actor=actor)
    if (found.asked_by, found.asked_by_key) != (actor.user_id, actor.key_alone):
        raise NotAllowed
    return found


def decidable(session: Session, model: type[Asked], asked_id: int, *, actor: Actor) -> Asked:
    """What this person, and no machine, may decide; raises NotFound, RequestDecided, OwnRequest, NotAllowed."""
    found = waiting(session, model, asked_id, actor=actor)
    if actor.user_id is None:
        raise NotAllowed
    if actor.user_id == found.asked_by:
        raise OwnRequest
    return found


def given_reason(reason: str) -> str:
    """The words of a refusal; raises Invalid("reason")."""
    words = check_text("reason", reason, LONGEST_REASON)
    if not words:
        raise Invalid("reason", "请写明不批准的理由")
    return words


def decide(
    session: Session, made: VoucherGrant | VoucherRefund, state: StrEnum, *, actor: Actor, now: datetime
) -> None:
    """Write down what became of it; its alarm is cleared."""
    made.state, made.decided_by, made.decided_at = str(state), actor.user_id, now
    session.flush()
    note(session, str(state), made, actor=actor)
    notify.clear_alarms(session, kinds=(WAITS[type(made)],), subject=subject_of(made), now=now)


def note(session: Session, deed: str, made: VoucherGrant | VoucherRefund, *, actor: Actor) -> None:
    """The audit entry."""
    table = made.__tablename__
    action = f"care.{table.removesuffix('s')}_{deed}"
    audit.record(session, action, table, made.id, actor=actor, community_id=made.community_id)


def subject_of(made: VoucherGrant | VoucherRefund) -> str:
    """What an alarm is about."""
    return f"{made.__tablename__}:{made.id}"
