"""Delivering a notice: claimed before it leaves, marked afterwards, at most as often as its channel allows.

The door calls these in short transactions of their own; between them no transaction is open.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.catalogue import Performer
from dispatch.models.notify import Effect, Notice
from dispatch.rules.notify.delivery import AfterCrash, Channel, after_crash
from dispatch.services.access import vault
from dispatch.services.notify.alarms import raise_alarm
from dispatch.services.notify.inbox import link_token


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What leaves the house for one notice; `address` is empty where the performer has none."""

    notice_id: int
    message_id: str
    channel: Channel
    performer_code: str
    template: str
    facts: Mapping[str, Any]
    created_at: datetime
    sent_at: datetime
    sending: int
    address: str = field(repr=False)
    secret: str = field(repr=False)
    token: str | None = field(repr=False)


def lock_waiting(session: Session, notice_id: int) -> Notice | None:
    """The notice, locked, when it still waits to be delivered; None when there is nothing to do."""
    notice = session.get(Notice, notice_id, with_for_update=True, populate_existing=True)
    return notice if notice is not None and notice.state == "waiting" else None


def claim(
    session: Session, notice: Notice, facts: Mapping[str, Any] | None, *, pressing: bool, now: datetime
) -> Outgoing | None:
    """Write down that the message is being sent, before it is; None when it must not be sent (again).

    `facts` are what the notice may tell of its order, None when it is out of date: then it is superseded.
    The facts of the first claim are kept, so that a repeat has the same bytes.
    """
    effect = session.get(Effect, notice.dedupe, with_for_update=True, populate_existing=True)
    if facts is None:
        supersede(notice, effect)
        return None
    if effect is None:
        notice.facts = {**facts, **notice.facts}
        effect = Effect(dedupe=notice.dedupe, notice_id=notice.id, channel=notice.channel, attempts=0)
        session.add(effect)
    elif effect.state == "sending" and not may_repeat(notice, effect):
        give_up(session, notice, why="unknown", pressing=pressing)
        return None
    effect.state, effect.error, effect.started_at = "sending", None, now
    effect.attempts += 1
    session.flush()
    return outgoing(session, notice, effect.attempts)


def may_repeat(notice: Notice, effect: Effect) -> bool:
    """Whether a message whose sender ended without a word may leave again."""
    return after_crash(Channel(notice.channel), effect.attempts) is AfterCrash.SEND_AGAIN


def outgoing(session: Session, notice: Notice, sending: int) -> Outgoing:
    """The notice with its receiver's address and secret, unsealed for this one sending."""
    if notice.performer_id is None:
        return letter(session, notice, sending)
    performer = session.scalars(select(Performer).where(Performer.id == notice.performer_id)).one()
    channel = Channel(notice.channel)
    return Outgoing(
        notice_id=notice.id,
        message_id=notice.dedupe,
        channel=channel,
        performer_code=performer.code,
        template=notice.template,
        facts=notice.facts,
        created_at=notice.created_at,
        sent_at=clock.real(session),
        sending=sending,
        address=address_of(performer, channel),
        secret=opened(performer, "webhook_secret", performer.webhook_secret),
        token=link_token(notice),
    )


def letter(session: Session, notice: Notice, attempts: int) -> Outgoing:
    """A letter to somebody outside the house: its secret is the address."""
    return Outgoing(
        notice_id=notice.id,
        message_id=notice.dedupe,
        channel=Channel(notice.channel),
        performer_code="",
        template=notice.template,
        facts=notice.facts,
        created_at=notice.created_at,
        sent_at=clock.real(session),
        sending=attempts,
        address=link_token(notice) or "",
        secret="",
        token=None,
    )


def address_of(performer: Performer, channel: Channel) -> str:
    """Where the channel reaches the performer; empty when that is not known."""
    if channel is Channel.WEBHOOK:
        return performer.webhook_url or ""
    return opened(performer, "email", performer.email)


def opened(performer: Performer, column: str, sealed: bytes | None) -> str:
    """A sealed field of a performer; empty when there is none."""
    return "" if sealed is None else vault.open_sealed(f"performers.{column}.{performer.uid}", sealed)


def supersede(notice: Notice, effect: Effect | None) -> None:
    """The notice is out of date: it is not sent any more; whether an earlier sending arrived stays unknown."""
    notice.state, notice.secret = "superseded", None
    if effect is not None and effect.state == "sending":
        effect.state = "unknown"


def mark_sent(session: Session, notice_id: int, reference: str, *, now: datetime) -> None:
    """The receiver has it: note its reference and forget the link."""
    notice = session.get_one(Notice, notice_id, with_for_update=True, populate_existing=True)
    effect = session.get_one(Effect, notice.dedupe, with_for_update=True, populate_existing=True)
    effect.state, effect.sent_at, effect.receiver_reference = "sent", now, reference
    effect.error = None
    notice.state, notice.delivered_at, notice.secret = "delivered", now, None


def mark_failed(session: Session, notice_id: int, error: str, *, may_have_arrived: bool) -> None:
    """A try failed and another follows: what certainly did not arrive does not count as a sending."""
    notice = lock_waiting(session, notice_id)
    if notice is None:
        return
    effect = session.get_one(Effect, notice.dedupe, with_for_update=True, populate_existing=True)
    effect.error = error
    if not may_have_arrived:
        effect.state = "failed"
        effect.attempts = max(effect.attempts - 1, 0)


def give_up(session: Session, notice: Notice, *, why: str, pressing: bool) -> None:
    """Nothing more is tried: the desk is alarmed. `why`: refused, unreachable, or unknown (it may have arrived).

    The offer itself goes on: its round lapses at its hold time.
    """
    effect = session.get_one(Effect, notice.dedupe, with_for_update=True, populate_existing=True)
    effect.state = "unknown" if why == "unknown" else "failed"
    notice.state, notice.secret = "failed", None
    raise_alarm(
        session,
        kind="notice_not_delivered",
        subject=f"notice:{notice.dedupe}",
        level="emergency" if pressing else "warning",
        organisation_id=notice.organisation_id,
        community_id=notice.community_id,
        order_id=notice.order_id,
        facts={"why": why, "channel": notice.channel, "performer_id": notice.performer_id},
    )
