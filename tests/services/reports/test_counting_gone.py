"""Orders that ended without a task: counted once, and never again because a limit passes."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.reports import OrderCount
from dispatch.rules.access.roles import Role
from dispatch.services import orders
from dispatch.services.orders import OrderDraft
from dispatch.services.reports.verify.figures import wrong_figures
from tests.factories.knowledge import make_knowledge
from tests.factories.reported import LATER, MINUTE, MORNING, Lives, lives_of
from tests.factories.world import make_world, staff


@pytest.fixture
def lives(session: Session) -> Lives:
    """A small world in the test's own transaction."""
    return lives_of(session, make_world(session))


@pytest.mark.parametrize("gone", ["voided", "answered"])
def test_what_nobody_owes_any_more_waits_for_no_limit(session: Session, lives: Lives, gone: str) -> None:
    if gone == "voided":
        order = lives.placed(MORNING)
        words = {"reason": "不用了", "by_resident": True}
        orders.void(session, order, **words, actor=lives.operator, now=MORNING + MINUTE)  # type: ignore[arg-type]
    else:
        make_knowledge(session, staff(session, lives.world, Role.CENTRE), MORNING, code="papers")
        draft = OrderDraft("怎么办", service_code="drain_clearing", stairwell_id=lives.world.stairwells[0].id)
        cited = orders.Citation(code="papers", version=1)
        orders.answer_call(session, draft, cited, actor=lives.operator, now=MORNING)
    lives.counted(MORNING + 2 * MINUTE)
    sheet = session.execute(select(OrderCount.fate, OrderCount.closing, OrderCount.count_again_at)).one()
    assert tuple(sheet) == (gone, "open", None)
    assert list(wrong_figures(session, LATER)) == []
