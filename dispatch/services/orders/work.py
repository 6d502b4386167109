"""The end of the work and what follows it: finish, the answer to the resident, close, archive."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.errors import Conflict, Invalid
from dispatch.models.catalogue import Service
from dispatch.models.orders import Assignment, Order, Supervision
from dispatch.rules.access.roles import CLOCK, SYSTEM, Actor, ActorKind
from dispatch.rules.catalogue.prices import is_above
from dispatch.rules.orders import clocks
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, notify
from dispatch.services.access import audit, files, policies
from dispatch.services.orders.steps import check_version, demand_team, lock, step

RESULTS = ("done", "partly", "not_done")
MOST_COST_FEN = 100_000_000
LONGEST_NOTE = 1_000


class HelpersStillWork(Conflict):
    """协办还没有全部完成,主办不能先办结"""


@dataclass(frozen=True, slots=True)
class WorkReport:
    """What the performer reports: result (done, partly, not_done), cost in fen, note, photos, signature (PNG)."""

    result: str
    cost_fen: int = 0
    note: str = ""
    photos: Sequence[bytes] = ()
    signature: bytes | None = None


def check_report(service: Service, report: WorkReport) -> None:
    """Refuse a report that lacks what the kind asks as proof; raises Invalid naming the field."""
    if report.result not in RESULTS:
        raise Invalid("result", "结果请选:已完成、部分完成、未能完成")
    if not 0 <= report.cost_fen <= MOST_COST_FEN:
        raise Invalid("cost_fen", "费用请填 0 到 100 万元之间")
    check_text("note", report.note, LONGEST_NOTE)
    if report.result != "done" and not report.note.strip():
        raise Invalid("note", "没有全部做完时,请写明原因")
    if report.result == "done" and "photo" in service.proof and not report.photos:
        raise Invalid("photos", "这类订单完成时要拍一张照片")
    if report.result == "done" and "signature" in service.proof and report.signature is None:
        raise Invalid("signature", "请让居民在屏幕上签名")


def check_cost(session: Session, order: Order, report: WorkReport, *, now: datetime) -> None:
    """Refuse a cost above the list that held when the order was taken, unless a note says why."""
    if order.performer_id is None or not report.cost_fen or report.note.strip():
        return
    day = clock.today(order.accepted_at or now)
    lines = catalogue.prices_on(session, [order.performer_id], order.service_id, day).get(order.performer_id, ())
    if is_above(report.cost_fen, lines):
        raise Invalid("note", "费用高于价目表，请写明多收的是什么")


def finish(session: Session, order: Order, report: WorkReport, *, actor: Actor, now: datetime) -> None:
    """Record the report of a locked order's work; the team then answers the resident, or the clock does."""
    service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
    check_report(service, report)
    check_cost(session, order, report, now=now)
    for purpose, images in (
        ("photo", report.photos),
        ("signature", [report.signature] if report.signature else []),
    ):
        for data in images:
            files.store_image(
                session,
                data,
                subject="orders",
                subject_id=order.id,
                purpose=purpose,
                community_id=order.community_id,
                actor=actor,
                now=now,
            )
    order.result, order.cost_fen, order.work_note = report.result, report.cost_fen, report.note
    order.finished_at = now
    facts = {"result": report.result, "cost_fen": report.cost_fen, "photos": len(report.photos)}
    step(session, order, Action.FINISH, actor=actor, now=now, facts=facts)
    audit.record(session, "orders.finish", "orders", order.id, actor=actor, community_id=order.community_id)
    enqueue_feedback(session, order, now=now)


def enqueue_feedback(session: Session, order: Order, *, now: datetime) -> None:
    """Have the house answer the resident where the team has not within its hours."""
    hours = int(policies.policy(session, order.organisation_id, "orders.feedback_hours"))
    due = catalogue.calendar_of(session, order.organisation_id).add_working_seconds(now, hours * 3600).instant
    queue.enqueue(
        session,
        "orders.feed_back",
        lane=Lane.DEADLINE,
        reference=order.id,
        run_at=due,
        dedupe=f"orders.feed_back:{order.id}:{order.version}",
    )


def open_help(session: Session, order: Order) -> bool:
    """Whether a helping team has not finished its task."""
    query = select(Assignment.id).where(
        Assignment.order_id == order.id, Assignment.must_finish, Assignment.done_at.is_(None)
    )
    return session.execute(query.limit(1)).one_or_none() is not None


def feed_back(
    session: Session, order: Order, *, answer: str, version: int | None = None, actor: Actor, now: datetime
) -> None:
    """Record the answer given to the resident; kinds without callback are closed, the others called back."""
    check_version(order, version)
    check_text("answer", answer)
    if not answer.strip():
        raise Invalid("answer", "请写下给居民的答复")
    demand_team(actor)
    if open_help(session, order):
        raise HelpersStillWork
    order.feedback = answer
    kind = ActorKind.SYSTEM if actor.kind is ActorKind.SYSTEM else ActorKind.TEAM
    step(session, order, Action.FEED_BACK, actor=actor, now=now, kind=kind)
    audit.record(session, "orders.feed_back", "orders", order.id, actor=actor, community_id=order.community_id)
    session.execute(
        update(Assignment).where(Assignment.order_id == order.id, Assignment.done_at.is_(None)).values(done_at=now)
    )
    after_feedback(session, order, actor=actor, now=now)


def after_feedback(session: Session, order: Order, *, actor: Actor, now: datetime) -> None:
    """What follows an answer to the resident: a callback on a later day, or the end where the kind has none."""
    service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
    if service.callback:
        order.callback_due_at = clocks.callback_due(now, catalogue.calendar_of(session, order.organisation_id))
        enqueue_callback(session, order)
    else:
        close(session, order, actor=actor, now=now, facts={"without": "callback"})


def feed_back_by_clock(session: Session, order_id: int, *, now: datetime) -> None:
    """Nobody of the team has answered in time: the performer's report is the answer, said by the house."""
    order = lock(session, order_id)
    if order.state == OrderState.FINISHED and not open_help(session, order):
        answer = order.work_note or "服务已完成"
        feed_back(session, order, answer=answer, actor=SYSTEM, now=now)


def enqueue_callback(session: Session, order: Order) -> None:
    """Have the order on the callback list when it is due."""
    queue.enqueue(
        session,
        "orders.callback_due",
        lane=Lane.DEADLINE,
        reference=order.id,
        run_at=order.callback_due_at,
        dedupe=f"orders.callback_due:{order.id}:{order.cycle}:{order.callback_tries}",
    )


def callback_due(session: Session, order_id: int, *, now: datetime) -> None:
    """The day to call back has come: the order stands on the clerks' list."""
    order = lock(session, order_id)
    if order.state == OrderState.FED_BACK and order.callback_due_at is not None and order.callback_due_at <= now:
        step(session, order, Action.START_CALLBACK, actor=CLOCK, now=now)


def close(
    session: Session,
    order: Order,
    *,
    actor: Actor,
    now: datetime,
    facts: dict[str, object] | None = None,
) -> None:
    """办结: the order's work is over; it is archived some days later (policy)."""
    step(session, order, Action.CLOSE, actor=actor, kind=ActorKind.SYSTEM, now=now, facts=facts)
    notify.clear_alarms(session, order_id=order.id, kinds=None, now=now)
    days = int(policies.policy(session, order.organisation_id, "orders.archive_after_days"))
    queue.enqueue(
        session,
        "orders.archive",
        lane=Lane.DEADLINE,
        reference=order.id,
        run_at=now + timedelta(days=days),
        dedupe=f"orders.archive:{order.id}",
    )


def archive(session: Session, order_id: int, *, now: datetime) -> None:
    """归档: a closed order is put away; one that is still supervised waits for the closing check."""
    order = lock(session, order_id)
    supervised = select(Supervision.id).where(Supervision.order_id == order_id, Supervision.ended_at.is_(None))
    if order.state == OrderState.CLOSED and session.execute(supervised).one_or_none() is None:
        step(session, order, Action.ARCHIVE, actor=CLOCK, now=now)
