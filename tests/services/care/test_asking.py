"""三问: taken once, answered once, alarmed when nobody answers, published without a name."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import Solicitation, SolicitationEntry
from dispatch.models.notify import Alarm
from dispatch.queue import Job
from dispatch.rules.access.roles import Role
from dispatch.rules.care.asking import AskKind, EntrySource, Outcome
from dispatch.services import orders
from dispatch.services.care import asking
from dispatch.services.care.asking import AnswerDraft, AskingDraft, AskingOver, EntryAnswered, EntryDraft
from dispatch.services.orders import OrderDraft
from tests.factories.world import World, make_world, staff
from tests.statements import statements

PHONE = "13905781234"
KEY = "desk:one-form-sent-twice"


def asked(session: Session, world: World, days: int | None = None) -> Solicitation:
    """A question, open from today for so many days."""
    now = clock.now(session)
    last = None if days is None else clock.today(now) + timedelta(days=days)
    draft = AskingDraft(AskKind.NEED, "您需要什么", "请告诉我们", clock.today(now), last)
    clerk = staff(session, world, Role.WELFARE)
    return asking.open_asking(session, world.community.id, draft, actor=clerk, now=now)


def say(session: Session, world: World, question: Solicitation, **said: object) -> SolicitationEntry:
    """An entry taken at the desk."""
    draft = EntryDraft(**{"words": "楼道的灯不亮", "source": EntrySource.DESK, **said})  # type: ignore[arg-type]
    clerk = staff(session, world, Role.OPERATOR)
    return asking.take_entry(session, question.id, draft, actor=clerk, now=clock.now(session))


def test_an_entry_is_sealed_taken_once_and_read_with_its_telephone_masked(session: Session) -> None:
    world = make_world(session)
    question = asked(session, world)
    first = say(session, world, question, name="郑德明", phone=PHONE, form_key=KEY)
    assert say(session, world, question, form_key=KEY).id == first.id
    raw = b"".join(column for column in (first.words, first.name, first.phone) if column)
    assert "郑德明".encode() not in raw
    assert "灯".encode() not in raw
    opened = asking.view_entry(session, first.id, actor=staff(session, world, Role.CENTRE))
    assert (opened.words, opened.name, opened.phone) == ("楼道的灯不亮", "郑德明", "139****1234")
    with pytest.raises(NotFound):
        asking.view_entry(session, first.id, actor=staff(session, make_world(session), Role.CENTRE))


def test_the_database_keeps_no_name_beside_an_anonymous_entry_and_no_author_beside_a_strangers(
    session: Session,
) -> None:
    world = make_world(session)
    question = asked(session, world)
    entry = say(session, world, question, anonymous=True)
    assert (entry.name, entry.phone) == (None, None)
    from_site = say(session, world, question, source=EntrySource.SITE)
    assert from_site.taken_by is None
    for statement in ("SET name = 'x'", f"SET source = 'site', taken_by = {entry.taken_by}"):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(f"UPDATE solicitation_entries {statement} WHERE id = :id"), {"id": entry.id})


def test_a_question_takes_entries_through_its_last_day(session: Session) -> None:
    world = make_world(session)
    question = asked(session, world, days=0)
    say(session, world, question)
    later = clock.now(session) + timedelta(days=1)
    clerk = staff(session, world, Role.OPERATOR)
    with pytest.raises(AskingOver):
        asking.take_entry(session, question.id, EntryDraft("晚了", EntrySource.DESK), actor=clerk, now=later)
    with pytest.raises(AskingOver):
        asking.close_asking(session, question.id, actor=staff(session, world, Role.WELFARE), now=later)


def test_what_nobody_answers_is_alarmed_until_it_is_answered_and_then_published(session: Session) -> None:
    world, now = make_world(session), clock.now(session)
    question = asked(session, world)
    entry = say(session, world, question, name="郑德明")
    job = session.query(Job).filter(Job.kind == "care.answer_due", Job.reference == entry.id).one()
    assert (job.run_at - now).days in {7, 8}
    assert asking.answer_due(session, entry.id)
    assert not asking.answer_due(session, entry.id)
    clerk = staff(session, world, Role.WELFARE)
    assert asking.published(session, question.id, actor=clerk) == []
    draft = AnswerDraft(Outcome.ADOPTED, "已换新灯", "楼道灯不亮")
    asking.answer_entry(session, entry.id, draft, actor=clerk, now=now)
    assert [alarm.cleared_at for alarm in session.query(Alarm).filter(Alarm.kind == "asking_unanswered")] == [now]
    assert not asking.answer_due(session, entry.id)
    (shown,) = asking.published(session, question.id, actor=clerk)
    assert (shown.shown, shown.outcome, shown.answer) == ("楼道灯不亮", "adopted", "已换新灯")
    with pytest.raises(EntryAnswered):
        asking.answer_entry(session, entry.id, draft, actor=clerk, now=now)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("UPDATE solicitation_entries SET answer = 'x' WHERE id = :id"), {"id": entry.id})


def test_an_order_that_was_opened_is_named_and_is_of_the_community(session: Session) -> None:
    world, now = make_world(session), clock.now(session)
    entry = say(session, world, asked(session, world))
    clerk = staff(session, world, Role.CENTRE)
    call = OrderDraft(description="灯不亮", service_id=world.gossip.id, stairwell_id=world.stairwells[0].id)
    order = orders.place(session, call, actor=clerk, now=now)
    for number in ("", "HQ20990101-000000"):
        draft = AnswerDraft(Outcome.ORDER, "已派", "灯不亮", number)
        with pytest.raises(Invalid) as refused:
            asking.answer_entry(session, entry.id, draft, actor=clerk, now=now)
        assert refused.value.field in {"order", "number"}
    opened = AnswerDraft(Outcome.ORDER, "已派", "灯不亮", order.number)
    asking.answer_entry(session, entry.id, opened, actor=clerk, now=now)
    assert asking.view_entry(session, entry.id, actor=clerk).order_number == order.number


def test_lists_ask_no_more_with_more_entries(session: Session) -> None:
    world = make_world(session)
    clerk = staff(session, world, Role.CENTRE)
    counts = []
    for _ in range(2):
        question = asked(session, world)
        for _ in range(3):
            say(session, world, question)
        with statements(session) as sent:
            rows = asking.list_askings(session, actor=clerk)
            asking.list_entries(session, actor=clerk, only_waiting=True)
        counts.append(len(sent))
    assert counts == [2, 2]
    assert [(row.entries, row.waiting) for row in rows] == [(3, 3), (3, 3)]
