"""Requests beside an order's state: asked, decided by somebody else, done at once, counted, never forgotten."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid
from dispatch.models.notify import Alarm, Notice
from dispatch.models.orders import Assignment, Order, OrderRequest
from dispatch.queue import Job
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.orders.requests import (
    NotInThisState,
    RequestKind,
    ReturnTooLate,
    TooManyExtensions,
    Wish,
)
from dispatch.rules.orders.states import Action
from dispatch.services import orders
from tests.factories.world import World, staff, team
from tests.services.orders.test_life import NOW, Links, actions, routed

DAY = timedelta(days=1)


@pytest.fixture
def head(session: Session, world: World) -> Actor:
    return staff(session, world, Role.TEAM_HEAD)


@pytest.fixture
def centre(session: Session, world: World) -> Actor:
    return staff(session, world, Role.CENTRE)


def ask(session: Session, order: Order, kind: RequestKind, actor: Actor, **changes: Any) -> OrderRequest:
    words = {"grounds": "不是本团队的职责", "basis": "三定方案第二条", "now": NOW}
    return orders.ask(session, order, kind, actor=actor, **(words | changes))


def grant(session: Session, order: Order, request: OrderRequest, actor: Actor, **changes: Any) -> None:
    orders.decide(session, order, request.id, granted=True, reason="情况属实", actor=actor, **({"now": NOW} | changes))


def token_of(order: Order, links: Links) -> str:
    """The link of the order's open round."""
    return next(iter(links(order).values()))


def accepted(session: Session, world: World, links: Links) -> tuple[Order, str]:
    """An order that a firm has taken, and the firm's link."""
    order = routed(session, world)
    token = token_of(order, links)
    orders.accept(session, token, now=NOW)
    return order, token


def finished(session: Session, token: str) -> None:
    """The performer's work is done."""
    orders.arrive(session, token, now=NOW)
    orders.finish(session, token, orders.WorkReport("done", 5_000), now=NOW)


def called_back(session: Session, order: Order, clerk: Actor, **changes: Any) -> None:
    """The caller was reached."""
    said = {"reached": True, "contacted": True, "solved": True, "satisfaction": "satisfied"}
    orders.record_callback(session, order, actor=clerk, now=NOW + DAY, **(said | changes))


def test_an_upheld_return_gives_the_order_to_another_team_and_kills_the_open_round(
    session: Session, world: World, head: Actor, centre: Actor, links: Links
) -> None:
    order = routed(session, world)
    other = team(session, world.community, "line", speciality="plumbing")
    due = (order.civic_due_at, order.service_due_at)
    token = token_of(order, links)
    request = ask(session, order, RequestKind.RETURN, head)
    grant(session, order, request, centre, team_id=other.id)
    assert (order.state, order.lead_team_id, order.cycle) == ("awaiting_dispatch", other.id, 2)
    assert (order.civic_due_at, order.service_due_at) == due
    with pytest.raises(orders.LinkDead):
        orders.accept(session, token, now=NOW)
    orders.route(session, order.id, now=NOW)
    assert order.state == "offered"
    assert Action.RETURN_TO_DESK in actions(session, order)


def test_a_return_must_name_another_team_than_the_one_that_returns(
    session: Session, world: World, head: Actor, centre: Actor
) -> None:
    order = routed(session, world)
    request = ask(session, order, RequestKind.RETURN, head)
    for team_id in (None, order.lead_team_id, 999_999):
        with pytest.raises(Invalid) as refused, session.begin_nested():
            grant(session, order, request, centre, team_id=team_id)
        assert refused.value.field == "team_id"
        session.refresh(request)
    assert request.state == "pending"


def test_after_a_working_day_the_team_keeps_the_order(session: Session, world: World, head: Actor) -> None:
    order = routed(session, world)
    with pytest.raises(ReturnTooLate):
        ask(session, order, RequestKind.RETURN, head, now=NOW + 3 * DAY)


def test_the_second_refused_return_alarms_the_centre(
    session: Session, world: World, head: Actor, centre: Actor
) -> None:
    order = routed(session, world)
    for _ in range(2):
        assert alarms(session, order) == set()
        request = ask(session, order, RequestKind.RETURN, head)
        orders.decide(session, order, request.id, granted=False, reason="职责清楚", actor=centre, now=NOW)
    assert alarms(session, order) == {"order_consultation"}
    assert order.state == "offered"


def alarms(session: Session, order: Order) -> set[str]:
    query = select(Alarm.kind).where(Alarm.order_id == order.id, Alarm.cleared_at.is_(None))
    return set(session.scalars(query))


def test_nobody_decides_their_own_request_not_even_past_the_code(session: Session, world: World, centre: Actor) -> None:
    order = routed(session, world)
    request = ask(session, order, RequestKind.EXTENSION, centre, wish=Wish(days=2))
    with pytest.raises(orders.OwnRequest):
        grant(session, order, request, centre)
    with pytest.raises(IntegrityError, match="second_person"), session.begin_nested():
        session.execute(
            text(
                "UPDATE order_requests SET state = 'granted', decided_by = asked_by, decided_at = dispatch_now() "
                "WHERE id = :id"
            ),
            {"id": request.id},
        )


def test_one_request_of_a_kind_waits_at_a_time_and_is_decided_once(
    session: Session, world: World, head: Actor, centre: Actor
) -> None:
    order = routed(session, world)
    request = ask(session, order, RequestKind.EXTENSION, head, wish=Wish(days=1))
    with pytest.raises(orders.AlreadyRequested):
        ask(session, order, RequestKind.EXTENSION, head, wish=Wish(days=1))
    grant(session, order, request, centre)
    with pytest.raises(orders.AlreadyDecided):
        grant(session, order, request, centre)


def test_extensions_move_both_clocks_by_working_days_three_times_at_most(
    session: Session, world: World, head: Actor, centre: Actor
) -> None:
    order = routed(session, world)
    for number in range(3):
        before = order.civic_due_at
        grant(session, order, ask(session, order, RequestKind.EXTENSION, head, wish=Wish(days=3)), centre)
        assert before is not None
        assert order.civic_due_at is not None
        assert order.civic_due_at >= before + 3 * DAY
        assert order.extensions == number + 1
    with pytest.raises(TooManyExtensions):
        ask(session, order, RequestKind.EXTENSION, head, wish=Wish(days=3))


def test_the_moved_limit_has_an_escalation_of_its_own(
    session: Session, world: World, head: Actor, centre: Actor
) -> None:
    order = routed(session, world)
    grant(session, order, ask(session, order, RequestKind.EXTENSION, head, wish=Wish(days=3)), centre)
    waiting = select(Job.run_at).where(Job.kind == "orders.escalate", Job.reference == order.id, Job.done_at.is_(None))
    first, second = sorted(session.scalars(waiting))
    orders.escalate(session, order.id, now=first)
    assert Action.ESCALATE not in actions(session, order)
    orders.escalate(session, order.id, now=second)
    assert Action.ESCALATE in actions(session, order)


def test_a_held_order_has_standing_clocks_and_resumes_with_what_was_left(
    session: Session, world: World, head: Actor, centre: Actor, links: Links
) -> None:
    order, _token = accepted(session, world, links)
    left = order.service_due_at - NOW  # type: ignore[operator]
    grant(session, order, ask(session, order, RequestKind.HOLD, head, wish=Wish(until=NOW + 10 * DAY)), centre)
    assert order.held_until == NOW + 10 * DAY
    orders.escalate(session, order.id, now=NOW + 5 * DAY)
    assert Action.ESCALATE not in actions(session, order)
    orders.resume_by_clock(session, order.id, now=NOW + 9 * DAY)
    assert order.held_until is not None
    orders.resume_by_clock(session, order.id, now=NOW + 10 * DAY)
    assert order.held_until is None
    assert order.service_due_at == NOW + 10 * DAY + left
    assert order.state == "accepted"


def test_a_hold_is_ended_early_by_hand_and_the_clock_leaves_it_alone_then(
    session: Session, world: World, head: Actor, centre: Actor, links: Links
) -> None:
    order, _token = accepted(session, world, links)
    grant(session, order, ask(session, order, RequestKind.HOLD, head, wish=Wish(until=NOW + 10 * DAY)), centre)
    orders.resume(session, order, actor=centre, now=NOW + DAY, reason="配件到了")
    version = order.version
    orders.resume_by_clock(session, order.id, now=NOW + 10 * DAY)
    assert order.version == version
    with pytest.raises(orders.NotHeld):
        orders.resume(session, order, actor=centre, now=NOW + DAY)


def test_a_held_order_is_not_routed_and_not_late(session: Session, world: World, head: Actor, centre: Actor) -> None:
    world.plumbing.signed_for, world.plumbing.performer = True, "team_worker"
    session.flush()
    order = routed(session, world)
    assert order.state == "dispatched"
    grant(session, order, ask(session, order, RequestKind.HOLD, head, wish=Wish(until=NOW + 10 * DAY)), centre)
    orders.sign(session, order, actor=head, now=NOW)
    orders.route(session, order.id, now=NOW)
    assert order.state == "signed"
    late = orders.board(session, actor=centre, now=NOW + 8 * DAY).late
    assert order not in late
    orders.resume_by_clock(session, order.id, now=NOW + 10 * DAY)
    orders.route(session, order.id, now=NOW + 10 * DAY)
    assert order.state != "signed"


def test_an_offered_order_cannot_be_held(session: Session, world: World, head: Actor) -> None:
    order = routed(session, world)
    assert order.state == "offered"
    with pytest.raises(NotInThisState):
        ask(session, order, RequestKind.HOLD, head, wish=Wish(until=NOW + DAY))


def test_the_lead_ends_only_when_its_helpers_have(
    session: Session, world: World, head: Actor, centre: Actor, links: Links
) -> None:
    order, token = accepted(session, world, links)
    helper = team(session, world.community, "line", speciality="painting")
    wanted = Wish(team_id=helper.id, task="粉刷墙面")
    grant(session, order, ask(session, order, RequestKind.HELP, head, wish=wanted), centre)
    finished(session, token)
    with pytest.raises(orders.HelpersStillWork):
        orders.feed_back(session, order, answer="好了", actor=head, now=NOW)
    orders.feed_back_by_clock(session, order.id, now=NOW + DAY)
    assert order.state == "finished"
    with pytest.raises(IntegrityError, match="helpers who have not finished"), session.begin_nested():
        session.execute(text("UPDATE orders SET state = 'fed_back' WHERE id = :id"), {"id": order.id})
    orders.finish_help(session, order, team_id=helper.id, answer="刷好了", actor=head, now=NOW)
    with pytest.raises(orders.NoHelpAsked):
        orders.finish_help(session, order, team_id=helper.id, answer="刷好了", actor=head, now=NOW)
    orders.feed_back(session, order, answer="好了", actor=head, now=NOW)
    assert order.state == "fed_back"


def test_an_assisting_team_is_promoted_to_a_helper(
    session: Session, world: World, head: Actor, centre: Actor, links: Links
) -> None:
    order, _token = accepted(session, world, links)
    wanted = Wish(team_id=world.block.id, task="请楼道长陪同开门")
    grant(session, order, ask(session, order, RequestKind.HELP, head, wish=wanted), centre)
    rows = session.scalars(select(Assignment).where(Assignment.team_id == world.block.id)).all()
    assert [(row.role, row.must_finish, row.task) for row in rows] == [("assist", True, "请楼道长陪同开门")]


def test_a_final_answer_ends_without_another_round_whatever_the_caller_says(
    session: Session, world: World, head: Actor, centre: Actor
) -> None:
    order = routed(session, world)
    request = ask(session, order, RequestKind.FINAL_ANSWER, head, grounds="产权不清,依法不能处理", basis="街道核实笔录")
    grant(session, order, request, centre)
    assert (order.state, order.final_answer, order.feedback) == ("fed_back", True, "产权不清,依法不能处理")
    clerk = staff(session, world, Role.CALLBACK_CLERK)
    called_back(session, order, clerk, solved=False, satisfaction="very_dissatisfied")
    assert order.state == "closed"


def test_who_approved_the_final_answer_does_not_call_back(
    session: Session, world: World, head: Actor, centre: Actor
) -> None:
    order = routed(session, world)
    grant(session, order, ask(session, order, RequestKind.FINAL_ANSWER, head), centre)
    with pytest.raises(orders.HandlerCallsBack):
        called_back(session, order, centre)


def test_rerouting_keeps_the_due_dates_and_starts_the_team_s_clock_anew(
    session: Session, world: World, head: Actor, links: Links
) -> None:
    order, _token = accepted(session, world, links)
    dispatcher = staff(session, world, Role.DISPATCHER)
    other = team(session, world.community, "line", speciality="plumbing")
    due = order.service_due_at
    later = NOW + timedelta(hours=2)
    request = ask(session, order, RequestKind.REROUTE, head, wish=Wish(team_id=other.id))
    grant(session, order, request, dispatcher, now=later)
    lead = session.scalars(select(Assignment).where(Assignment.order_id == order.id, Assignment.cycle == 2)).one()
    assert (order.state, order.lead_team_id, order.service_due_at) == ("dispatched", other.id, due)
    assert (lead.team_id, lead.assigned_at) == (other.id, later)
    orders.route(session, order.id, now=later)
    assert order.state == "offered"
    told = session.scalars(select(Notice.template).where(Notice.order_id == order.id)).all()
    assert "withdrawn" in told


def test_a_request_that_nobody_decides_in_time_is_alarmed_and_taken_off_by_its_end(
    session: Session, world: World, head: Actor
) -> None:
    order = routed(session, world)
    request = ask(session, order, RequestKind.RETURN, head)
    orders.request_due(session, request.id, now=NOW)
    assert alarms(session, order) == set()
    orders.request_due(session, request.id, now=request.decide_due_at)
    assert alarms(session, order) == {"request_waits"}
    orders.withdraw_request(session, order, request.id, actor=head, now=NOW)
    assert alarms(session, order) == set()


def test_requests_to_decide_are_those_in_reach_the_most_urgent_first(
    session: Session, world: World, head: Actor, centre: Actor
) -> None:
    one, other = routed(session, world), routed(session, world)
    later = ask(session, one, RequestKind.RETURN, head, now=NOW + timedelta(hours=1))
    sooner = ask(session, other, RequestKind.RETURN, head)
    found = orders.requests_to_decide(session, actor=centre)
    assert [waiting.request.id for waiting in found] == [sooner.id, later.id]


def test_words_are_needed_and_a_basis_where_the_kind_asks_for_one(session: Session, world: World, head: Actor) -> None:
    order = routed(session, world)
    for changes, field in (
        ({"grounds": " "}, "grounds"),
        ({"basis": ""}, "basis"),
        ({"grounds": "长" * 1001}, "grounds"),
    ):
        with pytest.raises(Invalid) as refused:
            ask(session, order, RequestKind.RETURN, head, **changes)
        assert refused.value.field == field


def test_a_request_without_a_place_is_refused(session: Session, world: World, centre: Actor) -> None:
    order = routed(session, world)
    order.state = "awaiting_human"
    assert order.community_id is not None
    with pytest.raises(Conflict):
        ask(session, order, RequestKind.HOLD, centre, wish=Wish(until=NOW + DAY), version=order.version + 1)
