"""Frames that were whole and could not be acted on: counted by account, reason and day, and never in silence."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import AlarmDevice, AlarmRefusal
from dispatch.rules.care.signals import PRESSING, Meaning
from dispatch.services import notify
from dispatch.services.orders.burial import desk_of_the_house

REFUSED = "device_refused"


class Reason(StrEnum):
    """Why a frame cannot be acted on."""

    UNKNOWN = "unknown"
    KEY = "key"
    PLAIN = "plain"
    CLOCK = "clock"
    FORMAT = "format"
    UNREADABLE = "unreadable"


def refuse(
    session: Session,
    account: str,
    reason: Reason,
    *,
    device: AlarmDevice | None = None,
    meaning: Meaning | None = None,
    now: datetime,
) -> None:
    """Count a refused frame and alarm the desk: of the device's community, else the top of the house.

    What reads as an alarm (`meaning`) is alarmed as one: the desk calls, whatever is wrong with the frame.
    """
    pressing = meaning in PRESSING
    community_id = None if device is None else device.community_id
    organisation_id = desk_of_the_house(session) if device is None else None
    statement = upsert(AlarmRefusal).values(
        community_id=community_id,
        organisation_id=organisation_id,
        account=account,
        reason=str(reason),
        day=clock.today(now),
        meaning=None if meaning is None else str(meaning),
        first_at=now,
        last_at=now,
    )
    changed = {"number": AlarmRefusal.number + 1, "last_at": now}
    if pressing:
        changed["meaning"] = str(meaning)
    session.execute(statement.on_conflict_do_update(index_elements=["account", "reason", "day"], set_=changed))
    notify.raise_alarm(
        session,
        kind=REFUSED,
        subject=f"account:{account}:{reason}:{'alarm' if pressing else 'frame'}",
        level="emergency" if pressing else "warning",
        organisation_id=organisation_id,
        community_id=community_id,
        facts={"account": account, "reason": str(reason), "device": "" if device is None else device.number},
    )


def clocks_are_right(session: Session, devices: Sequence[AlarmDevice], *, now: datetime) -> None:
    """These devices have reported under a good stamp: what was refused for the clock has been said again."""
    if devices:
        subjects = sorted({f"account:{one.account}:{Reason.CLOCK}:alarm" for one in devices})
        notify.clear_together(session, subjects, kinds=(REFUSED,), now=now)


def clear_refused(session: Session, device: AlarmDevice, *, now: datetime) -> None:
    """What was refused under the device's account is cured: it is heard again."""
    for reason in Reason:
        for what in ("alarm", "frame"):
            subject = f"account:{device.account}:{reason}:{what}"
            notify.clear_alarms(session, subject=subject, kinds=(REFUSED,), now=now)
