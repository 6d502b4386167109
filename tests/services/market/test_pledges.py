"""Pledges: kept once, fetched by an order of the core, hearing of its end, withdrawn with a reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.access import AuditEntry
from dispatch.models.market import Pledge
from dispatch.models.orders import Order
from dispatch.queue import Job
from dispatch.rules.access.roles import SYSTEM, Role, Scope
from dispatch.rules.market.pledges import NothingToFetch, PledgeKind, PledgeNotThere, PledgeSource
from dispatch.services import market, orders
from dispatch.services.market.pledges import StalePledge
from tests.factories.giving import fetch_kind, goods_promise, make_pledge, pledge_draft
from tests.factories.world import World, make_world, staff

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def world(session: Session) -> World:
    made = make_world(session)
    fetch_kind(session, made)
    return made


def fetched(session: Session, world: World) -> tuple[Pledge, Order]:
    """A pledge that is being fetched, and its order."""
    pledge = make_pledge(session, world, now=NOW)
    actor = staff(session, world, Role.OPERATOR)
    market.fetch_pledge(session, pledge.id, version=1, actor=actor, now=NOW)
    return pledge, session.get_one(Order, pledge.order_id)


def test_a_pledge_is_kept_with_its_number_sealed_and_audited(session: Session, world: World) -> None:
    pledge = make_pledge(session, world, now=NOW, wish="给孤寡老人")
    assert (pledge.state, pledge.source, pledge.words, pledge.wish) == ("open", "line", "两床棉被", "给孤寡老人")
    assert b"13800005678" not in (pledge.phone or b"")
    assert market.masked_phone_of_pledge(pledge) == "138****5678"
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == "pledges")).all()
    assert actions == ["market.take_pledge"]
    assert market.pledge_phone(session, pledge, actor=SYSTEM) == "+8613800005678"
    read = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == "pledges").order_by(AuditEntry.id))
    assert read.all()[-1] == "market.read_pledge_phone"


def test_the_same_form_sent_twice_is_one_pledge(session: Session, world: World) -> None:
    first = make_pledge(session, world, now=NOW, form_key="desk:abc")
    again = make_pledge(session, world, now=NOW, form_key="desk:abc")
    other = make_pledge(session, world, now=NOW, form_key="desk:abd")
    assert first.id == again.id != other.id


@pytest.mark.parametrize(
    ("changes", "source", "field"),
    [
        ({"phone": None}, PledgeSource.LINE, "phone"),
        ({"phone": None}, PledgeSource.SITE, "phone"),
        ({"phone": "12"}, PledgeSource.DESK, "phone"),
        ({"words": " "}, PledgeSource.DESK, "words"),
        ({"words": "长" * 501}, PledgeSource.DESK, "words"),
        ({"words": "棉被\x00"}, PledgeSource.DESK, "words"),
        ({"address_text": ""}, PledgeSource.DESK, "address_text"),
        ({"is_named": True, "name": None}, PledgeSource.DESK, "name"),
        ({"form_key": "k" * 101}, PledgeSource.DESK, "form_key"),
        ({"wanted_from": NOW - 2 * HOUR, "wanted_until": NOW - HOUR}, PledgeSource.DESK, "wanted_from"),
        ({"kind": PledgeKind.MONEY, "address_text": ""}, PledgeSource.DESK, "fen"),
    ],
)
def test_what_says_too_little_is_refused_by_its_field(
    session: Session, world: World, changes: dict[str, object], source: PledgeSource, field: str
) -> None:
    draft = pledge_draft(goods_promise(world, **changes), source)
    with pytest.raises(Invalid) as refused:
        market.take_pledge(session, world.community.id, draft, actor=SYSTEM, now=NOW)
    assert refused.value.field == field


def test_who_stays_unknown_at_the_desk_says_neither_name_nor_number(session: Session, world: World) -> None:
    pledge = make_pledge(session, world, now=NOW, name=None)
    draft = replace(pledge_draft(goods_promise(world)), name=None, phone=None, source=PledgeSource.DESK)
    unknown = market.take_pledge(session, world.community.id, draft, actor=SYSTEM, now=NOW)
    assert (pledge.name, unknown.name, unknown.phone) == (None, None, None)
    assert market.pledge_phone(session, unknown, actor=SYSTEM) == ""


def test_fetching_places_an_order_of_the_core_with_place_and_caller(session: Session, world: World) -> None:
    pledge, order = fetched(session, world)
    assert (pledge.state, pledge.tries, pledge.version) == ("fetching", 1, 2)
    assert (order.origin, order.origin_id, order.occasion) == ("market.pledge", pledge.id, "1")
    assert (order.source, order.caller_name, order.description) == ("programme", "陈桂花", "两床棉被")
    assert order.stairwell_id == world.stairwells[0].id
    assert order.community_id == world.community.id


def test_a_place_that_nobody_knows_refuses_no_pledge(session: Session, world: World) -> None:
    pledge = make_pledge(session, world, now=NOW, address_text="说不清在哪里")
    market.fetch_pledge(session, pledge.id, actor=staff(session, world, Role.OPERATOR), now=NOW)
    order = session.get_one(Order, pledge.order_id)
    assert (order.state, order.community_id, pledge.state) == ("received", None, "fetching")


def test_a_wanted_time_that_is_past_is_wanted_no_more(session: Session, world: World) -> None:
    pledge = make_pledge(session, world, now=NOW, wanted_from=NOW + HOUR, wanted_until=NOW + 2 * HOUR)
    late = NOW + timedelta(days=1)
    market.fetch_pledge(session, pledge.id, actor=staff(session, world, Role.OPERATOR), now=late)
    order = session.get_one(Order, pledge.order_id)
    assert (order.wanted_from, order.wanted_until) == (None, None)


def test_what_is_fetched_is_not_fetched_again_nor_withdrawn(session: Session, world: World) -> None:
    pledge, _order = fetched(session, world)
    actor = staff(session, world, Role.OPERATOR)
    with pytest.raises(StalePledge):
        market.fetch_pledge(session, pledge.id, version=1, actor=actor, now=NOW)
    with pytest.raises(PledgeNotThere):
        market.fetch_pledge(session, pledge.id, actor=actor, now=NOW)
    with pytest.raises(PledgeNotThere):
        market.withdraw_pledge(session, pledge.id, reason="不捐了", actor=actor)


def test_money_is_not_fetched(session: Session, world: World) -> None:
    pledge = make_pledge(session, world, now=NOW, kind=PledgeKind.MONEY, fen=100, address_text="")
    with pytest.raises(NothingToFetch):
        market.fetch_pledge(session, pledge.id, actor=SYSTEM, now=NOW)


def test_a_void_order_lets_the_pledge_wait_and_be_fetched_by_another(session: Session, world: World) -> None:
    pledge, order = fetched(session, world)
    centre = staff(session, world, Role.CENTRE)
    void(session, order)
    assert hear(session, order)
    assert pledge.state == "open"
    market.fetch_pledge(session, pledge.id, actor=centre, now=NOW)
    assert (pledge.state, pledge.tries) == ("fetching", 2)
    assert pledge.order_id != order.id
    assert not market.giving_order_changed(session, order.id, order.version)


def void(session: Session, order: Order) -> None:
    """The resident does not want it any more."""
    orders.void(session, order, reason="打错了", by_resident=True, actor=SYSTEM, now=NOW)


def hear(session: Session, order: Order) -> bool:
    """What the job of the newest change of an order does."""
    session.refresh(order)
    jobs = session.scalars(select(Job).where(Job.kind == "market.order_changed", Job.reference == order.id)).all()
    assert order.version in {int(job.arguments["version"]) for job in jobs}
    return market.giving_order_changed(session, order.id, order.version)


def test_what_is_told_twice_is_heard_once(session: Session, world: World) -> None:
    pledge, order = fetched(session, world)
    void(session, order)
    assert hear(session, order)
    version = pledge.version
    assert not hear(session, order)
    assert pledge.version == version


def test_an_order_of_nobody_is_heard_by_nobody(session: Session, world: World) -> None:
    assert not market.giving_order_changed(session, 10**12, 1)
    draft = orders.OrderDraft("堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id)
    order = orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=NOW)
    assert not market.giving_order_changed(session, order.id, order.version)


def test_a_withdrawn_pledge_has_a_reason_and_never_changes(session: Session, world: World) -> None:
    pledge = make_pledge(session, world, now=NOW)
    with pytest.raises(Invalid) as refused:
        market.withdraw_pledge(session, pledge.id, reason=" ", actor=SYSTEM)
    assert refused.value.field == "reason"
    market.withdraw_pledge(session, pledge.id, reason="已经送给邻居", version=1, actor=SYSTEM)
    assert (pledge.state, pledge.reason) == ("withdrawn", "已经送给邻居")
    with pytest.raises(IntegrityError, match="withdrawn"), session.begin_nested():
        session.execute(text("UPDATE pledges SET state = 'open', reason = NULL WHERE id = :id"), {"id": pledge.id})


def test_another_s_pledge_is_not_there(session: Session, world: World) -> None:
    pledge = make_pledge(session, world, now=NOW)
    stranger = replace(staff(session, world, Role.OPERATOR), scope=Scope(communities=frozenset({-1})))
    with pytest.raises(NotFound):
        market.find_pledge(session, pledge.id, actor=stranger)
    with pytest.raises(NotFound):
        market.fetch_pledge(session, pledge.id, actor=stranger, now=NOW)
    draft = pledge_draft(goods_promise(world))
    with pytest.raises(NotFound):
        market.take_pledge(session, world.community.id, draft, actor=stranger, now=NOW)
    assert market.list_pledges(session, actor=stranger).items == []


def test_the_list_shows_what_waits_page_by_page(session: Session, world: World) -> None:
    made = [make_pledge(session, world, now=NOW).id for _ in range(3)]
    market.withdraw_pledge(session, made[1], reason="不捐了", actor=SYSTEM)
    actor = staff(session, world, Role.OPERATOR)
    page = market.list_pledges(session, limit=1, actor=actor)
    assert ([pledge.id for pledge, _ in page.items], page.next) == ([made[2]], made[2])
    rest = market.list_pledges(session, before=page.next, actor=actor)
    assert ([pledge.id for pledge, _ in rest.items], rest.next) == ([made[0]], None)
    everything = market.list_pledges(session, only_waiting=False, actor=actor)
    assert [pledge.id for pledge, _ in everything.items] == [made[2], made[1], made[0]]


def test_the_database_keeps_a_pledge_whole(session: Session, world: World) -> None:
    pledge = make_pledge(session, world, now=NOW)
    for change in ("state = 'fetching'", "fen = 1", "address_text = ' '", "words = ''", "state = 'withdrawn'"):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(f"UPDATE pledges SET {change} WHERE id = :id"), {"id": pledge.id})  # noqa: S608 - words of this file
