"""Telling what happened, whatever it was: each event goes to who keeps it."""

from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.errors import NotAllowed
from dispatch.models.care import LifeEvent
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.events import Event
from dispatch.services import notify
from dispatch.services.care import events
from dispatch.services.care.events import EventDraft
from dispatch.services.life.leaving import TOLD, record_death, record_move

KEPT_BY = {Event.DEATH: record_death, Event.MOVED_AWAY: record_move}


def tell(session: Session, draft: EventDraft, *, actor: Actor, now: datetime) -> LifeEvent | None:
    """Keep what was told. A death that is told by who may not record one becomes an alarm for who may: then None.

    Raises Invalid naming the field, NotAllowed for a move, AlreadyTold, NotInHospital.
    """
    keep = KEPT_BY.get(draft.kind)
    if keep is None:
        return events.tell(session, draft, actor=actor, now=now)
    if actor.may(Right.LIFE_RUN):
        return keep(session, draft, actor=actor, now=now)
    if draft.kind is not Event.DEATH:
        raise NotAllowed
    community_id = events.community_of(session, draft, actor=actor)
    subject = f"residents:{draft.resident_id}"
    notify.raise_alarm(session, kind=TOLD, subject=subject, level="warning", community_id=community_id)
    return None
