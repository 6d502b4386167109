"""Letters: an e-mail, once, to somebody outside the house who asked for it; its address is forgotten then."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.db import insert_rows
from dispatch.models.notify import Notice
from dispatch.rules.notify.delivery import Channel
from dispatch.rules.queue import Lane
from dispatch.services.access import vault
from dispatch.services.notify.tell import UNLESS_TOLD, secret_place

THANKS = "thanks"
ALARM_RAISED = "alarm_raised"
ALARM_ENDED = "alarm_ended"
MONTHLY_VISIT = "monthly_visit"
APPOINTMENT, APPOINTMENT_OFFER, APPOINTMENT_OVER = "appointment", "appointment_offer", "appointment_over"
"""The letters that there are; the database knows them as the notices without a receiver of the house."""


def write_letter(
    session: Session,
    *,
    dedupe: str,
    address: str,
    community_id: int,
    facts: Mapping[str, Any],
    now: datetime,
    template: str = THANKS,
    lane: Lane = Lane.NOTIFY,
) -> None:
    """Write a letter and the job that sends it; one that was written before (same dedupe) stays alone."""
    row = {
        "dedupe": dedupe,
        "community_id": community_id,
        "organisation_id": community_id,
        "template": template,
        "channel": str(Channel.EMAIL),
        "facts": dict(facts),
        "secret": vault.seal(secret_place(dedupe), address),
        "state": "waiting",
        "created_at": now,
    }
    made = insert_rows(session, Notice, [row], UNLESS_TOLD).all()
    jobs = [queue.NewJob("notify.deliver", lane, one.id, now, f"notify.deliver:{one.id}") for one in made]
    queue.enqueue_all(session, jobs)
