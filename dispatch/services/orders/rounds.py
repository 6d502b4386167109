"""Opening offer rounds: recipients with a link of their own, their notices, and the lapse of the round."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import Table, select, text, update
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.db import insert_rows
from dispatch.models.catalogue import Performer, Service
from dispatch.models.orders import Offer as OfferRow
from dispatch.models.orders import OfferRecipient, Order
from dispatch.rules.orders.decision import Offer
from dispatch.rules.orders.urgency import PRESSING
from dispatch.rules.queue import Lane
from dispatch.services import notify

LINK_BYTES = 24
PERFORMERS = cast("Table", Performer.__table__)


def link_hash(token: str) -> bytes:
    """What is stored of a link's token (192 random bits): its SHA-256."""
    return sha256(token.encode()).digest()


def open_rounds(session: Session, rounds: Sequence[tuple[Order, Service, Offer]], *, now: datetime) -> None:
    """Insert the rounds with their recipients, tell each recipient with a link of their own, set the lapses."""
    ids = next_ids(session, "offers_id_seq", len(rounds))
    count = sum(len(offer.recipients) for _, _, offer in rounds)
    recipient_ids = iter(next_ids(session, "offer_recipients_id_seq", count))
    offers, recipients, notices = [], [], []
    for offer_id, (order, service, offer) in zip(ids, rounds, strict=True):
        offers.append(offer_row(offer_id, order, service, now=now))
        for performer_id in offer.recipients:
            token, recipient_id = secrets.token_urlsafe(LINK_BYTES), next(recipient_ids)
            recipients.append(recipient_row(recipient_id, offer_id, order, performer_id, token, now=now))
            notices.append(notice_of(recipient_id, order, performer_id, token))
    insert_rows(session, OfferRow, offers)
    insert_rows(session, OfferRecipient, recipients)
    lapses = [(row["id"], row["hold_until"], f"orders.lapse:{row['id']}") for row in offers]
    queue.enqueue_many(session, "orders.lapse", lane=Lane.DEADLINE, rows=lapses)
    notify.tell_performers(session, notices, now=now)
    note_offered(session, {row["performer_id"] for row in recipients}, now=now)


def next_ids(session: Session, sequence: str, count: int) -> list[int]:
    """`count` fresh ids of a sequence in one query."""
    query = text("SELECT nextval(cast(:sequence AS regclass)) FROM generate_series(1, :count)")
    return list(session.scalars(query, {"sequence": sequence, "count": count}))


def offer_row(offer_id: int, order: Order, service: Service, *, now: datetime) -> dict[str, Any]:
    """A round as a row: held as long as its kind says."""
    return {
        "id": offer_id,
        "community_id": order.community_id,
        "order_id": order.id,
        "round": order.rounds,
        "cycle": order.cycle,
        "mode": service.given,
        "opened_at": now,
        "hold_until": now + timedelta(minutes=service.hold_minutes),
    }


def recipient_row(
    recipient_id: int, offer_id: int, order: Order, performer_id: int, token: str, *, now: datetime
) -> dict[str, Any]:
    """A recipient as a row; of the link only the hash is kept."""
    return {
        "id": recipient_id,
        "community_id": order.community_id,
        "offer_id": offer_id,
        "performer_id": performer_id,
        "link_hash": link_hash(token),
        "opened_at": now,
    }


def notice_of(recipient_id: int, order: Order, performer_id: int, token: str) -> notify.PerformerNotice:
    """What the recipient is told, once."""
    return notify.PerformerNotice(
        dedupe=f"offer:{recipient_id}",
        template="offer",
        performer_id=performer_id,
        order_id=order.id,
        community_id=order.community_id,
        offer_recipient_id=recipient_id,
        link_token=token,
        lane=Lane.EMERGENCY if order.urgency in PRESSING else Lane.NOTIFY,
    )


def note_offered(session: Session, performer_ids: Iterable[int], *, now: datetime) -> None:
    """Remember when each performer was last offered something; locked by id, so that two runs never deadlock."""
    ids = sorted(performer_ids)
    connection = session.connection()
    connection.execute(
        select(PERFORMERS.c.id)
        .where(PERFORMERS.c.id.in_(ids))
        .order_by(PERFORMERS.c.id)
        .with_for_update(key_share=True)
    )
    connection.execute(update(PERFORMERS).where(PERFORMERS.c.id.in_(ids)).values(last_offered_at=now))
