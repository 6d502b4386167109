"""Signings that arrive late and are refused: the goods may be gone, so somebody has to look; never just lost."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.market import HandOut
from dispatch.rules.access.roles import Actor
from dispatch.rules.market.hand_outs import HandOutState, is_told_late
from dispatch.services import notify
from dispatch.services.access import audit, reach

REFUSED = "signing_refused"


def tell(session: Session, hand_out_id: int, signed_at: datetime | None, *, actor: Actor, now: datetime) -> bool:
    """Alarm and audit a refused signing that was made before it was told; False where nothing was handed out by it.

    What is done already is in the books. One alarm a facility stands until its stock is counted.
    """
    hand_out = session.scalars(
        select(HandOut).where(HandOut.id == hand_out_id, reach.visible(HandOut, actor))
    ).one_or_none()
    if hand_out is None or hand_out.state == HandOutState.DONE or not is_told_late(signed_at, now):
        return False
    community_id = hand_out.community_id
    audit.record(session, "market.refuse_signing", "hand_outs", hand_out.id, actor=actor, community_id=community_id)
    notify.raise_alarm(
        session,
        kind=REFUSED,
        subject=subject_of(hand_out.facility_id),
        level="warning",
        community_id=community_id,
        facts={"hand_out_id": hand_out.id},
    )
    return True


def counted(session: Session, facility_id: int, *, now: datetime) -> None:
    """What was missing was found by a count: its alarm is cleared."""
    notify.clear_alarms(session, kinds=(REFUSED,), subject=subject_of(facility_id), now=now)


def subject_of(facility_id: int) -> str:
    """What the alarm is about."""
    return f"facilities:{facility_id}:signings"
