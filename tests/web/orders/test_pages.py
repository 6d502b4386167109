"""The pages about orders without a browser: who sees what, what a refusal keeps, what is never shown."""

import re

import pytest

from dispatch.rules.access.roles import Role
from dispatch.rules.orders.states import OrderState
from tests.factories.world import make_world, service
from tests.web.orders.conftest import DESCRIPTION, PHONE, Desk

MASKED = "139****1234"


def test_an_order_whose_place_is_unknown_waits_on_the_board_with_its_reason(desk: Desk) -> None:
    number = desk.place(address="老菜场后面")
    page = desk.client(Role.DISPATCHER).get("/board").get_data(as_text=True)
    assert number in page
    assert "地址没有找到" in page


def test_settling_the_place_sends_the_order_on(desk: Desk) -> None:
    number = desk.place(address="老菜场后面")
    client = desk.client(Role.OPERATOR)
    cell = f"stairwell:{desk.world.stairwells[0].id}"
    answer = client.post(f"/orders/{number}/place", data={"cell": cell, "version": desk.order(number).version})
    assert answer.status_code == 303
    assert desk.state(number) is OrderState.AWAITING_DISPATCH


def test_an_action_on_an_older_picture_is_refused_and_keeps_what_was_typed(desk: Desk) -> None:
    number = desk.place()
    desk.route(number)
    data = {"performer_id": desk.world.firms[1].id, "reason": "居民点名要这家", "version": 1}
    answer = desk.client(Role.DISPATCHER).post(f"/orders/{number}/dispatch", data=data)
    assert answer.status_code == 409
    assert "居民点名要这家" in answer.get_data(as_text=True)
    assert "reassign" not in desk.actions(number)


def test_dispatching_by_hand_needs_a_reason(desk: Desk) -> None:
    number = desk.place()
    desk.route(number)
    data = {"performer_id": desk.world.firms[1].id, "reason": " ", "version": desk.order(number).version}
    answer = desk.client(Role.DISPATCHER).post(f"/orders/{number}/dispatch", data=data)
    assert answer.status_code == 422
    assert "请写明原因" in answer.get_data(as_text=True)


def test_dispatching_by_hand_opens_a_new_round_with_the_reason_in_the_time_line(desk: Desk) -> None:
    number = desk.place()
    desk.route(number)
    client = desk.client(Role.DISPATCHER)
    data = {
        "performer_id": desk.world.firms[2].id,
        "reason": "居民点名要这家",
        "version": desk.order(number).version,
        "back": "board",
    }
    answer = client.post(f"/orders/{number}/dispatch", data=data)
    assert (answer.status_code, answer.location) == (303, "/board")
    page = client.get(f"/orders/{number}").get_data(as_text=True)
    assert "居民点名要这家" in page
    assert "已撤回" in page


def test_voiding_takes_two_people(desk: Desk) -> None:
    number = desk.place()
    one, other = desk.client(Role.DISPATCHER), desk.client(Role.CENTRE)
    data = {"reason": "重复来电"}
    assert one.post(f"/orders/{number}/void", data=data).status_code == 303
    assert one.post(f"/orders/{number}/void", data=data).status_code == 403
    assert desk.state(number) is OrderState.AWAITING_DISPATCH
    assert other.post(f"/orders/{number}/void", data=data).status_code == 303
    assert desk.state(number) is OrderState.VOIDED


def test_the_phone_is_masked_until_somebody_asks_for_it(desk: Desk) -> None:
    number = desk.place()
    client = desk.client(Role.OPERATOR)
    page = client.get(f"/orders/{number}").get_data(as_text=True)
    assert MASKED in page
    assert PHONE not in page
    assert PHONE in client.post(f"/orders/{number}/phone").get_data(as_text=True)


def test_a_confidential_order_says_neither_what_nor_who(desk: Desk) -> None:
    number = desk.place(confidential=True)
    client = desk.client(Role.OPERATOR)
    for path in ("/orders", f"/orders/{number}", f"/orders/{number}/slip"):
        page = client.get(path).get_data(as_text=True)
        assert number in page
        assert DESCRIPTION not in page
        assert "王秀英" not in page
        assert MASKED not in page


def test_a_list_goes_on_where_its_page_ended(desk: Desk) -> None:
    numbers = [desk.place(description=f"第{index}个来电") for index in range(31)]
    client = desk.client(Role.OPERATOR)
    first = client.get("/orders").get_data(as_text=True)
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = client.get(following[1].replace("&amp;", "&")).get_data(as_text=True)
    assert numbers[0] not in first
    assert numbers[0] in second
    assert numbers[1] not in second


@pytest.mark.parametrize(
    "path", ["/orders?cursor=%00", "/orders?cursor=nonsense", "/orders?area=x", "/orders?number=HQ1"]
)
def test_a_wrong_filter_is_named_and_is_no_server_error(desk: Desk, path: str) -> None:
    answer = desk.client(Role.OPERATOR).get(path)
    assert answer.status_code in {400, 422}


def test_a_search_for_a_number_goes_to_its_order(desk: Desk) -> None:
    number = desk.place()
    answer = desk.client(Role.OPERATOR).get("/orders", query_string={"number": number.lower()})
    assert answer.location == f"/orders/{number}"


def test_a_missing_order_is_a_page_that_says_what_to_do(desk: Desk) -> None:
    answer = desk.client(Role.OPERATOR).get("/orders/HQ2611230000000")
    assert answer.status_code in {404, 422}
    assert "回到首页" in answer.get_data(as_text=True)


def test_who_may_not_dispatch_is_told_so(desk: Desk) -> None:
    number = desk.place()
    answer = desk.client(Role.OPERATOR).post(f"/orders/{number}/dispatch", data={"reason": "x", "performer_id": 1})
    assert answer.status_code == 403
    assert "dispatch" not in desk.actions(number)


def test_markup_in_a_call_is_shown_as_it_was_said(desk: Desk) -> None:
    number = desk.place(description="<script>alert(1)</script>")
    page = desk.client(Role.OPERATOR).get(f"/orders/{number}").get_data(as_text=True)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_same_form_sent_twice_is_one_order(desk: Desk) -> None:
    client = desk.client(Role.OPERATOR)
    data = {
        "form_key": "k" * 24,
        "service_id": desk.world.plumbing.id,
        "description": "堵了",
        "address_text": "1号楼1单元",
    }
    assert client.post("/desk", data=data).status_code == 201
    again = client.post("/desk", data=data)
    assert again.status_code == 201
    assert "没有重复登记" in again.get_data(as_text=True)
    assert len(desk.orders()) == 1


def test_a_form_without_its_key_saves_nothing(desk: Desk) -> None:
    data = {"service_id": desk.world.plumbing.id, "description": "堵了"}
    assert desk.client(Role.OPERATOR).post("/desk", data=data).status_code == 422
    assert desk.orders() == []


def test_english_is_chosen_by_the_address_and_remembered(desk: Desk) -> None:
    client = desk.client(Role.OPERATOR)
    assert 'lang="en"' in client.get("/desk?lang=en").get_data(as_text=True)
    assert 'lang="en"' in client.get("/orders").get_data(as_text=True)
    assert 'lang="zh-CN"' in client.get("/orders?lang=zh_CN").get_data(as_text=True)


def test_english_pages_speak_english(desk: Desk) -> None:
    desk.place()
    page = desk.client(Role.DISPATCHER).get("/orders?lang=en").get_data(as_text=True)
    assert "awaiting dispatch" in page
    assert "Next page" not in page
    assert "left" in page
    assert "还剩" not in page


def test_the_filters_offer_the_kinds_of_one_s_own_district_only(desk: Desk) -> None:
    with desk.site.database.session() as session:
        service(session, make_world(session).district, "elsewhere", name="别区的类别")
        session.commit()
    page = desk.client(Role.OPERATOR).get("/orders").get_data(as_text=True)
    assert "管道疏通" in page
    assert "别区的类别" not in page
