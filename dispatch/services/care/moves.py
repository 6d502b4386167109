"""Who moved within the community: a device that stayed behind, a paired home where nobody lives any more."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.care import AlarmDevice, Enrolment
from dispatch.models.grid import Resident
from dispatch.rules.care.devices import WATCHED
from dispatch.services import notify
from dispatch.services.care.nests import CHANGED
from dispatch.services.notify.alarms import NewAlarm

ELSEWHERE = "device_elsewhere"


def tell_moves(session: Session) -> int:
    """Alarm what the register says of moves: helpers would go to the old door; how many. Two queries."""
    told = left_behind(session) + left_empty(session)
    notify.raise_alarms(session, told)
    return len(told)


def left_behind(session: Session) -> list[NewAlarm]:
    """The devices that stand in another home than their elder's."""
    rows = session.scalars(
        select(AlarmDevice)
        .join(Resident, Resident.id == AlarmDevice.resident_id)
        .where(
            AlarmDevice.state.in_([str(one) for one in WATCHED]),
            AlarmDevice.recovery_order_id.is_(None),
            Resident.left_at.is_(None),
            Resident.household_id.is_distinct_from(AlarmDevice.household_id),
        )
        .order_by(AlarmDevice.id)
    )
    return [
        NewAlarm(ELSEWHERE, f"device:{one.id}", "warning", one.community_id, {"device": one.number}) for one in rows
    ]


def left_empty(session: Session) -> list[NewAlarm]:
    """The paired homes in which nobody is registered."""
    lives = select(Resident.id).where(Resident.household_id == Enrolment.household_id, Resident.left_at.is_(None))
    rows = session.scalars(
        select(Enrolment)
        .where(Enrolment.ends_on.is_(None), Enrolment.household_id.is_not(None), ~lives.exists())
        .order_by(Enrolment.id)
    )
    return [
        NewAlarm(CHANGED, f"enrolment:{one.id}", "warning", one.community_id, {"enrolment": one.id}) for one in rows
    ]
