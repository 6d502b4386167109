"""Placing many orders at once: as `receive` does, in three statements however many they are."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.db import insert_rows, insert_together
from dispatch.models.access import AuditEntry
from dispatch.models.orders import Order, OrderEvent
from dispatch.rules.access.roles import Actor
from dispatch.rules.orders.number import RANDOM_BITS, make_number
from dispatch.rules.queue import Lane
from dispatch.services.grid import Place
from dispatch.services.orders.draft import OrderDraft
from dispatch.services.orders.place import AlreadyPlaced, Prepared, beginning, first_job, prepare


@dataclass(frozen=True, slots=True)
class Settled:
    """A draft whose place, and whose person, the caller has just read."""

    draft: OrderDraft
    where: Place


def receive_all(session: Session, settled: Sequence[Settled], *, actor: Actor, now: datetime) -> list[int]:
    """Place these orders, all or none, and give their ids in the same order.

    Raises what `receive` raises for the first that cannot be placed, AlreadyPlaced also where a number is taken: the
    caller goes back to its savepoint and places fewer at once.
    """
    ready = [prepare(session, one.draft, where=one.where, actor=actor, now=now) for one in settled]
    numbers = [make_number(clock.today(now), secrets.randbits(RANDOM_BITS)) for _ in ready]
    begun = [beginning(one, number, actor=actor, now=now) for one, number in zip(ready, numbers, strict=True)]
    rows = [{**values, "updated_at": now} for values, _ in begun]
    try:
        made = insert_rows(session, Order, rows, "RETURNING number, id").all()
    except IntegrityError as error:
        raise AlreadyPlaced from error
    by_number = {row.number: int(row.id) for row in made}
    ids = [by_number[number] for number in numbers]
    note_beginnings(session, [(order_id, *one) for order_id, one in zip(ids, begun, strict=True)])
    names = zip(ready, numbers, ids, strict=True)
    queue.enqueue_all(session, [job_of(session, one, number, order_id, now) for one, number, order_id in names])
    return ids


def note_beginnings(
    session: Session, begun: Sequence[tuple[int, Mapping[str, Any], Sequence[Mapping[str, Any]]]]
) -> None:
    """The history and the audit entry of each new order."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    events = [
        {
            **event,
            "order_id": order_id,
            "at": values["created_at"],
            "user_id": values["created_by"],
            "api_key_id": values["created_by_key"],
        }
        for order_id, values, its_events in begun
        for event in its_events
    ]
    entries = [
        {
            "at": values["created_at"],
            "action": "orders.place",
            "subject": "orders",
            "subject_id": order_id,
            "community_id": values["community_id"],
            "organisation_id": values["organisation_id"],
            "user_id": values["created_by"],
            "api_key_id": values["created_by_key"],
            "request_id": request_id,
        }
        for order_id, values, _ in begun
    ]
    insert_together(session, {OrderEvent: events, AuditEntry: entries})


def job_of(session: Session, prepared: Prepared, number: str, order_id: int, now: datetime) -> queue.NewJob:
    """The job that moves a new order on."""
    job = first_job(session, prepared, number, now=now)
    return queue.NewJob(job["kind"], Lane(job["lane"]), order_id, job["run_at"], job["dedupe"])
