"""Who did work here has died: out of use, and whatever was asked of them is asked of others."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.catalogue import Performer
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.sharing import Leave
from dispatch.services import catalogue, notify, orders
from dispatch.services.care import condoling, handing

GONE = "helper_gone"
REASON = "这位执行人不再来，改派别人"


def subject_of(performer: Performer) -> str:
    """How an alarm names somebody who does work."""
    return f"performers:{performer.id}"


def stand_down(session: Session, resident_id: int, *, actor: Actor, now: datetime) -> Iterable[tuple[str, int]]:
    """Take whoever is this resident out of use, and give what they had to others; the rows that ended, by table.

    Duties, planned visits, visits of 三访 and orders; where nobody else can come, the alarms of these say so.
    """
    query = select(Performer).where(Performer.resident_id == resident_id, Performer.is_active).order_by(Performer.id)
    for performer in session.scalars(query.with_for_update().execution_options(populate_existing=True)).all():
        catalogue.set_use(session, performer, in_use=False, actor=actor)
        yield "performers", performer.id
        for pairing_id in handing.end_pairings(session, performer.id, clock.today(now)):
            yield "pairing_helpers", pairing_id
        handing.pass_on(session, performer.id, Leave(clock.today(now), None), actor=actor, now=now)
        condoling.name_others(session, performer.id, now=now)
        at_work = orders.take_all(session, performer, reason=REASON, actor=actor, now=now)
        tell_desk(session, performer, at_work)


def tell_desk(session: Session, performer: Performer, at_work: int) -> None:
    """Say what only people can do: close the account, and decide about work that had begun."""
    if at_work or performer.user_id is not None:
        notify.raise_alarm(
            session,
            kind=GONE,
            subject=subject_of(performer),
            level="warning",
            community_id=performer.community_id,
            facts={"performer_id": performer.id, "at_work": at_work},
        )


def use_again(session: Session, performer_id: int, *, actor: Actor, now: datetime) -> None:
    """It was wrong that they had died: they may be asked again; what went to others stays there."""
    performer = session.get_one(Performer, performer_id, with_for_update=True, populate_existing=True)
    catalogue.set_use(session, performer, in_use=True, actor=actor)
    notify.clear_alarms(session, kinds=(GONE,), subject=subject_of(performer), now=now)
