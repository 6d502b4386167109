"""Requests and supervision on the pages: asked by the team, decided by another, shown where they wait."""

from datetime import timedelta

from sqlalchemy import select

from dispatch import clock
from dispatch.models.orders import OfferRecipient
from dispatch.rules.access.roles import Role
from dispatch.rules.orders.states import OrderState
from dispatch.services import orders
from tests.factories.world import team
from tests.web.orders.conftest import Desk


def test_a_team_asks_and_the_dispatcher_decides_on_the_order_s_page(desk: Desk) -> None:
    number = desk.place()
    desk.route(number)
    head, dispatcher = desk.client(Role.TEAM_HEAD), desk.client(Role.DISPATCHER)
    asked = {"kind": "return", "grounds": "这栋楼归物业管", "basis": "物业合同第三条"}
    assert head.post(f"/orders/{number}/requests", data=asked).status_code == 303
    waiting = dispatcher.get("/requests").get_data(as_text=True)
    assert "这栋楼归物业管" in waiting
    page = dispatcher.get(f"/orders/{number}").get_data(as_text=True)
    assert "决定：退单" in page
    request_id = page.split('id="decide-')[1].split('"')[0]
    decision = {"granted": "yes", "reason": "属实", "team_id": desk.world.block.id}
    answer = dispatcher.post(f"/requests/{request_id}/decision", data=decision)
    assert answer.status_code == 303
    assert desk.state(number) is OrderState.AWAITING_DISPATCH
    assert desk.order(number).lead_team_id == desk.world.block.id


def test_a_refused_request_keeps_what_was_typed_and_says_what_is_missing(desk: Desk) -> None:
    number = desk.place()
    desk.route(number)
    asked = {"kind": "return", "grounds": "这栋楼归物业管", "basis": ""}
    answer = desk.client(Role.TEAM_HEAD).post(f"/orders/{number}/requests", data=asked)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "这栋楼归物业管" in page
    assert "请写明依据" in page


def test_the_centre_supervises_and_ends_with_its_finding(desk: Desk) -> None:
    number = desk.place()
    desk.route(number)
    centre = desk.client(Role.CENTRE)
    assert centre.post(f"/orders/{number}/supervision", data={"reason": "区长批示"}).status_code == 303
    assert "区长批示" in centre.get("/requests").get_data(as_text=True)
    assert centre.post(f"/orders/{number}/supervision/end", data={"reason": "到现场看过"}).status_code == 303
    page = centre.get(f"/orders/{number}").get_data(as_text=True)
    assert "到现场看过" in page
    assert "已销督" in page


def test_urging_is_counted_on_the_page(desk: Desk) -> None:
    number = desk.place()
    desk.route(number)
    operator = desk.client(Role.OPERATOR)
    answer = operator.post(f"/orders/{number}/urges", data={"reason": "居民来电问", "by_resident": "yes"})
    assert answer.status_code == 303
    assert "催办 1 次" in operator.get(f"/orders/{number}").get_data(as_text=True)


def accepted(desk: Desk) -> str:
    """The number of an order that a firm has taken."""
    number = desk.place()
    desk.route(number)
    with desk.site.database.session() as session:
        asked = session.scalars(select(OfferRecipient.performer_id)).one()
        orders.accept(session, orders.NamedRound(asked, number, 1), now=clock.now(session))
        session.commit()
    return number


def test_a_hold_shows_until_when_and_is_ended_early(desk: Desk) -> None:
    number = accepted(desk)
    head, centre = desk.client(Role.TEAM_HEAD), desk.client(Role.CENTRE)
    asked = {"kind": "hold", "grounds": "等配件", "until": "2999-01-01"}
    assert head.post(f"/orders/{number}/requests", data=asked).status_code == 422
    with desk.site.database.session() as session:
        asked["until"] = (clock.today(clock.now(session)) + timedelta(days=5)).isoformat()
    assert head.post(f"/orders/{number}/requests", data=asked).status_code == 303
    page = centre.get(f"/orders/{number}").get_data(as_text=True)
    request_id = page.split('id="decide-')[1].split('"')[0]
    centre.post(f"/requests/{request_id}/decision", data={"granted": "yes", "reason": "可以等"})
    assert "提前恢复" in centre.get(f"/orders/{number}").get_data(as_text=True)
    assert centre.post(f"/orders/{number}/resumption", data={"reason": "配件到了"}).status_code == 303
    assert "提前恢复" not in centre.get(f"/orders/{number}").get_data(as_text=True)


def test_a_helping_team_reports_and_a_stranger_cannot(desk: Desk) -> None:
    number = accepted(desk)
    with desk.site.database.session() as session:
        helper = team(session, desk.world.community, "line", speciality="painting").id
        session.commit()
    asked = {"kind": "help", "grounds": "要粉刷", "team_id": helper, "task": "粉刷墙面"}
    assert desk.client(Role.TEAM_HEAD).post(f"/orders/{number}/requests", data=asked).status_code == 303
    dispatcher = desk.client(Role.DISPATCHER)
    request_id = dispatcher.get(f"/orders/{number}").get_data(as_text=True).split('id="decide-')[1].split('"')[0]
    dispatcher.post(f"/requests/{request_id}/decision", data={"granted": "yes", "reason": "好"})
    report = {"team_id": helper, "answer": "刷好了"}
    assert desk.client(Role.TEAM_HEAD).post(f"/orders/{number}/help", data=report).status_code == 409
    assert dispatcher.post(f"/orders/{number}/help", data=report).status_code == 303
    assert "刷好了" in dispatcher.get(f"/orders/{number}").get_data(as_text=True)
