"""直接答复: one durable statement, a citation always, no job; and what the caller says of it afterwards."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.access import AuditEntry
from dispatch.models.notify import Alarm
from dispatch.models.orders import KnowledgeUse, Order
from dispatch.models.reports import OrderCount
from dispatch.queue import Job
from dispatch.rules.access.chain import GENESIS
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.orders.states import Action, IllegalStep
from dispatch.services import catalogue, orders
from dispatch.services.catalogue import Knowledge
from dispatch.services.orders import Citation, OrderDraft
from dispatch.services.reports import count_changes
from tests.factories.knowledge import make_knowledge, make_text
from tests.factories.world import World, make_world, staff
from tests.services.orders.conftest import NOW
from tests.statements import statements


@pytest.fixture
def item(session: Session, world: World) -> Knowledge:
    return make_knowledge(session, staff(session, world, Role.CENTRE), NOW, words=())


def answer(session: Session, world: World, item: Knowledge, *, useful: str = "not_asked", **draft: object) -> Order:
    """A call that an operator closes at once."""
    values = {"description": "老年卡怎么办", "caller_phone": "13905781234"} | draft
    return orders.answer_call(
        session,
        OrderDraft(**values),  # type: ignore[arg-type]
        Citation(item_id=item.item.id, version=item.item.version, useful=useful),
        actor=staff(session, world, Role.OPERATOR),
        now=NOW,
    )


def test_a_call_is_closed_in_the_call_without_a_place_and_without_a_job(
    session: Session, world: World, item: Knowledge
) -> None:
    order = answer(session, world, item)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    assert (order.state, order.version, order.closed_at, order.place_outcome) == ("answered", 2, NOW, "unresolved")
    assert order.service_id == world.plumbing.id
    events = orders.time_line(session, order)
    assert [event.action for event in events] == [Action.RECEIVE, Action.ANSWER_DIRECTLY]
    assert events[1].facts == {"knowledge": "elder_card", "knowledge_version": 1}
    assert events[1].digest == order.chain_head != GENESIS
    assert session.scalars(select(Job)).all() == []
    use, of, said = orders.answered_with(session, order)
    assert (of.code, said.version, use.useful, use.asked_at) == ("elder_card", 1, "not_asked", None)
    noted = select(AuditEntry.action).where(AuditEntry.subject == "orders", AuditEntry.subject_id == order.id)
    assert session.scalars(noted).all() == ["orders.answer_directly"]


def test_it_is_one_statement_that_writes(session: Session, world: World, item: Knowledge) -> None:
    actor = staff(session, world, Role.OPERATOR)
    draft, citation = OrderDraft(description="老年卡怎么办"), Citation(item_id=item.item.id)
    with statements(session) as seen:
        orders.answer_call(session, draft, citation, actor=actor, now=NOW)
    assert len([one for one in seen if "INSERT" in one or "UPDATE" in one]) == 1


def test_the_place_and_the_kind_are_kept_where_they_are_known(session: Session, world: World, item: Knowledge) -> None:
    order = answer(session, world, item, address_text="1号楼1单元501", service_code="mediation", useful="yes")
    assert (order.community_id, order.stairwell_id) == (world.community.id, world.stairwells[0].id)
    assert order.service_id == world.gossip.id
    use, _, _ = orders.answered_with(session, order)
    assert (use.useful, use.asked_at) == ("yes", NOW)


def test_without_words_the_call_is_about_the_item(session: Session, world: World, item: Knowledge) -> None:
    assert answer(session, world, item, description=" ").description == "老年卡办理"


def test_the_citation_is_mandatory(session: Session, world: World, item: Knowledge) -> None:
    actor, draft = staff(session, world, Role.OPERATOR), OrderDraft(description="老年卡")
    for citation, error in (
        (Citation(), Invalid),
        (Citation(code="no_such"), NotFound),
        (Citation(item_id=item.item.id, version=2), catalogue.KnowledgeOutdated),
        (Citation(item_id=item.item.id, useful="maybe"), Invalid),
    ):
        with pytest.raises(error):
            orders.answer_call(session, draft, citation, actor=actor, now=NOW)
    assert session.scalars(select(Order)).all() == []


def test_the_database_refuses_an_answered_order_without_a_citation(
    session: Session, world: World, item: Knowledge
) -> None:
    order = orders.place(
        session, OrderDraft("老年卡", service_code="mediation"), actor=staff(session, world, Role.OPERATOR), now=NOW
    )
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    with pytest.raises(IntegrityError, match="without knowledge"), session.begin_nested():
        session.execute(
            text(
                "WITH step AS (INSERT INTO order_events (order_id, version, action, from_state, to_state, at, "
                "actor_kind, digest) VALUES (:id, 2, 'answer_directly', 'received', 'answered', now(), 'operator', '') "
                "RETURNING 1) "
                "UPDATE orders SET state = 'answered', version = 2 WHERE id = :id"
            ),
            {"id": order.id},
        )
    with pytest.raises(IntegrityError, match="fk_knowledge_uses_step"), session.begin_nested():
        session.add(
            KnowledgeUse(
                order_id=order.id,
                order_version=1,
                knowledge_version_id=item.text.id,
                cited_at=NOW,
                useful="not_asked",
            )
        )


def test_nobody_but_a_person_or_a_key_answers(session: Session, world: World, item: Knowledge) -> None:
    draft = OrderDraft(description="x", organisation_id=world.district.id)
    with pytest.raises(NotAllowed):
        orders.answer_call(session, draft, Citation(item_id=item.item.id), actor=SYSTEM, now=NOW)


@pytest.mark.usefixtures("item")
def test_an_order_that_is_being_taken_is_answered_and_its_alarm_cleared(session: Session, world: World) -> None:
    actor = staff(session, world, Role.OPERATOR)
    order = orders.place(
        session, OrderDraft("问老年卡", service_code="mediation", address_text="不知道"), actor=actor, now=NOW
    )
    orders.place_alarm(session, order, now=NOW)
    orders.answer_directly(session, order, Citation(code="elder_card"), version=1, actor=actor, now=NOW)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    assert (order.state, order.version, order.closed_at) == ("answered", 2, NOW)
    assert orders.citation_of(session, order) is not None
    assert session.scalars(select(Alarm).where(Alarm.order_id == order.id, Alarm.cleared_at.is_(None))).all() == []
    with pytest.raises(IllegalStep):
        orders.answer_directly(session, order, Citation(code="elder_card"), actor=actor, now=NOW)


def test_an_order_on_its_way_or_of_a_programme_is_not_answered(session: Session, world: World, item: Knowledge) -> None:
    actor, citation = staff(session, world, Role.OPERATOR), Citation(item_id=item.item.id)
    placed = orders.place(
        session,
        OrderDraft("堵了", service_code="mediation", stairwell_id=world.stairwells[0].id),
        actor=actor,
        now=NOW,
    )
    with pytest.raises(IllegalStep):
        orders.answer_directly(session, placed, citation, actor=actor, now=NOW)
    visit = OrderDraft("探访", service_code="mediation", origin="care.visit", origin_id=1, occasion="1")
    with pytest.raises(orders.NotACall):
        orders.answer_call(session, visit, citation, actor=actor, now=NOW)
    waiting = orders.place(session, visit, actor=actor, now=NOW)
    with pytest.raises(orders.NotACall):
        orders.answer_directly(session, waiting, citation, actor=actor, now=NOW)


def test_what_the_caller_says_is_recorded_once(session: Session, world: World, item: Knowledge) -> None:
    actor, order = staff(session, world, Role.OPERATOR), answer(session, world, item)
    with pytest.raises(Invalid):
        orders.record_usefulness(session, order, useful="not_asked", actor=actor, now=NOW)
    orders.record_usefulness(session, order, useful="no", actor=actor, now=NOW)
    use, _, _ = orders.answered_with(session, order)
    assert (use.useful, use.asked_by, use.asked_at) == ("no", actor.user_id, NOW)
    with pytest.raises(orders.AlreadyAsked):
        orders.record_usefulness(session, order, useful="yes", actor=actor, now=NOW)
    other = orders.place(session, OrderDraft("问", service_code="mediation"), actor=actor, now=NOW)
    with pytest.raises(orders.NotAnswered):
        orders.record_usefulness(session, other, useful="yes", actor=actor, now=NOW)


def test_the_citation_stays_what_was_said_then(session: Session, world: World, item: Knowledge) -> None:
    order = answer(session, world, item)
    centre = staff(session, world, Role.CENTRE)
    catalogue.revise_knowledge(session, item.item.id, make_text(body="新的"), version=1, actor=centre, now=NOW)
    _, _, said = orders.answered_with(session, order)
    assert (said.version, said.body) == (1, item.text.body)


def test_uses_are_counted_within_reach_only(session: Session, world: World, item: Knowledge) -> None:
    for useful in ("yes", "no", "not_asked"):
        answer(session, world, item, useful=useful)
    actor = staff(session, world, Role.CENTRE)
    other = make_world(session, firms=1)
    theirs = make_knowledge(session, staff(session, other, Role.CENTRE), NOW)
    answer(session, other, theirs, useful="yes")
    (counted,) = orders.knowledge_figures(session, since=NOW, actor=actor)
    assert (counted.title, counted.used, counted.useful, counted.useless) == ("老年卡办理", 3, 1, 1)
    with statements(session) as seen:
        orders.knowledge_figures(session, since=NOW, actor=actor)
    assert len(seen) == 1


def test_an_answered_call_enters_the_figures_as_answered(session: Session, world: World, item: Knowledge) -> None:
    order = answer(session, world, item, address_text="1号楼1单元501")
    count_changes(session, now=NOW)
    counted = session.get_one(OrderCount, order.id)
    assert (counted.fate, counted.community_id, counted.dispatched_on) == ("answered", world.community.id, None)
