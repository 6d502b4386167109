"""Letters: an e-mail, once, to somebody outside the house who asked for it; its address is forgotten then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to be written: `dedupe` makes it happen once."""

    dedupe: str
    address: str = field(repr=False)
    community_id: int
    facts: Mapping[str, Any]
    template: str = THANKS
    lane: Lane = Lane.NOTIFY


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
    write_letters(session, [Letter(dedupe, address, community_id, facts, template, lane)], now=now)


def write_letters(session: Session, letters: Sequence[Letter], *, now: datetime) -> None:
    """Write letters and the jobs that send them, in two statements; what was written before stays alone."""
    if not letters:
        return
    made = insert_rows(session, Notice, [letter_row(one, now=now) for one in letters], UNLESS_TOLD).all()
    lanes = {one.dedupe: one.lane for one in letters}
    jobs = [queue.NewJob("notify.deliver", lanes[one.dedupe], one.id, now, f"notify.deliver:{one.id}") for one in made]
    queue.enqueue_all(session, jobs)


def letter_row(letter: Letter, *, now: datetime) -> dict[str, Any]:
    """A letter as a row; its address is sealed."""
    return {
        "dedupe": letter.dedupe,
        "community_id": letter.community_id,
        "organisation_id": letter.community_id,
        "template": letter.template,
        "channel": str(Channel.EMAIL),
        "facts": dict(letter.facts),
        "secret": vault.seal(secret_place(letter.dedupe), letter.address),
        "state": "waiting",
        "created_at": now,
    }
