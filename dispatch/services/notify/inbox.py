"""The inbox of a worker or a performer of the app, with read receipts (rules.md §2, the down-link)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.notify import Notice
from dispatch.rules.access.roles import Actor
from dispatch.services.access import audit, vault
from dispatch.services.notify.tell import secret_place

MOST_SHOWN = 100


def own(actor: Actor) -> ColumnElement[bool]:
    """The notices that are addressed to this actor as a user or as a performer."""
    parts: list[ColumnElement[bool]] = []
    if actor.user_id is not None:
        parts.append(Notice.user_id == actor.user_id)
    if actor.performer_id is not None:
        parts.append(Notice.performer_id == actor.performer_id)
    return or_(false(), *parts)


def inbox_of(
    session: Session,
    *,
    actor: Actor,
    unread: bool = False,
    before: int | None = None,
    limit: int = MOST_SHOWN,
) -> Sequence[Notice]:
    """The actor's own notices, newest first; `before` is the id of the last one of the page before."""
    query = select(Notice).where(own(actor), Notice.state != "superseded")
    if unread:
        query = query.where(Notice.read_at.is_(None))
    if before is not None:
        query = query.where(Notice.id < before)
    return session.scalars(query.order_by(Notice.id.desc()).limit(min(limit, MOST_SHOWN))).all()


def unread_count(session: Session, *, actor: Actor) -> int:
    """How many of the actor's notices have not been read."""
    query = select(func.count()).where(own(actor), Notice.read_at.is_(None), Notice.state != "superseded")
    return session.execute(query).scalar_one()


def link_token(notice: Notice) -> str | None:
    """The token of a notice's link while it is kept (in the house: always; elsewhere until it was sent)."""
    return None if notice.secret is None else vault.open_sealed(secret_place(notice.dedupe), notice.secret)


def mark_read(session: Session, notice_id: int, *, actor: Actor, now: datetime) -> Notice:
    """Note that the receiver read a notice; said twice is said once. Raises NotFound for another's."""
    notice = session.scalars(select(Notice).where(Notice.id == notice_id, own(actor)).with_for_update()).one_or_none()
    if notice is None:
        raise NotFound
    if notice.read_at is None:
        notice.read_at = now
        audit.record(session, "notify.mark_read", "notices", notice.id, actor=actor, community_id=notice.community_id)
    return notice
