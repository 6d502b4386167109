"""Complaints about a firm: raised, told, answered, decided by somebody else; a suspension takes effect."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotAllowed
from dispatch.models.access import AuditEntry
from dispatch.models.catalogue import Performer
from dispatch.models.notify import Alarm, Notice
from dispatch.models.orders import Complaint, Order
from dispatch.queue import Job
from dispatch.rules.access.roles import EVERYTHING, Actor, Role
from dispatch.rules.orders.complaints import (
    AnswerStillAwaited,
    ComplaintKind,
    ComplaintTooLate,
    Consequence,
    NobodyToComplainAbout,
    Verdict,
)
from dispatch.services import orders
from dispatch.transaction import retrying, transaction
from tests.factories.world import World, make_world, staff
from tests.services.orders import test_races
from tests.services.orders.test_life import NOW, Links, routed

DAY = timedelta(days=1)
UPHELD = Verdict(upheld=True)


@pytest.fixture
def operator(session: Session, world: World) -> Actor:
    return staff(session, world, Role.OPERATOR)


@pytest.fixture
def centre(session: Session, world: World) -> Actor:
    return staff(session, world, Role.CENTRE)


@pytest.fixture
def done(session: Session, world: World, links: Links) -> tuple[Order, str]:
    """An order that a firm has finished for 80 yuan, and the firm's link."""
    order = routed(session, world)
    (token,) = links(order).values()
    orders.accept(session, token, now=NOW)
    orders.finish(session, token, orders.WorkReport("done", 8_000), now=NOW)
    return order, token


@pytest.fixture
def answered(session: Session, done: tuple[Order, str], operator: Actor) -> tuple[Order, Complaint]:
    """The order with a complaint that its firm has answered."""
    order, token = done
    complaint = complain(session, order, operator)
    orders.answer_by_link(session, token, complaint.id, answer="不是我们", now=NOW)
    return order, complaint


def complain(session: Session, order: Order, actor: Actor, **changes: Any) -> Complaint:
    asked = {"kind": ComplaintKind.QUALITY, "words": "第二天又堵了", "now": NOW}
    return orders.raise_complaint(session, order, actor=actor, **(asked | changes))


def decide(session: Session, order: Order, complaint: Complaint, actor: Actor, **changes: Any) -> Complaint:
    asked = {"verdict": UPHELD, "reason": "照片可见", "now": NOW}
    return orders.decide_complaint(session, order, complaint.id, actor=actor, **(asked | changes))


def told(session: Session, performer_id: int) -> list[str]:
    query = select(Notice.template).where(Notice.performer_id == performer_id, Notice.template.like("complaint%"))
    return list(session.scalars(query.order_by(Notice.id)))


def alarms(session: Session, complaint: Complaint) -> list[str]:
    query = select(Alarm.kind).where(Alarm.subject == f"complaint:{complaint.id}", Alarm.cleared_at.is_(None))
    return list(session.scalars(query))


def test_a_complaint_is_told_answered_on_the_phone_page_and_upheld(
    session: Session, done: tuple[Order, str], operator: Actor, centre: Actor
) -> None:
    order, token = done
    complaint = complain(session, order, operator)
    assert (complaint.number, complaint.state, complaint.performer_id) == (1, "open", order.performer_id)
    orders.answer_by_link(session, token, complaint.id, answer="管子是坏的", now=NOW)
    assert (complaint.state, complaint.answered_by) == ("answered", None)
    with pytest.raises(orders.ComplaintAnswered):
        orders.answer_by_link(session, token, complaint.id, answer="再说一次", now=NOW)
    score = session.get_one(Performer, complaint.performer_id).satisfaction_permille
    decide(session, order, complaint, centre)
    assert (complaint.state, complaint.decided_by, complaint.refund_fen) == ("upheld", centre.user_id, None)
    assert told(session, complaint.performer_id) == ["complaint", "complaint_upheld"]
    history = [event.facts for event in orders.time_line(session, order) if event.facts.get("complaint")]
    assert [set(one) - {"complaint", "number"} for one in history] == [
        set(),
        {"answered"},
        {"decision", "consequence", "refund_fen"},
    ]
    session.flush()
    trail = select(AuditEntry.action).where(AuditEntry.subject == "complaints")
    assert set(session.scalars(trail)) == {
        "orders.raise_complaint",
        "orders.answer_complaint",
        "orders.decide_complaint",
    }
    session.expire_all()
    assert session.get_one(Performer, complaint.performer_id).satisfaction_permille == score


def test_a_dispute_gives_back_no_more_than_is_disputed_and_the_next_counts_what_was_given_back(
    session: Session, done: tuple[Order, str], operator: Actor, centre: Actor
) -> None:
    order, _ = done
    for wrong in (None, 8_000, -1):
        with pytest.raises(Invalid) as refused:
            complain(session, order, operator, kind=ComplaintKind.PRICE, right_fen=wrong)
        assert refused.value.field == "right_fen"
    complaint = complain(session, order, operator, kind=ComplaintKind.PRICE, right_fen=5_000)
    assert complaint.disputed_fen == 3_000
    orders.answer_complaint(session, order, complaint.id, answer="多换了一段", actor=operator, now=NOW)
    assert complaint.answered_by == operator.user_id
    with pytest.raises(Invalid) as refused:
        decide(session, order, complaint, centre, verdict=Verdict(upheld=True, refund_fen=3_001))
    assert refused.value.field == "refund_fen"
    decide(session, order, complaint, centre, verdict=Verdict(upheld=True, refund_fen=3_000))
    with pytest.raises(Invalid):
        complain(session, order, operator, kind=ComplaintKind.PRICE, right_fen=5_000)
    assert complain(session, order, operator, kind=ComplaintKind.PRICE, right_fen=4_000).disputed_fen == 1_000
    with pytest.raises(IntegrityError, match="ck_complaints_fen"), session.begin_nested():
        session.execute(text("UPDATE complaints SET refund_fen = 3001 WHERE id = :id"), {"id": complaint.id})


def test_whoever_raised_it_does_not_decide_not_even_past_the_code(
    session: Session, done: tuple[Order, str], operator: Actor, centre: Actor
) -> None:
    order, _ = done
    complaint = complain(session, order, centre)
    orders.answer_complaint(session, order, complaint.id, answer="不是我们", actor=operator, now=NOW)
    for somebody in (centre, operator):
        with pytest.raises(orders.OwnComplaint):
            decide(session, order, complaint, somebody)
    with pytest.raises(IntegrityError, match="second_person"), session.begin_nested():
        session.execute(
            text(
                "UPDATE complaints SET state = 'rejected', decided_by = raised_by, decided_at = raised_at "
                "WHERE id = :id"
            ),
            {"id": complaint.id},
        )


def test_one_of_a_kind_waits_at_a_time_and_is_decided_once(
    session: Session, done: tuple[Order, str], operator: Actor, centre: Actor
) -> None:
    order, token = done
    complaint = complain(session, order, operator)
    with pytest.raises(orders.AlreadyComplained):
        complain(session, order, centre)
    other = complain(session, order, operator, kind=ComplaintKind.ATTITUDE)
    assert other.number == 2
    with pytest.raises(IntegrityError, match="ix_complaints_waiting"), session.begin_nested():
        session.execute(text("UPDATE complaints SET kind = 'quality' WHERE id = :id"), {"id": other.id})
    orders.answer_by_link(session, token, complaint.id, answer="不是", now=NOW)
    decide(session, order, complaint, centre, verdict=Verdict(upheld=False))
    with pytest.raises(orders.ComplaintDecided):
        decide(session, order, complaint, centre)
    assert complain(session, order, operator).number == 3


def test_what_the_firm_does_not_answer_is_alarmed_and_decided_without(
    session: Session, done: tuple[Order, str], operator: Actor, centre: Actor
) -> None:
    order, _ = done
    complaint = complain(session, order, operator)
    job = session.scalars(select(Job).where(Job.kind == "orders.complaint_due", Job.reference == complaint.id)).one()
    assert job.run_at == complaint.answer_due_at
    assert complaint.answer_due_at == NOW + 2 * DAY
    with pytest.raises(AnswerStillAwaited):
        decide(session, order, complaint, centre)
    orders.complaint_due(session, complaint.id, now=complaint.answer_due_at - timedelta(seconds=1))
    assert alarms(session, complaint) == []
    orders.complaint_due(session, complaint.id, now=complaint.answer_due_at)
    assert alarms(session, complaint) == ["complaint_unanswered"]
    decide(session, order, complaint, centre, now=complaint.answer_due_at)
    assert alarms(session, complaint) == []
    orders.complaint_due(session, complaint.id, now=complaint.answer_due_at)
    assert alarms(session, complaint) == []


@pytest.mark.parametrize(
    ("consequence", "until"), [(Consequence.SUSPENSION, NOW + 7 * DAY), (Consequence.WARNING, None)]
)
def test_a_consequence_is_a_decision_about_the_firm(
    session: Session, answered: tuple[Order, Complaint], centre: Actor, consequence: Consequence, until: datetime | None
) -> None:
    order, complaint = answered
    template = "firm_warned" if until is None else "firm_suspended"
    decide(session, order, complaint, centre, verdict=Verdict(upheld=True, consequence=consequence, until=until))
    assert session.get_one(Performer, complaint.performer_id).suspended_until == until
    notices = select(Notice.template).where(Notice.performer_id == complaint.performer_id)
    assert template in set(session.scalars(notices))


def test_a_suspended_firm_gets_no_offer(
    session: Session, world: World, links: Links, answered: tuple[Order, Complaint], centre: Actor
) -> None:
    order, complaint = answered
    verdict = Verdict(upheld=True, consequence=Consequence.SUSPENSION, until=NOW + 7 * DAY)
    decide(session, order, complaint, centre, verdict=verdict)
    for _ in world.firms:
        assert complaint.performer_id not in links(routed(session, world))


def test_who_raised_it_takes_it_back(session: Session, done: tuple[Order, str], operator: Actor, centre: Actor) -> None:
    order, _ = done
    complaint = complain(session, order, operator)
    with pytest.raises(NotAllowed):
        orders.withdraw_complaint(session, order, complaint.id, actor=centre, now=NOW)
    orders.withdraw_complaint(session, order, complaint.id, actor=operator, now=NOW)
    assert complaint.state == "withdrawn"
    with pytest.raises(orders.ComplaintDecided):
        decide(session, order, complaint, centre)
    found = orders.complaint_figures(session, complaint.performer_id, order.organisation_id, now=NOW)
    assert (found.waiting, dict(found.states)) == (0, {})


def test_only_an_order_that_a_firm_took_and_that_ended_not_long_ago(
    session: Session, world: World, done: tuple[Order, str], operator: Actor
) -> None:
    with pytest.raises(NobodyToComplainAbout):
        complain(session, routed(session, world), operator)
    with pytest.raises(NotAllowed):
        complain(session, done[0], staff(session, world, Role.TEAM_HEAD))
    order, _ = done
    orders.feed_back(session, order, answer="已修好", actor=staff(session, world, Role.TEAM_HEAD), now=NOW)
    said: dict[str, Any] = {"reached": True, "contacted": True, "solved": True, "satisfaction": "satisfied"}
    clerk = staff(session, world, Role.CALLBACK_CLERK)
    orders.record_callback(session, order, actor=clerk, now=NOW, **said)
    assert order.closed_at == NOW
    with pytest.raises(ComplaintTooLate):
        complain(session, order, operator, now=NOW + 31 * DAY)
    assert complain(session, order, operator, now=NOW + 30 * DAY).number == 1


def test_who_took_it_before_is_complained_about_by_name_and_nobody_else(
    session: Session, world: World, links: Links, operator: Actor
) -> None:
    order = routed(session, world)
    ((first, token),) = links(order).items()
    orders.accept(session, token, now=NOW)
    orders.give_back(session, token, reason="来不了", now=NOW)
    orders.route(session, order.id, now=NOW)
    open_round = {firm: link for firm, link in links(order).items() if firm != first}
    ((second, token),) = open_round.items()
    orders.accept(session, token, now=NOW)
    complaint = complain(session, order, operator, kind=ComplaintKind.NO_SHOW, performer_id=first)
    assert complaint.performer_id == first
    assert complain(session, order, operator).performer_id == second
    strangers = {one.id for one in world.firms} - {first, second}
    with pytest.raises(Invalid) as refused:
        complain(session, order, operator, kind=ComplaintKind.DAMAGE, performer_id=strangers.pop())
    assert refused.value.field == "performer_id"


def test_a_firm_answers_only_what_is_about_itself(
    session: Session, world: World, links: Links, operator: Actor
) -> None:
    order = routed(session, world)
    ((first, token),) = links(order).items()
    orders.accept(session, token, now=NOW)
    complaint = complain(session, order, operator)
    orders.give_back(session, token, reason="来不了", now=NOW)
    with pytest.raises(orders.NotYours):
        orders.answer_by_link(session, token, complaint.id, answer="不是", now=NOW)
    orders.route(session, order.id, now=NOW)
    (other,) = (link for firm, link in links(order).items() if firm != first)
    orders.accept(session, other, now=NOW)
    with pytest.raises(NotAllowed):
        orders.answer_by_link(session, other, complaint.id, answer="不是我", now=NOW)
    assert complaint.state == "open"


def test_figures_count_by_state_and_kind_in_the_last_days(
    session: Session, done: tuple[Order, str], operator: Actor, centre: Actor
) -> None:
    order, token = done
    complaint = complain(session, order, operator)
    complain(session, order, operator, kind=ComplaintKind.ATTITUDE)
    orders.answer_by_link(session, token, complaint.id, answer="不是", now=NOW)
    decide(session, order, complaint, centre)
    firm = complaint.performer_id
    found = orders.complaint_figures(session, firm, order.organisation_id, now=NOW)
    assert (found.days, found.waiting, dict(found.states)) == (90, 1, {"upheld": 1, "open": 1})
    assert dict(found.kinds) == {"quality": 1, "attitude": 1}
    later = orders.complaint_figures(session, firm, order.organisation_id, now=NOW + 91 * DAY)
    assert dict(later.states) == {}


@pytest.mark.usefixtures("committed")
def test_of_two_who_decide_at_once_one_does() -> None:
    with transaction(EVERYTHING) as session:
        world = make_world(session, firms=2)
        people = [staff(session, world, Role.CENTRE) for _ in range(3)]
        raiser = staff(session, world, Role.OPERATOR)
    number = test_races.place(world).number
    with transaction(EVERYTHING) as session:
        order = orders.find(session, number, actor=raiser, locked=True)
        orders.route(session, order.id, now=NOW)
        ((_, recipient, _),) = orders.offers_of(session, order)
        part = orders.NamedRound(recipient.performer_id, number, 1)
        orders.accept(session, part, now=NOW)
        complaint = complain(session, order, raiser)
        orders.answer_by_link(session, part, complaint.id, answer="不是", now=NOW)
        complaint_id = complaint.id

    def deciding(actor: Actor, *, upheld: bool) -> Any:
        @retrying
        def work() -> object:
            with transaction(EVERYTHING) as session:
                order = orders.find(session, number, actor=actor, locked=True)
                verdict = Verdict(upheld=upheld)
                return orders.decide_complaint(
                    session, order, complaint_id, verdict, reason="看过", actor=actor, now=NOW
                ).state

        return work

    answers = test_races.at_once([deciding(one, upheld=bool(n % 2)) for n, one in enumerate(people)])
    assert sum(answer in {"upheld", "rejected"} for answer in answers) == 1
    assert sum(isinstance(answer, orders.ComplaintDecided) for answer in answers) == len(people) - 1
