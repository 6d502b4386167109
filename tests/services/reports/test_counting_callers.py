"""An order with several callers stands once in V, by the worst of its callers' answers, as the rule has it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.orders import Callback, Order, OrderCaller
from dispatch.models.reports import OrderCount
from dispatch.rules.access.roles import Role
from dispatch.rules.orders.callback import Satisfaction
from dispatch.rules.orders.callers import CallerAnswer, worst
from dispatch.services import orders, reports
from dispatch.services.orders import OrderDraft
from tests.factories.reported import LATER
from tests.factories.world import make_world, staff

TRIES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.booleans(),
        st.builds(
            CallerAnswer, contacted=st.booleans(), solved=st.booleans(), satisfaction=st.sampled_from(Satisfaction)
        ),
    ),
    max_size=6,
)


@pytest.fixture
def order(session: Session) -> Order:
    """An order about which two others called too."""
    world = make_world(session)
    actor, now = staff(session, world, Role.OPERATOR), clock.now(session)
    draft = OrderDraft("堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id)
    placed = orders.place(session, draft, actor=actor, now=now)
    for number in (1, 2):
        orders.repeat_call(session, placed, phone=f"1740000000{number}", actor=actor, now=now)
    return placed


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=TRIES)
def test_the_sheet_counts_an_order_by_the_worst_answer(
    session: Session, order: Order, tries: list[tuple[int, bool, CallerAnswer]]
) -> None:
    with session.begin_nested() as savepoint:
        people = [None, *session.scalars(select(OrderCaller.id).where(OrderCaller.order_id == order.id))]
        for number, (who, reached, answer) in enumerate(tries, start=1):
            said = {
                "contacted": answer.contacted,
                "solved": answer.solved,
                "satisfaction": str(answer.satisfaction) if answer.satisfaction else None,
            }
            session.execute(
                insert(Callback).values(
                    community_id=order.community_id,
                    order_id=order.id,
                    caller_id=people[who],
                    cycle=1,
                    number=number,
                    half_day=f"x-{number}",
                    reached=reached,
                    **(said if reached else {}),
                )
            )
        reports.count_anew(session, now=LATER)
        while reports.count_changes(session, now=LATER):
            pass
        sheet = session.scalars(
            select(OrderCount).where(OrderCount.order_id == order.id).execution_options(populate_existing=True)
        ).one()
        found = (sheet.is_reached, sheet.is_contacted, sheet.is_solved, sheet.satisfaction)
        savepoint.rollback()
    expected = worst([answer for _, reached, answer in tries if reached])
    if expected is None:
        assert found == (False, False, False, None)
    else:
        assert found == (True, expected.contacted, expected.solved, str(expected.satisfaction))
