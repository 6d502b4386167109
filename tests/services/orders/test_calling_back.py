"""Everybody who waits for an order is called back: it closes when each was, and re-opens for all."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.models.orders import Callback
from dispatch.rules.access.roles import Role
from dispatch.rules.orders.callback import AfterCallback
from dispatch.services import orders
from tests.factories.world import World, staff
from tests.services.orders.merging_world import NOW, OTHERS, Links, answer, check, fed_back, operator
from tests.statements import statements


def test_an_order_closes_when_every_caller_was_reached_and_counts_by_the_worst(
    session: Session, world: World, links: Links
) -> None:
    order, actor = fed_back(session, world, links), operator(session, world)
    orders.repeat_call(session, order, phone=OTHERS[0], actor=actor, now=NOW)
    own, other = orders.to_call(session, order)
    assert answer(session, order, world, own.caller_id, "very_satisfied") is AfterCallback.TRY_AGAIN
    with pytest.raises(orders.AlreadyCalledBack):
        answer(session, order, world, own.caller_id)
    with pytest.raises(IntegrityError, match="not called back"), session.begin_nested():
        session.execute(text("UPDATE orders SET state = 'closed' WHERE id = :id"), {"id": order.id})
    assert answer(session, order, world, other.caller_id, "basically_satisfied") is AfterCallback.CLOSE
    check(session)
    assert (order.state, order.satisfaction) == ("closed", "basically_satisfied")


def test_each_caller_has_three_tries_on_different_half_days(session: Session, world: World, links: Links) -> None:
    order, actor = fed_back(session, world, links), operator(session, world)
    orders.repeat_call(session, order, phone=OTHERS[0], actor=actor, now=NOW)
    clerk = staff(session, world, Role.CALLBACK_CLERK)
    tried: list[AfterCallback] = []
    for _ in range(3):
        for person in orders.to_call(session, order):
            assert order.callback_due_at is not None
            due, caller = order.callback_due_at, person.caller_id
            tried.append(orders.record_callback(session, order, caller_id=caller, reached=False, actor=clerk, now=due))
    assert tried == [*[AfterCallback.TRY_AGAIN] * 5, AfterCallback.UNREACHED]
    kept = session.scalars(select(Callback).where(Callback.order_id == order.id)).all()
    assert sorted((one.caller_id or 0, one.number) for one in kept) == [
        *((0, number) for number in (1, 2, 3)),
        *((one, number) for one in {each.caller_id for each in kept if each.caller_id} for number in (1, 2, 3)),
    ]
    check(session)


def test_one_unsolved_answer_reopens_for_all_and_all_are_called_again(
    session: Session, world: World, links: Links
) -> None:
    order, actor = fed_back(session, world, links), operator(session, world)
    orders.repeat_call(session, order, phone=OTHERS[0], actor=actor, now=NOW)
    own, other = orders.to_call(session, order)
    assert answer(session, order, world, own.caller_id) is AfterCallback.TRY_AGAIN
    assert answer(session, order, world, other.caller_id, "dissatisfied", solved=False) is AfterCallback.REOPEN
    assert order.state == "dispatched"
    assert [person.is_done for person in orders.to_call(session, order)] == [False, False]


def test_who_joins_while_an_order_is_called_back_is_called_at_once(
    session: Session, world: World, links: Links
) -> None:
    order, actor = fed_back(session, world, links), operator(session, world)
    clerk, due = staff(session, world, Role.CALLBACK_CLERK), order.callback_due_at
    assert due is not None
    orders.record_callback(session, order, reached=False, actor=clerk, now=due)
    assert order.callback_due_at is not None
    assert order.callback_due_at > due
    orders.repeat_call(session, order, phone=OTHERS[0], actor=actor, now=due)
    assert order.callback_due_at == due
    with pytest.raises(orders.NobodyThere):
        orders.record_callback(session, order, caller_id=999_999, reached=False, actor=clerk, now=due)


def test_the_list_of_whom_to_call_takes_two_queries_however_many_wait(
    session: Session, world: World, links: Links
) -> None:
    actor = operator(session, world)
    found = [fed_back(session, world, links) for _ in range(3)]
    for order in found:
        for phone in OTHERS:
            orders.repeat_call(session, order, phone=phone, actor=actor, now=NOW)
    with statements(session) as sent:
        people = orders.people_to_call(session, found)
    assert [len(people[order.id]) for order in found] == [1 + len(OTHERS)] * 3
    assert len(sent) == 2
