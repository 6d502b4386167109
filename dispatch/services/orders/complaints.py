"""Complaints about a firm's work: raised, told to the firm, answered, decided by somebody else, never forgotten."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.orders import Complaint, Order, OrderEvent
from dispatch.rules.access.roles import Actor
from dispatch.rules.catalogue.firms import LONGEST_REASON, FirmAction
from dispatch.rules.notify.texts import said
from dispatch.rules.orders import complaints as rule
from dispatch.rules.orders.complaints import WAITING, ComplaintKind, ComplaintState, Consequence, Verdict
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, notify
from dispatch.services.access import audit, policies
from dispatch.services.orders import offers
from dispatch.services.orders.firms import decide_firm
from dispatch.services.orders.steps import check_version, step

LONGEST_WORDS = 1_000
UNANSWERED = "complaint_unanswered"
DAYS_POLICY = "firms.complaint_days"
ANSWER_POLICY = "firms.complaint_answer_working_days"
MEANS = {Consequence.WARNING: FirmAction.WARN, Consequence.SUSPENSION: FirmAction.SUSPEND}


class AlreadyComplained(Conflict):
    """这一单已有同类的投诉在处理"""


class ComplaintDecided(Conflict):
    """这件投诉已经有了结果"""


class ComplaintAnswered(Conflict):
    """服务商对这件投诉已经答复过"""


class OwnComplaint(NotAllowed):
    """自己登记的投诉要由中心的另一位来认定"""


def raise_complaint(
    session: Session,
    order: Order,
    kind: ComplaintKind,
    *,
    words: str,
    right_fen: int | None = None,
    performer_id: int | None = None,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> Complaint:
    """Raise a complaint about who took a locked order; the performer is told and has some days to answer.

    `right_fen` is what the resident calls the right cost, for a price; `performer_id` one who took it before.
    Raises NotAllowed, Invalid naming the field, NobodyToComplainAbout, ComplaintTooLate, AlreadyComplained.
    """
    check_version(order, version)
    if not rule.may_raise(actor.kind):
        raise NotAllowed
    need_words("words", words, "请写明投诉的内容")
    blamed = blamed_for(session, order, performer_id, now=now)
    disputed_fen = rule.disputed(kind, charged(session, order), right_fen)
    if waiting_of(session, order, kind):
        raise AlreadyComplained
    complaint = Complaint(
        community_id=order.community_id,
        order_id=order.id,
        performer_id=blamed,
        kind=str(kind),
        words=words,
        disputed_fen=disputed_fen,
        raised_by=actor.user_id,
        raised_by_key=actor.key_alone,
        raised_at=now,
    )
    enter(session, order, complaint, now=now)
    note(session, order, complaint, {}, "raise_complaint", reason=words, actor=actor, now=now)
    hear(session, complaint, now=now)
    return complaint


def enter(session: Session, order: Order, complaint: Complaint, *, now: datetime) -> None:
    """Enter a complaint with the order's next number and the firm's time to answer."""
    complaint.number = number_of_next(session, order)
    complaint.answer_due_at = answer_due(session, order, now=now)
    session.add(complaint)
    session.flush()


def blamed_for(session: Session, order: Order, performer_id: int | None, *, now: datetime) -> int:
    """Whom a complaint is about: who took the order last, or the one named who took it before."""
    days = int(policies.policy(session, order.organisation_id, DAYS_POLICY))
    taken_by = performers_of(session, order)
    rule.check_raise(OrderState(order.state), taken_by, order.closed_at, days=days, now=now)
    blamed = taken_by[0] if performer_id is None else performer_id
    if blamed not in taken_by:
        raise Invalid("performer_id", "请选择接过这一单的一家")
    return blamed


def answer_due(session: Session, order: Order, *, now: datetime) -> datetime:
    """Until when the firm is heard."""
    days = int(policies.policy(session, order.organisation_id, ANSWER_POLICY))
    return catalogue.calendar_of(session, order.organisation_id).add_working_days(now, days).instant


def hear(session: Session, complaint: Complaint, *, now: datetime) -> None:
    """Tell the firm, and look again when its time to answer is over."""
    tell(session, complaint, "complaint", {"until": said(complaint.answer_due_at)}, now=now)
    queue.enqueue(
        session,
        "orders.complaint_due",
        lane=Lane.DEADLINE,
        reference=complaint.id,
        run_at=complaint.answer_due_at,
        dedupe=f"orders.complaint_due:{complaint.id}",
    )


def performers_of(session: Session, order: Order) -> list[int]:
    """Who took the order, the last first; each once."""
    query = select(OrderEvent.performer_id).where(
        OrderEvent.order_id == order.id, OrderEvent.action == str(Action.ACCEPT), OrderEvent.performer_id.is_not(None)
    )
    found = session.scalars(query.order_by(OrderEvent.version.desc()))
    return list(dict.fromkeys(one for one in found if one is not None))


def need_words(field: str, words: str, message: str) -> None:
    """Refuse what is empty or too long; raises Invalid naming the field."""
    check_text(field, words, LONGEST_WORDS)
    if not words.strip():
        raise Invalid(field, message)


def charged(session: Session, order: Order) -> int:
    """What the resident has paid and was not promised back, in fen."""
    refunds = select(func.sum(Complaint.refund_fen)).where(Complaint.order_id == order.id)
    return (order.cost_fen or 0) - (session.scalars(refunds).one() or 0)


def waiting_of(session: Session, order: Order, kind: ComplaintKind) -> bool:
    """Whether a complaint of this kind waits."""
    query = select(Complaint.id).where(
        Complaint.order_id == order.id, Complaint.kind == str(kind), Complaint.state.in_(WAITING)
    )
    return session.scalars(query).one_or_none() is not None


def number_of_next(session: Session, order: Order) -> int:
    """The number of the order's next complaint; the order is locked."""
    return session.execute(select(func.count()).where(Complaint.order_id == order.id)).scalar_one() + 1


def note(
    session: Session,
    order: Order,
    complaint: Complaint,
    facts: Mapping[str, object],
    deed: str,
    *,
    reason: str | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Write it into the audit trail and the order's history, which an archived order's is closed to."""
    if order.state != OrderState.ARCHIVED:
        about = {"complaint": complaint.kind, "number": complaint.number, **facts}
        step(session, order, Action.REMARK, actor=actor, now=now, facts=about, reason=reason)
    audit.record(session, f"orders.{deed}", "complaints", complaint.id, actor=actor, community_id=order.community_id)


def tell(session: Session, complaint: Complaint, template: str, facts: Mapping[str, object], *, now: datetime) -> None:
    """Tell the performer, once per complaint and template; nothing personal."""
    notify.tell_performer(
        session,
        dedupe=f"{template}:{complaint.id}",
        template=template,
        performer_id=complaint.performer_id,
        order_id=complaint.order_id,
        lane=Lane.NOTIFY,
        now=now,
        facts=facts,
    )


def find_complaint(session: Session, order: Order, complaint_id: int) -> Complaint:
    """A complaint about a locked order, locked and waiting; raises NotFound, ComplaintDecided."""
    complaint = session.scalars(
        select(Complaint)
        .where(Complaint.id == complaint_id, Complaint.order_id == order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if complaint is None:
        raise NotFound
    if ComplaintState(complaint.state) not in WAITING:
        raise ComplaintDecided
    return complaint


def answer_complaint(
    session: Session,
    order: Order,
    complaint_id: int,
    *,
    answer: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> Complaint:
    """Enter what the firm answers, by itself or told to the desk by telephone; once.

    Raises NotAllowed, NotFound, ComplaintDecided, ComplaintAnswered, Invalid("answer", …).
    """
    check_version(order, version)
    complaint = find_complaint(session, order, complaint_id)
    if actor.performer_id != complaint.performer_id and not rule.may_raise(actor.kind):
        raise NotAllowed
    if complaint.state == ComplaintState.ANSWERED:
        raise ComplaintAnswered
    need_words("answer", answer, "请写下服务商的答复")
    complaint.state, complaint.answer = str(ComplaintState.ANSWERED), answer
    complaint.answered_by, complaint.answered_at = actor.user_id, now
    note(session, order, complaint, {"answered": True}, "answer_complaint", reason=answer, actor=actor, now=now)
    clear(session, complaint, now=now)
    return complaint


def answer_by_link(session: Session, token: offers.Key, complaint_id: int, *, answer: str, now: datetime) -> Order:
    """The firm answers on the phone page, while its link lives; raises LinkDead, NotYours and see answer_complaint."""
    order, offer, recipient = offers.locked(session, token)
    if not offers.view_of(session, order, offer, recipient, now=now).is_mine:
        raise offers.NotYours
    actor = offers.actor_of(recipient)
    answer_complaint(session, order, complaint_id, answer=answer, actor=actor, now=now)
    return order


def decide_complaint(
    session: Session,
    order: Order,
    complaint_id: int,
    verdict: Verdict,
    *,
    reason: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> Complaint:
    """The centre upholds or rejects a complaint; its consequence is a decision about the firm in the same transaction.

    Raises OwnComplaint, NotFound, ComplaintDecided, AnswerStillAwaited, Invalid, and what decide_firm does.
    """
    check_version(order, version)
    complaint = find_complaint(session, order, complaint_id)
    if not rule.may_decide(actor.kind, is_raiser=is_raiser(complaint, actor)):
        raise OwnComplaint
    rule.check_decidable(ComplaintState(complaint.state), complaint.answer_due_at, now)
    check_text("reason", reason, LONGEST_REASON)
    if not reason.strip():
        raise Invalid("reason", "请写明认定的理由")
    rule.check_verdict(verdict, complaint.disputed_fen, now)
    complaint.state, complaint.decision = str(verdict.state), reason
    complaint.consequence, complaint.refund_fen = str(verdict.consequence), verdict.refund_fen
    complaint.decided_by, complaint.decided_at = actor.user_id, now
    complaint.decided_by_key = actor.key_alone
    facts = {"decision": str(verdict.state), "consequence": str(verdict.consequence), "refund_fen": verdict.refund_fen}
    note(session, order, complaint, facts, "decide_complaint", reason=reason, actor=actor, now=now)
    tell(session, complaint, f"complaint_{verdict.state}", {}, now=now)
    clear(session, complaint, now=now)
    action = MEANS.get(verdict.consequence)
    if action is not None:
        decide_firm(session, complaint.performer_id, action, reason=reason, until=verdict.until, actor=actor, now=now)
    return complaint


def is_raiser(complaint: Complaint, actor: Actor) -> bool:
    """Whether the actor is whoever raised it."""
    if actor.user_id is not None:
        return actor.user_id == complaint.raised_by
    return actor.api_key_id == complaint.raised_by_key


def withdraw_complaint(
    session: Session, order: Order, complaint_id: int, *, version: int | None = None, actor: Actor, now: datetime
) -> Complaint:
    """Whoever raised it takes it back while nobody has decided; raises NotAllowed, NotFound, ComplaintDecided."""
    check_version(order, version)
    complaint = find_complaint(session, order, complaint_id)
    if not is_raiser(complaint, actor):
        raise NotAllowed
    complaint.state, complaint.decided_at = str(ComplaintState.WITHDRAWN), now
    note(session, order, complaint, {"withdrawn": True}, "withdraw_complaint", reason=None, actor=actor, now=now)
    tell(session, complaint, "complaint_withdrawn", {}, now=now)
    clear(session, complaint, now=now)
    return complaint


def clear(session: Session, complaint: Complaint, *, now: datetime) -> None:
    """The alarm of an unanswered complaint is over."""
    session.flush()
    notify.clear_alarms(session, subject=f"complaint:{complaint.id}", kinds=(UNANSWERED,), now=now)


def complaint_due(session: Session, complaint_id: int, *, now: datetime) -> None:
    """The time to answer is over: a complaint that the firm has not answered is alarmed, to be decided without."""
    complaint = session.get(Complaint, complaint_id, with_for_update=True, populate_existing=True)
    if complaint is None or complaint.state != ComplaintState.OPEN or now < complaint.answer_due_at:
        return
    order = session.get_one(Order, complaint.order_id)
    notify.raise_alarm(
        session,
        kind=UNANSWERED,
        subject=f"complaint:{complaint.id}",
        level="warning",
        organisation_id=order.organisation_id,
        community_id=order.community_id,
        facts={"order": order.number, "performer_id": complaint.performer_id},
    )
