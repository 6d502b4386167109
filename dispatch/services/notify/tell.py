"""Telling: a notice for a performer (through their channel) or a user (in their inbox), each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.db import insert_rows
from dispatch.errors import NotFound
from dispatch.models.access import Membership
from dispatch.models.catalogue import Performer
from dispatch.models.notify import Notice
from dispatch.rules.queue import Lane
from dispatch.services.access import vault

IN_THE_HOUSE = "app"
UNLESS_TOLD = "ON CONFLICT (dedupe) DO NOTHING RETURNING id, dedupe, channel"
NO_FACTS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class PerformerNotice:
    """What a performer must be told: `dedupe` makes it happen once, `link_token` opens the phone page.

    `facts` hold codes and ids, never personal data; the order's own facts are read when it is sent.
    """

    dedupe: str
    template: str
    performer_id: int
    order_id: int | None
    lane: Lane
    community_id: int | None = None
    offer_recipient_id: int | None = None
    link_token: str | None = field(default=None, repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict)


def secret_place(dedupe: str) -> str:
    """Where the link token of a notice is sealed."""
    return f"notices.secret.{dedupe}"


def tell_performers(session: Session, notices: Sequence[PerformerNotice], *, now: datetime) -> None:
    """Write many notices and their jobs in a few statements; what was told before (same dedupe) stays.

    Webhook and e-mail leave the house by a job "notify.deliver"; a performer of the app has an inbox here.
    """
    channels = channels_of(session, {notice.performer_id for notice in notices})
    queue.enqueue_all(session, write_notices(session, notices, channels, now=now))


def write_notices(
    session: Session, notices: Sequence[PerformerNotice], channels: Mapping[int, tuple[str, int]], *, now: datetime
) -> list[queue.NewJob]:
    """Write notices to performers of whom channel and organisation are known; gives the jobs that deliver them."""
    if not notices:
        return []
    made = insert_rows(session, Notice, [notice_row(one, channels, now) for one in notices], UNLESS_TOLD).all()
    lanes = {notice.dedupe: notice.lane for notice in notices}
    return [
        queue.NewJob("notify.deliver", lanes[row.dedupe], row.id, now, f"notify.deliver:{row.id}")
        for row in made
        if row.channel != IN_THE_HOUSE
    ]


def channels_of(session: Session, ids: set[int]) -> dict[int, tuple[str, int]]:
    """Channel and organisation of performers by id."""
    rows = session.execute(
        select(Performer.id, Performer.channel, Performer.organisation_id).where(Performer.id.in_(ids))
    )
    return {row.id: (row.channel, row.organisation_id) for row in rows}


def notice_row(notice: PerformerNotice, performers: Mapping[int, tuple[str, int]], now: datetime) -> dict[str, Any]:
    """The row of a notice; raises NotFound for a performer out of reach."""
    if notice.performer_id not in performers:
        raise NotFound
    channel, organisation_id = performers[notice.performer_id]
    token = notice.link_token
    stays = channel == IN_THE_HOUSE
    return {
        "dedupe": notice.dedupe,
        "community_id": notice.community_id,
        "organisation_id": organisation_id,
        "template": notice.template,
        "performer_id": notice.performer_id,
        "order_id": notice.order_id,
        "offer_recipient_id": notice.offer_recipient_id,
        "channel": channel,
        "facts": dict(notice.facts),
        "secret": None if token is None else vault.seal(secret_place(notice.dedupe), token),
        "state": "delivered" if stays else "waiting",
        "created_at": now,
        "delivered_at": now if stays else None,
    }


def tell_performer(
    session: Session,
    *,
    dedupe: str,
    template: str,
    performer_id: int,
    order_id: int | None,
    lane: Lane,
    now: datetime,
    offer_recipient_id: int | None = None,
    link_token: str | None = None,
    community_id: int | None = None,
    facts: Mapping[str, Any] = NO_FACTS,
) -> None:
    """Tell one performer once; see tell_performers."""
    notice = PerformerNotice(
        dedupe=dedupe,
        template=template,
        performer_id=performer_id,
        order_id=order_id,
        lane=lane,
        community_id=community_id,
        offer_recipient_id=offer_recipient_id,
        link_token=link_token,
        facts=facts,
    )
    tell_performers(session, [notice], now=now)


def tell_user(
    session: Session,
    *,
    dedupe: str,
    template: str,
    user_id: int,
    now: datetime,
    order_id: int | None = None,
    facts: Mapping[str, Any] = NO_FACTS,
) -> None:
    """Put a notice into a user's inbox, once; it stands with the organisation where the user has a role."""
    roles = select(Membership.organisation_id).where(Membership.user_id == user_id).order_by(Membership.id)
    session.execute(
        upsert(Notice)
        .values(
            dedupe=dedupe,
            organisation_id=session.execute(roles.limit(1)).scalar_one_or_none(),
            template=template,
            user_id=user_id,
            order_id=order_id,
            channel=IN_THE_HOUSE,
            facts=dict(facts),
            state="delivered",
            created_at=now,
            delivered_at=now,
        )
        .on_conflict_do_nothing(index_elements=["dedupe"])
    )
