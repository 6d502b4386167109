"""Signed messages that come in from performers: believed by their secret, and each taken once."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from dispatch.models.catalogue import Performer
from dispatch.models.notify import WebhookReceipt
from dispatch.rules.notify.signature import SignatureFault, verify
from dispatch.services.notify.deliver import opened


def find_sender(
    session: Session, code: str, header: str, body: bytes, *, seconds: int
) -> tuple[int | None, SignatureFault | None]:
    """The performer of this code who signed the body, or why nobody is believed.

    `seconds` is the real time since 1970: a signature binds it, whatever a demo's clock shows. The same code
    may stand in two districts: each has a secret of its own, which decides. An unknown code is a wrong
    signature: nobody learns here which codes exist.
    """
    fault = SignatureFault.WRONG
    for performer in performers_of(session, code):
        secret = opened(performer, "webhook_secret", performer.webhook_secret)
        found = verify(secret, header, body, seconds)
        if found is None:
            return performer.id, None
        if found is not SignatureFault.WRONG:
            fault = found
    return None, fault


def performers_of(session: Session, code: str) -> Sequence[Performer]:
    """The active performers of a code that have a secret."""
    return session.scalars(
        select(Performer)
        .where(Performer.code == code, Performer.is_active, Performer.webhook_secret.is_not(None))
        .order_by(Performer.id)
    ).all()


def take_once(session: Session, performer_id: int, message_id: str) -> bool:
    """Note that a message came in; False when it had come before: a replay does nothing."""
    row = session.execute(
        upsert(WebhookReceipt)
        .values(performer_id=performer_id, message_id=message_id)
        .on_conflict_do_nothing(index_elements=["performer_id", "message_id"])
        .returning(WebhookReceipt.id)
    )
    return row.one_or_none() is not None
