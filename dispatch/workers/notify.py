"""Delivering notices: claim, send with no transaction open, mark."""

from collections.abc import Callable

import structlog
from sqlalchemy.orm import Session

from config.settings import get_settings
from dispatch import clock
from dispatch.errors import Unavailable
from dispatch.gateways import messages
from dispatch.gateways.messages import Message, Refused, Uncertain
from dispatch.queue import Claimed
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.notify import texts
from dispatch.rules.notify.delivery import Channel, is_last_try
from dispatch.rules.queue import Lane
from dispatch.services.notify import deliver as delivery
from dispatch.services.notify.deliver import Outgoing
from dispatch.services.orders import told
from dispatch.transaction import transaction

log = structlog.get_logger()


def deliver(job: Claimed) -> None:
    """Deliver the notice of a job; raises Unavailable when it is to be tried again later.

    Run twice is sent once where the receiver dedupes, else at most twice. The last failure alarms the desk.
    """
    outgoing = prepare(job)
    if outgoing is None:
        return
    try:
        reference = messages.send(message_of(outgoing))
    except Refused:
        stop(job, outgoing, why="refused")
    except Unavailable as error:
        may_have_arrived = isinstance(error, Uncertain)
        if not is_last_try(job.attempts):
            again(job, outgoing, may_have_arrived=may_have_arrived)
            raise
        stop(job, outgoing, why="unknown" if may_have_arrived else "unreachable")
    else:
        with transaction(EVERYTHING) as session:
            delivery.mark_sent(session, outgoing.notice_id, reference, now=clock.now(session))
        log.info("notice_sent", notice_id=outgoing.notice_id, sending=outgoing.sending)


def prepare(job: Claimed) -> Outgoing | None:
    """Claim the effect and read what to send, in one transaction; None when there is nothing to send."""
    with transaction(EVERYTHING) as session:
        notice = delivery.lock_waiting(session, job.reference or 0)
        if notice is None:
            return None
        now = clock.now(session)
        facts = told.facts_for(session, notice, now=now)
        return delivery.claim(session, notice, facts, pressing=is_pressing(job), now=now)


def is_pressing(job: Claimed) -> bool:
    """Whether the notice is about an emergency."""
    return job.lane == Lane.EMERGENCY


def message_of(outgoing: Outgoing) -> Message:
    """The message of a notice: nothing in it but what is stored, so that a repeat has the same bytes."""
    link = f"{get_settings().base_url}/w/{outgoing.token}" if outgoing.token else ""
    is_webhook = outgoing.channel is Channel.WEBHOOK
    body = texts.webhook_body(
        message_id=outgoing.message_id,
        template=outgoing.template,
        performer_code=outgoing.performer_code,
        facts=outgoing.facts,
        link=link,
        created_at=outgoing.created_at,
    )
    return Message(
        channel=outgoing.channel,
        message_id=outgoing.message_id,
        order_number=str(outgoing.facts.get("number", "")),
        address=outgoing.address,
        created_at=outgoing.created_at,
        sent_at=outgoing.sent_at,
        body=body if is_webhook else b"",
        subject=texts.subject_of(outgoing.template, outgoing.facts),
        text=texts.text_of(outgoing.template, outgoing.facts, link),
        secret=outgoing.secret,
    )


def again(job: Claimed, outgoing: Outgoing, *, may_have_arrived: bool) -> None:
    """Note a failed try that is repeated later."""
    error = "Uncertain" if may_have_arrived else "Unavailable"
    with transaction(EVERYTHING) as session:
        delivery.mark_failed(session, outgoing.notice_id, error, may_have_arrived=may_have_arrived)
    log.info("notice_waits", notice_id=outgoing.notice_id, sending=outgoing.sending, tries=job.attempts)


def stop(job: Claimed, outgoing: Outgoing, *, why: str) -> None:
    """Give a notice up and alarm the desk."""
    with transaction(EVERYTHING) as session:
        notice = delivery.lock_waiting(session, outgoing.notice_id)
        if notice is not None:
            delivery.give_up(session, notice, why=why, pressing=is_pressing(job))
    log.warning("notice_given_up", notice_id=outgoing.notice_id, why=why)


WORK: dict[str, Callable[[Session, Claimed], None]] = {}
OUTSIDE: dict[str, Callable[[Claimed], None]] = {"notify.deliver": deliver}
