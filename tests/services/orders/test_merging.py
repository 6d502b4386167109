"""Repeated calls, merging, taking apart, splitting: reversible, and what goes on ends in sight."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid
from dispatch.models.notify import Notice
from dispatch.models.orders import Assignment, OrderRequest, Supervision
from dispatch.rules.access.roles import Role
from dispatch.rules.grid.phone import normalise_phone
from dispatch.rules.orders.requests import RequestKind, Wish
from dispatch.rules.orders.states import IllegalStep
from dispatch.services import orders
from dispatch.services.orders import OrderDraft, callers
from tests.factories.world import World, staff
from tests.services.orders.merging_world import (
    NOW,
    OTHERS,
    Links,
    actions,
    answer,
    check,
    fed_back,
    index,
    numbers_waiting,
    operator,
    placed,
)

# -- repeated calls -------------------------------------------------------------------------------------------------


def test_a_repeated_call_is_counted_and_nobody_is_sent_twice(session: Session, world: World) -> None:
    order, actor = placed(session, world), operator(session, world)
    for phone in (OTHERS[0], OTHERS[1], OTHERS[0], "17400000001"):
        assert orders.repeat_call(session, order, name="李某", phone=phone, actor=actor, now=NOW) is order
    check(session)
    found = {one.phone_index: one for one in callers.callers_of(session, order)}
    assert {key: one.calls for key, one in found.items()} == {
        index(OTHERS[0]): 2,
        index(OTHERS[1]): 1,
        index("17400000001"): 2,
    }
    assert numbers_waiting(session, order) == {index(phone) for phone in (OTHERS[0], OTHERS[1], "17400000001")}
    assert (order.repeat_calls, orders.calls_about(callers.callers_of(session, order))) == (4, 5)
    assert actions(session, order).count("repeat_call") == 4
    assert order.urged == 0


def test_the_same_form_sent_again_counts_nothing(session: Session, world: World) -> None:
    order, actor = placed(session, world), operator(session, world)
    for phone in (None, None, OTHERS[0], OTHERS[0]):
        orders.repeat_call(session, order, phone=phone, key=f"form-{phone}", actor=actor, now=NOW)
    assert order.repeat_calls == 2


def test_the_performer_hears_of_a_repeated_call_only_when_it_urges(
    session: Session, world: World, links: Links
) -> None:
    order, actor = placed(session, world), operator(session, world)
    orders.route(session, order.id, now=NOW)
    (token,) = links(order).values()
    orders.accept(session, token, now=NOW)
    orders.repeat_call(session, order, phone=OTHERS[0], actor=actor, now=NOW)
    told = select(Notice).where(Notice.order_id == order.id, Notice.template == "urged")
    assert session.scalars(told).all() == []
    orders.repeat_call(session, order, phone=OTHERS[0], urged=True, actor=actor, now=NOW)
    assert order.performer_id in [notice.performer_id for notice in session.scalars(told)]
    assert order.urged == 1


def test_a_caller_about_an_order_without_a_place_goes_into_its_community_with_it(
    session: Session, world: World
) -> None:
    order = placed(session, world, stairwell_id=None, room=None, address_text="月亮背面第三棵桂花树旁")
    actor = operator(session, world)
    orders.repeat_call(session, order, phone=OTHERS[0], actor=actor, now=NOW)
    orders.settle(session, order, stairwell_id=world.stairwells[1].id, actor=actor, now=NOW)
    check(session)
    assert [one.community_id for one in callers.callers_of(session, order)] == [world.community.id]


def test_the_number_of_a_caller_is_sealed_for_its_row(session: Session, world: World) -> None:
    order = placed(session, world)
    orders.repeat_call(session, order, phone=OTHERS[0], actor=operator(session, world), now=NOW)
    (caller,) = callers.callers_of(session, order)
    assert caller.phone is not None
    assert OTHERS[0].encode() not in caller.phone
    assert callers.phone_of(caller) == normalise_phone(OTHERS[0])


# -- merging ----------------------------------------------------------------------------------------------------------


def test_merging_moves_the_callers_and_taking_apart_gives_them_back(
    session: Session, world: World, links: Links
) -> None:
    one, other, actor = placed(session, world), placed(session, world, caller_phone=OTHERS[0]), operator(session, world)
    orders.route(session, one.id, now=NOW)
    (token,) = links(one).values()
    orders.accept(session, token, now=NOW)
    orders.repeat_call(session, one, phone=OTHERS[1], actor=actor, now=NOW)
    before = (one.civic_due_at, one.service_due_at, one.description, one.stairwell_id, one.room, one.caller_phone)
    assert orders.merge(session, one, other, actor=actor, now=NOW) is other
    check(session)
    assert (one.state, one.merged_into_id, one.performer_id) == ("merged", other.id, None)
    assert numbers_waiting(session, other) == {index(phone) for phone in ("17400000001", OTHERS[0], OTHERS[1])}
    assert numbers_waiting(session, one) == {one.phone_index}
    assert (
        session.scalars(select(Assignment).where(Assignment.order_id == one.id, Assignment.done_at.is_(None))).all()
        == []
    )
    withdrawn = select(Notice.id).where(Notice.order_id == one.id, Notice.template == "withdrawn")
    assert len(session.scalars(withdrawn).all()) == 1
    assert actions(session, other)[-1] == "take_in"
    later = NOW + timedelta(hours=1)
    orders.unmerge(session, one, reason="不是同一件事", actor=actor, now=later)
    check(session)
    assert (one.state, one.merged_into_id, one.closed_at) == ("awaiting_dispatch", None, None)
    assert before == (
        one.civic_due_at, one.service_due_at, one.description, one.stairwell_id, one.room, one.caller_phone,
    )  # fmt: skip
    assert numbers_waiting(session, one) == {index("17400000001"), index(OTHERS[1])}
    assert numbers_waiting(session, other) == {index(OTHERS[0])}
    assert actions(session, other)[-1] == "let_go"
    orders.route(session, one.id, now=later)
    assert (one.state, one.cycle) == ("offered", 2)


def test_of_another_place_or_kind_only_with_a_reason(session: Session, world: World) -> None:
    one, actor = placed(session, world), operator(session, world)
    far = placed(session, world, stairwell_id=world.stairwells[4].id, caller_phone=OTHERS[0])
    kind = placed(session, world, service_code="mediation", caller_phone=OTHERS[1])
    for into in (far, kind):
        with pytest.raises(Invalid) as refused:
            orders.merge(session, one, into, actor=actor, now=NOW)
        assert refused.value.field == "reason"
    orders.merge(session, one, far, reason="两幢楼共用一条管", actor=actor, now=NOW)
    assert orders.time_line(session, one)[-1].reason == "两幢楼共用一条管"


def test_what_cannot_be_one_order_is_refused_by_name(session: Session, world: World) -> None:
    one, other, actor = placed(session, world), placed(session, world), operator(session, world)
    secret = placed(session, world, confidential=True)
    with pytest.raises(orders.MergedWithItself):
        orders.merge(session, one, one, actor=actor, now=NOW)
    with pytest.raises(orders.ConfidentialMerge):
        orders.merge(session, one, secret, actor=actor, now=NOW)
    with pytest.raises(orders.NotMerged):
        orders.unmerge(session, one, reason="x", actor=actor, now=NOW)
    with pytest.raises(orders.Stale):
        orders.merge(session, one, other, version=1, actor=actor, now=NOW)
    orders.merge(session, other, one, actor=actor, now=NOW)
    with pytest.raises(orders.MergedWithItself):
        orders.merge(session, one, other, actor=actor, now=NOW)
    with pytest.raises(Conflict):
        orders.void(session, one, reason="x", by_resident=True, actor=actor, now=NOW)


def test_a_chain_of_merges_ends_at_the_last_and_comes_apart_in_the_middle(session: Session, world: World) -> None:
    actor = operator(session, world)
    first, second, third = (placed(session, world, caller_phone=phone) for phone in OTHERS[:3])
    orders.merge(session, first, second, actor=actor, now=NOW)
    orders.merge(session, second, third, actor=actor, now=NOW)
    check(session)
    assert numbers_waiting(session, third) == {index(phone) for phone in OTHERS[:3]}
    assert orders.repeat_call(session, first, phone=OTHERS[3], actor=actor, now=NOW) is third
    fourth = placed(session, world, caller_phone=OTHERS[4])
    assert orders.merge(session, fourth, first, actor=actor, now=NOW) is third
    orders.unmerge(session, first, reason="看错了", actor=actor, now=NOW)
    check(session)
    assert numbers_waiting(session, first) == {index(OTHERS[0])}
    assert numbers_waiting(session, third) == {index(phone) for phone in OTHERS[1:]}
    orders.unmerge(session, second, reason="看错了", actor=actor, now=NOW)
    check(session)
    assert numbers_waiting(session, second) == {index(OTHERS[1])}
    assert actions(session, third)[-2:] == ["let_go", "let_go"]


def test_the_database_refuses_a_circle_and_a_caller_left_behind(session: Session, world: World) -> None:
    actor = operator(session, world)
    one, other = placed(session, world, caller_phone=OTHERS[0]), placed(session, world, caller_phone=OTHERS[1])
    orders.merge(session, one, other, actor=actor, now=NOW)
    check(session)
    with pytest.raises(IntegrityError, match="merged into itself"), session.begin_nested():
        session.execute(
            text("UPDATE orders SET state = 'merged', merged_into_id = :into WHERE id = :id"),
            {"id": other.id, "into": one.id},
        )
    session.execute(
        text("UPDATE order_callers SET order_id = from_order_id, from_order_id = :other WHERE home_id = :id"),
        {"id": one.id, "other": other.id},
    )
    with pytest.raises(IntegrityError, match="waits where"):
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_what_goes_on_about_a_merged_order_ends_in_sight(session: Session, world: World, links: Links) -> None:
    one, other, actor = placed(session, world), placed(session, world, caller_phone=OTHERS[0]), operator(session, world)
    orders.route(session, one.id, now=NOW)
    head, centre = staff(session, world, Role.TEAM_HEAD), staff(session, world, Role.CENTRE)
    assert links(one)
    orders.ask(
        session,
        one,
        RequestKind.HELP,
        grounds="要帮手",
        wish=Wish(team_id=world.block.id, task="关总阀"),
        actor=head,
        now=NOW,
    )
    asked = session.scalars(select(OrderRequest).where(OrderRequest.order_id == one.id)).one()
    orders.decide(session, one, asked.id, granted=True, reason="同意", actor=centre, now=NOW)
    orders.ask(session, one, RequestKind.RETURN, grounds="不归我们", basis="职责表", actor=head, now=NOW)
    orders.supervise(session, one, reason="重点", actor=centre, now=NOW)
    orders.merge(session, one, other, actor=actor, now=NOW)
    check(session)
    assert {request.state for request in session.scalars(select(OrderRequest))} == {"granted", "withdrawn"}
    merged = next(event for event in orders.time_line(session, one) if event.action == "merge")
    assert (merged.facts["requests"], merged.facts["helpers"]) == (1, 1)
    watched = session.scalars(select(Supervision).order_by(Supervision.id)).all()
    assert [(found.order_id, found.ended_at is None) for found in watched] == [(one.id, False), (other.id, True)]


def test_an_order_is_open_again_after_the_other_was_closed_until_that_is_put_away(
    session: Session, world: World, links: Links
) -> None:
    actor = operator(session, world)
    one, late = placed(session, world, caller_phone=OTHERS[0]), placed(session, world, caller_phone=OTHERS[1])
    other = fed_back(session, world, links)
    for each in (one, late):
        orders.merge(session, each, other, actor=actor, now=NOW)
    for person in orders.to_call(session, other):
        answer(session, other, world, person.caller_id)
    assert other.state == "closed"
    orders.unmerge(session, one, reason="还没修", actor=actor, now=NOW + timedelta(days=2))
    check(session)
    assert (one.state, actions(session, other)[-1]) == ("awaiting_dispatch", "let_go")
    orders.archive(session, other.id, now=NOW + timedelta(days=9))
    with pytest.raises(IllegalStep):
        orders.unmerge(session, late, reason="太晚了", actor=actor, now=NOW + timedelta(days=10))


# -- splitting ---------------------------------------------------------------------------------------------------------


def test_one_call_about_two_matters_becomes_two_orders_and_merging_undoes_it(session: Session, world: World) -> None:
    order, actor = placed(session, world), operator(session, world)
    made = orders.split(session, order, OrderDraft("楼上还在吵", service_code="mediation"), actor=actor, now=NOW)
    check(session)
    assert (made.split_from_id, made.stairwell_id, made.room) == (order.id, order.stairwell_id, "501")
    assert (made.phone_index, made.caller_name, made.service_id) == (order.phone_index, "王某", world.gossip.id)
    assert actions(session, order)[-1] == "split"
    orders.merge(session, made, order, actor=actor, now=NOW)
    check(session)
    assert numbers_waiting(session, order) == {order.phone_index}
    assert callers.waiting_for(session, order) == []


def test_a_call_whose_place_nobody_knows_is_settled_before_it_is_split(session: Session, world: World) -> None:
    order, actor = placed(session, world, stairwell_id=None, address_text="月亮背面"), operator(session, world)
    draft = OrderDraft("楼上还在吵", service_code="mediation", stairwell_id=world.stairwells[0].id)
    with pytest.raises(Conflict):
        orders.split(session, order, draft, actor=actor, now=NOW)
    settled = placed(session, world)
    with pytest.raises(Invalid) as refused:
        orders.split(
            session, settled, OrderDraft("吵", service_code="mediation", address_text="月亮背面"), actor=actor, now=NOW
        )
    assert refused.value.field == "address_text"
