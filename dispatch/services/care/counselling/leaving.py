"""A counsellor who counsels no more: whoever has a time with them is told, so that nobody comes to a shut door."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, NotFound
from dispatch.models.care import Appointment, CounsellingSlot, Counsellor
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.counselling import AppointmentState, EndedBy
from dispatch.services.access import reach
from dispatch.services.care.counselling import counsellors, keeping

STILL_TO_COME = (AppointmentState.OFFERED, AppointmentState.BOOKED)


class ToBeTelephoned(Conflict):
    """还有 %(people)s 个预约没有留邮箱：请先由咨询师打电话告知，并取消这些预约，再结束"""


def end(session: Session, counsellor_id: int, *, actor: Actor, now: datetime) -> Counsellor:
    """A counsellor counsels no more here: coming appointments are cancelled by letter and times are taken back.

    Said twice is said once. Raises NotFound, ToBeTelephoned where somebody can be told by telephone only: the number
    is the counsellor's to read.
    """
    query = select(Counsellor).where(Counsellor.id == counsellor_id, reach.visible(Counsellor, actor))
    counsellor = session.scalars(query.with_for_update(key_share=True)).one_or_none()
    if counsellor is None:
        raise NotFound
    if counsellor.ended_at is None:
        counsellor.ended_at = now
        session.flush()
        cancel_coming(session, counsellor, actor=actor, now=now)
        counsellors.note(session, "end_counsellor", counsellor, actor=actor)
    return counsellor


def cancel_coming(session: Session, counsellor: Counsellor, *, actor: Actor, now: datetime) -> None:
    """Cancel every appointment that has not begun, then take the times back.

    The locks come in the order in which a client's own cancelling takes them; raises Conflict where somebody has
    booked in between.
    """
    is_coming = (
        Appointment.counsellor_id == counsellor.id,
        Appointment.state.in_(STILL_TO_COME),
        func.lower(Appointment.during) > now,
    )
    coming = session.scalars(keeping.locked(select(Appointment).where(*is_coming).order_by(Appointment.id))).all()
    if without := sum(1 for one in coming if one.email is None):
        raise ToBeTelephoned(people=without)
    for appointment in coming:
        keeping.cancel(session, appointment, EndedBy.COUNSELLOR, actor=actor, now=now)
    open_times = select(CounsellingSlot).where(
        CounsellingSlot.counsellor_id == counsellor.id,
        CounsellingSlot.withdrawn_at.is_(None),
        func.lower(CounsellingSlot.during) > now,
    )
    times = session.scalars(open_times.order_by(CounsellingSlot.id).with_for_update()).all()
    if session.execute(select(Appointment.id).where(*is_coming)).first() is not None:
        raise Conflict
    for one in times:
        one.withdrawn_at = now
    session.flush()
