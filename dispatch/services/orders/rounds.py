"""Opening offer rounds: recipients with a link of their own, their notices, and the lapse of the round."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.db import Base, insert_together
from dispatch.models.catalogue import Service
from dispatch.models.orders import Offer as OfferRow
from dispatch.models.orders import OfferRecipient, Order
from dispatch.rules.orders.clocks import held_until
from dispatch.rules.orders.decision import Offer
from dispatch.rules.orders.urgency import PRESSING
from dispatch.rules.queue import Lane
from dispatch.services import notify

LINK_BYTES = 24


def link_hash(token: str) -> bytes:
    """What is stored of a link's token (192 random bits): its SHA-256."""
    return sha256(token.encode()).digest()


@dataclass(slots=True)
class Opened:
    """Rounds as rows, and what their recipients are told."""

    offers: list[dict[str, Any]] = field(default_factory=list)
    recipients: list[dict[str, Any]] = field(default_factory=list)
    notices: list[notify.PerformerNotice] = field(default_factory=list)

    @property
    def tables(self) -> dict[type[Base], list[dict[str, Any]]]:
        """The rows by table."""
        return {OfferRow: self.offers, OfferRecipient: self.recipients}


def open_rounds(session: Session, rounds: Sequence[tuple[Order, Service, Offer]], *, now: datetime) -> None:
    """Insert the rounds with their recipients, tell each recipient with a link of their own, set the lapses."""
    opened = rounds_as_rows(session, rounds, now=now)
    insert_together(session, opened.tables)
    queue.enqueue_all(session, tell_recipients(session, opened, now=now))


def rounds_as_rows(session: Session, rounds: Sequence[tuple[Order, Service, Offer]], *, now: datetime) -> Opened:
    """The rounds as rows with fresh ids; each recipient has a link of their own."""
    offer_ids, recipient_ids = fresh_ids(session, len(rounds), sum(len(offer.recipients) for _, _, offer in rounds))
    opened, free = Opened(), iter(recipient_ids)
    for offer_id, (order, service, offer) in zip(offer_ids, rounds, strict=True):
        opened.offers.append(offer_row(offer_id, order, service, now=now))
        for performer_id in offer.recipients:
            token, recipient_id = secrets.token_urlsafe(LINK_BYTES), next(free)
            opened.recipients.append(recipient_row(recipient_id, offer_id, order, performer_id, token, now=now))
            opened.notices.append(notice_of(recipient_id, order, performer_id, token))
    return opened


def tell_recipients(session: Session, opened: Opened, *, now: datetime) -> list[queue.NewJob]:
    """Write the notices of rounds; gives the jobs that deliver them and those that let the rounds lapse."""
    channels = note_offered(session, {row["performer_id"] for row in opened.recipients}, now=now)
    return [
        *notify.write_notices(session, opened.notices, channels, now=now),
        *(
            queue.NewJob("orders.lapse", Lane.DEADLINE, row["id"], row["hold_until"], f"orders.lapse:{row['id']}")
            for row in opened.offers
        ),
    ]


FRESH_IDS = text(
    "SELECT ARRAY(SELECT nextval('offers_id_seq') FROM generate_series(1, :offers)), "
    "ARRAY(SELECT nextval('offer_recipients_id_seq') FROM generate_series(1, :recipients))"
)


def fresh_ids(session: Session, offers: int, recipients: int) -> tuple[list[int], list[int]]:
    """So many fresh ids of offers and of recipients."""
    # past the session, which would write the orders one by one before it asks
    row = session.connection().execute(FRESH_IDS, {"offers": offers, "recipients": recipients}).one()
    return row[0], row[1]


def offer_row(offer_id: int, order: Order, service: Service, *, now: datetime) -> dict[str, Any]:
    """A round as a row: held as long as its kind says, past an hour not beyond the time that is wanted."""
    return {
        "id": offer_id,
        "community_id": order.community_id,
        "order_id": order.id,
        "round": order.rounds,
        "cycle": order.cycle,
        "mode": service.given,
        "opened_at": now,
        "hold_until": held_until(service.hold_minutes, order.wanted_from, now=now),
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


# Locked by id, so that two runs never deadlock.
NOTE_OFFERED = text(
    "UPDATE performers SET last_offered_at = :now FROM (SELECT id FROM performers WHERE id = ANY (:ids) "
    "ORDER BY id FOR NO KEY UPDATE) AS locked WHERE performers.id = locked.id "
    "RETURNING performers.id, channel, organisation_id"
)


def note_offered(session: Session, performer_ids: Iterable[int], *, now: datetime) -> dict[int, tuple[str, int]]:
    """Remember when each performer was last offered something; gives the channel and organisation of each."""
    rows = session.connection().execute(NOTE_OFFERED, {"ids": sorted(performer_ids), "now": now})
    return {performer_id: (channel, organisation_id) for performer_id, channel, organisation_id in rows}
