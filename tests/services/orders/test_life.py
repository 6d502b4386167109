"""The whole life of an order through the services: placed, routed, offered, worked, called back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.notify import Alarm, Notice
from dispatch.models.orders import DecisionRecord, Offer, OfferRecipient, Order
from dispatch.queue import Job
from dispatch.rules.access.roles import Role
from dispatch.services import orders
from dispatch.services.orders import OrderDraft, WorkReport
from tests.factories.world import World, make_world, staff

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
Links = Callable[[Order], dict[int, str]]


def draft(world: World, **changes: object) -> OrderDraft:
    """A call about a blocked drain at a known stairwell."""
    values: dict[str, object] = {
        "description": "厨房下水道堵了",
        "service_code": "drain_clearing",
        "stairwell_id": world.stairwells[0].id,
        "caller_phone": "17400000001",
        "caller_name": "王某",
    }
    return OrderDraft(**(values | changes))  # type: ignore[arg-type]


def placed(session: Session, world: World, **changes: object) -> Order:
    """An order placed by an operator of the district."""
    return orders.place(session, draft(world, **changes), actor=staff(session, world, Role.OPERATOR), now=NOW)


def routed(session: Session, world: World, **changes: object) -> Order:
    """An order that has been placed and offered."""
    order = placed(session, world, **changes)
    orders.route(session, order.id, now=NOW)
    session.refresh(order)
    return order


def jobs_of(session: Session, order: Order) -> set[str]:
    """The kinds of the open jobs about an order."""
    return set(session.scalars(select(Job.kind).where(Job.reference == order.id, Job.done_at.is_(None))))


def actions(session: Session, order: Order) -> list[str]:
    """The actions of an order's history."""
    return [event.action for event in orders.time_line(session, order)]


def test_a_placed_order_is_durable_with_history_and_a_job_that_routes_it(session: Session, world: World) -> None:
    order = placed(session, world)
    assert (order.state, order.version, order.place_outcome) == ("awaiting_dispatch", 2, "stairwell")
    assert order.community_id == world.community.id
    assert actions(session, order) == ["receive", "complete_intake"]
    assert jobs_of(session, order) == {"orders.route"}
    assert order.civic_due_at is not None
    assert order.service_due_at == NOW + timedelta(minutes=480)


def test_the_phone_is_sealed_and_found_by_its_blind_index(session: Session, world: World) -> None:
    order = placed(session, world)
    assert order.caller_phone is not None
    assert b"17400000001" not in order.caller_phone
    found = orders.orders_of_caller(session, order.phone_index or b"", actor=staff(session, world, Role.OPERATOR))
    assert [one.number for one in found] == [order.number]


def test_a_place_that_is_not_found_never_refuses_the_call(session: Session, world: World) -> None:
    order = placed(session, world, stairwell_id=None, address_text="月亮背面第三棵桂花树旁")
    assert (order.state, order.place_outcome, order.community_id) == ("received", "unresolved", None)
    assert jobs_of(session, order) == {"orders.place_alarm"}


def test_an_unsettled_place_is_alarmed_once_and_settling_it_routes_the_order(session: Session, world: World) -> None:
    order = placed(session, world, stairwell_id=None, address_text="月亮背面第三棵桂花树旁")
    for _ in range(2):
        orders.place_alarm(session, order, now=NOW + timedelta(minutes=5))
    alarms = session.scalars(select(Alarm).where(Alarm.order_id == order.id, Alarm.cleared_at.is_(None))).all()
    assert [alarm.kind for alarm in alarms] == ["place_unresolved"]
    orders.settle(
        session,
        order,
        stairwell_id=world.stairwells[1].id,
        actor=staff(session, world, Role.OPERATOR),
        now=NOW,
    )
    assert (order.state, order.stairwell_id) == ("awaiting_dispatch", world.stairwells[1].id)
    assert "orders.route" in jobs_of(session, order)
    session.refresh(alarms[0])
    assert alarms[0].cleared_at is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service_code": "no_such_kind"}, "service_code"),
        ({"stairwell_id": 999_999_999}, "stairwell_id"),
        ({"caller_phone": "12"}, "phone"),
        ({"description": "长" * 4_001}, "description"),
        ({"description": "a\x00b"}, "description"),
        ({"wanted_from": NOW - timedelta(days=1), "wanted_until": NOW}, "wanted_from"),
        ({"urgency": "yesterday"}, "urgency"),
        ({"answers": {"unknown": "x"}}, "answers.unknown"),
    ],
)
def test_bad_input_names_its_field_and_changes_nothing(
    session: Session, world: World, changes: dict[str, object], field: str
) -> None:
    before = session.scalar(select(func.count()).select_from(Order))
    with pytest.raises(Invalid) as refused:
        placed(session, world, **changes)
    assert refused.value.field in {field, f"caller_{field}"}
    assert session.scalar(select(func.count()).select_from(Order)) == before


def test_routing_puts_both_teams_on_the_order_and_offers_it_to_one_firm(
    session: Session, world: World, links: Links
) -> None:
    order = routed(session, world)
    assert order.state == "offered"
    assert (order.lead_team_id, order.accountable_team_id) == (world.line.id, world.block.id)
    assert actions(session, order)[2:] == ["dispatch", "sign", "open_round"]
    offers = orders.offers_of(session, order)
    assert len(offers) == 1
    assert offers[0][0].hold_until == NOW + timedelta(minutes=10)
    assert set(links(order)) == {offers[0][1].performer_id}
    lapses = session.scalars(select(Job).where(Job.kind == "orders.lapse")).all()
    assert [job.reference for job in lapses] == [offers[0][0].id]


def test_routing_twice_is_routing_once(session: Session, world: World) -> None:
    order = routed(session, world)
    version = order.version
    orders.route(session, order.id, now=NOW)
    assert order.version == version
    assert session.scalar(select(func.count()).select_from(Offer).where(Offer.order_id == order.id)) == 1


def test_the_decision_record_is_stored_and_told_in_plain_sentences(session: Session, world: World) -> None:
    order = routed(session, world)
    record = session.scalars(select(DecisionRecord).where(DecisionRecord.order_id == order.id)).one()
    assert len(record.record) <= 4_096
    (_, sentences), *_ = orders.decisions(session, order)
    assert any(world.firms[0].name[:4] in str(sentence) for sentence in sentences)


def test_a_batch_spreads_over_the_firms_and_writes_one_round_each(session: Session, world: World) -> None:
    placed_orders = [placed(session, world) for _ in range(6)]
    orders.route_many(session, [order.id for order in placed_orders], now=NOW)
    taken = session.scalars(select(OfferRecipient.performer_id)).all()
    assert len(taken) == 6
    assert {taken.count(firm.id) for firm in world.firms} == {2}


def test_accepted_worked_fed_back_called_back_and_closed(session: Session, world: World, links: Links) -> None:
    order = routed(session, world)
    (token,) = links(order).values()
    orders.accept(session, token, now=NOW)
    orders.set_out(session, token, now=NOW)
    orders.arrive(session, token, now=NOW + timedelta(minutes=20))
    orders.finish(session, token, WorkReport("done", 8_000, "已疏通"), now=NOW + timedelta(minutes=50))
    head, clerk = staff(session, world, Role.TEAM_HEAD), staff(session, world, Role.CALLBACK_CLERK)
    orders.feed_back(session, order, answer="已修好", actor=head, now=NOW + timedelta(hours=1))
    assert order.callback_due_at is not None
    orders.record_callback(
        session,
        order,
        reached=True,
        contacted=True,
        solved=True,
        satisfaction="satisfied",
        actor=clerk,
        now=order.callback_due_at,
    )
    assert (order.state, order.satisfaction, order.cost_fen) == ("closed", "satisfied", 8_000)
    assert actions(session, order)[-7:] == [
        "set_out", "arrive", "finish", "feed_back", "start_callback", "record_callback_try", "close",
    ]  # fmt: skip


def test_the_handler_cannot_call_back_not_even_past_the_service(session: Session, world: World, links: Links) -> None:
    order = routed(session, world)
    (token,) = links(order).values()
    orders.accept(session, token, now=NOW)
    orders.finish(session, token, WorkReport("done"), now=NOW)
    head = staff(session, world, Role.TEAM_HEAD)
    orders.feed_back(session, order, answer="已修好", actor=head, now=NOW)
    with pytest.raises(orders.HandlerCallsBack):
        orders.record_callback(session, order, reached=False, actor=head, now=NOW)
    with pytest.raises(IntegrityError, match="cannot call back"):
        session.execute(
            text(
                "INSERT INTO callbacks (order_id, cycle, number, clerk_id, half_day, reached) "
                "VALUES (:order, 1, 1, :clerk, 'x', false)"
            ),
            {"order": order.id, "clerk": head.user_id},
        )


def test_three_unreached_tries_on_different_half_days_close_the_order(
    session: Session, world: World, links: Links
) -> None:
    order = finished(session, world, links)
    clerk = staff(session, world, Role.CALLBACK_CLERK)
    for _ in range(3):
        assert order.callback_due_at is not None
        orders.record_callback(session, order, reached=False, actor=clerk, now=order.callback_due_at)
    assert (order.state, order.satisfaction) == ("closed", None)
    assert len(orders.callbacks_of(session, order)) == 3


def test_an_unsolved_order_goes_to_the_same_team_again(session: Session, world: World, links: Links) -> None:
    order = finished(session, world, links)
    lead = order.lead_team_id
    clerk, due = staff(session, world, Role.CALLBACK_CLERK), order.callback_due_at
    assert due is not None
    orders.record_callback(
        session,
        order,
        reached=True,
        contacted=True,
        solved=False,
        satisfaction="dissatisfied",
        actor=clerk,
        now=due,
    )
    assert (order.state, order.reopened, order.cycle) == ("dispatched", 1, 2)
    orders.route(session, order.id, now=due)
    session.refresh(order)
    assert (order.state, order.lead_team_id) == ("offered", lead)


def finished(session: Session, world: World, links: Links) -> Order:
    """An order whose work is done and whose answer was given."""
    order = routed(session, world)
    (token,) = links(order).values()
    orders.accept(session, token, now=NOW)
    orders.finish(session, token, WorkReport("done"), now=NOW)
    orders.feed_back(session, order, answer="已修好", actor=staff(session, world, Role.TEAM_HEAD), now=NOW)
    return order


def test_after_a_decline_the_next_firm_is_asked_and_never_the_same(
    session: Session, world: World, links: Links
) -> None:
    order = routed(session, world)
    asked = []
    for _ in world.firms:
        ((performer, token),) = links(order).items()
        asked.append(performer)
        orders.decline(session, token, reason="太远", now=NOW)
        orders.route(session, order.id, now=NOW)
        session.refresh(order)
    assert sorted(asked) == sorted(firm.id for firm in world.firms)
    assert (order.state, order.waits_for) == ("awaiting_human", "no_candidate")
    alarms = session.scalars(select(Alarm.kind).where(Alarm.order_id == order.id, Alarm.cleared_at.is_(None))).all()
    assert alarms == ["order_waits"]


def test_a_lapse_counts_like_a_refusal_and_comes_only_when_it_is_due(session: Session, world: World) -> None:
    order = routed(session, world)
    ((offer, recipient, _),) = orders.offers_of(session, order)
    orders.lapse(session, offer.id, now=offer.hold_until - timedelta(seconds=1))
    assert offer.closed_at is None
    orders.lapse(session, offer.id, now=offer.hold_until)
    session.refresh(recipient)
    assert (offer.outcome, recipient.outcome) == ("lapsed", "lapsed")
    assert "orders.route" in jobs_of(session, order)


def test_each_late_answer_has_its_own_clear_error(session: Session, world: World, links: Links) -> None:
    order = routed(session, world)
    ((_, token),) = links(order).items()
    with pytest.raises(orders.OfferLapsed):
        orders.accept(session, token, now=NOW + timedelta(minutes=10))
    orders.accept(session, token, now=NOW)
    version = order.version
    with pytest.raises(orders.AlreadyAccepted):
        orders.accept(session, token, now=NOW)
    with pytest.raises(orders.AlreadyAccepted):
        orders.decline(session, token, reason="不去了", now=NOW)
    with pytest.raises(orders.LinkDead):
        orders.accept(session, token[:-1] + ("A" if token[-1] != "A" else "B"), now=NOW)
    assert order.version == version


def test_of_three_firms_asked_at_once_one_takes_it(session: Session, world: World, links: Links) -> None:
    world.plumbing.given = "offer_first_three"
    session.flush()
    order = routed(session, world)
    tokens = list(links(order).values())
    assert len(tokens) == 3
    orders.accept(session, tokens[1], now=NOW)
    for late in (tokens[0], tokens[2]):
        with pytest.raises(orders.OfferTaken):
            orders.accept(session, late, now=NOW)


def test_others_orders_are_not_found_like_missing_ones(session: Session, world: World) -> None:
    from_elsewhere = staff(session, make_world(session), Role.OPERATOR)
    order = placed(session, world)
    with pytest.raises(NotFound):
        orders.find(session, order.number, actor=from_elsewhere)


def test_the_history_cannot_be_rewritten_by_the_application(session: Session, world: World) -> None:
    order = placed(session, world)
    with pytest.raises(Exception, match="permission denied"):
        session.execute(text("UPDATE order_events SET reason = 'x' WHERE order_id = :id"), {"id": order.id})


def test_the_database_refuses_a_step_that_the_life_cycle_does_not_know(session: Session, world: World) -> None:
    order = placed(session, world)
    with pytest.raises(IntegrityError, match="legal_edge"):
        session.execute(
            text(
                "INSERT INTO order_events (order_id, version, action, from_state, to_state, at, actor_kind, digest) "
                "VALUES (:id, 3, 'finish', 'awaiting_dispatch', 'finished', now(), 'system', '\\x00')"
            ),
            {"id": order.id},
        )


def test_escalation_tells_each_level_once(session: Session, world: World) -> None:
    order = routed(session, world)
    late = NOW + timedelta(minutes=481)
    orders.escalate(session, order.id, now=late)
    orders.escalate(session, order.id, now=late)
    session.refresh(order)
    assert actions(session, order).count("escalate") == 3
    told = session.scalars(select(Notice.dedupe).where(Notice.template == "escalation")).all()
    assert len(told) == len(set(told))
