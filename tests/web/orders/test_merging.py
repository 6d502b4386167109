"""Merging, taking apart, splitting and repeated calls by page: who may, what is refused, what stays hidden."""

import re

from sqlalchemy import select

from dispatch.models.access import AuditEntry
from dispatch.models.orders import OrderCaller
from dispatch.rules.access.roles import Role
from dispatch.rules.orders.states import OrderState
from tests.web.orders.conftest import PHONE, Desk

OTHER = "13905785678"


def call_again(desk: Desk, number: str, **changes: str) -> tuple[int, str]:
    """The desk counts a call on an order."""
    data = {"form_key": "k" * 24, "caller_phone": OTHER, "caller_name": "李四", "description": "我家也堵"} | changes
    answer = desk.client(Role.OPERATOR).post(f"/desk/repeat/{number}", data=data)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_repeated_call_is_counted_once_per_form_and_the_panel_says_its_number(desk: Desk) -> None:
    number = desk.place()
    for _ in range(2):
        status, page = call_again(desk, number)
        assert status == 201
        assert number in page
        assert "第 2 次来电" in page
    assert (len(desk.orders()), desk.order(number).repeat_calls) == (1, 1)


def test_a_wrong_number_is_named_beside_its_field_and_nothing_is_counted(desk: Desk) -> None:
    number = desk.place()
    status, page = call_again(desk, number, caller_phone="12")
    assert status == 422
    assert 'data-error-of="caller_phone"' in page
    assert desk.order(number).repeat_calls == 0


def test_a_call_about_an_order_that_has_ended_is_refused_in_words(desk: Desk) -> None:
    number = desk.place()
    data = {"reason": "居民撤回", "by_resident": "yes", "version": desk.order(number).version}
    assert desk.client(Role.DISPATCHER).post(f"/orders/{number}/void", data=data).status_code == 303
    status, page = call_again(desk, number)
    assert status == 409
    assert "订单当前的状态不允许这一步" in page


def test_merged_on_the_page_and_taken_apart_again(desk: Desk) -> None:
    one, other = desk.place(), desk.place(description="还是下水道堵")
    client = desk.client(Role.OPERATOR)
    assert other in client.get(f"/orders/{one}/near").get_data(as_text=True)
    answer = client.post(f"/orders/{one}/merge", data={"into": other, "version": desk.order(one).version})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"/orders/{other}")
    assert desk.state(one) is OrderState.MERGED
    page = client.get(f"/orders/{one}").get_data(as_text=True)
    assert "已并入" in page
    assert "拆开并派单" in page
    listing = client.get("/orders").get_data(as_text=True)
    assert re.search(rf"→ <a class=\"order-number\" href=\"/orders/{other}\"", listing)
    answer = client.post(f"/orders/{one}/unmerge", data={"reason": "看错了", "version": desk.order(one).version})
    assert answer.status_code == 303
    assert desk.state(one) is OrderState.AWAITING_DISPATCH


def test_merging_with_another_kind_of_place_keeps_what_was_typed(desk: Desk) -> None:
    one, other = desk.place(), desk.place(address="3号楼1单元101")
    client = desk.client(Role.OPERATOR)
    answer = client.post(f"/orders/{one}/merge", data={"into": other, "text": other})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "请写明原因" in page
    assert f'value="{other}"' in page
    assert client.post(f"/orders/{one}/merge", data={}).status_code == 422


def test_a_second_matter_is_split_off(desk: Desk) -> None:
    number = desk.place()
    data = {"service_id": str(desk.world.gossip.id), "description": "楼上太吵", "version": desk.order(number).version}
    assert desk.client(Role.OPERATOR).post(f"/orders/{number}/split", data=data).status_code == 303
    made = desk.orders()[-1]
    assert (made.description, made.phone_index) == ("楼上太吵", desk.order(number).phone_index)
    assert number in desk.client(Role.OPERATOR).get(f"/orders/{made.number}").get_data(as_text=True)


def test_the_callback_list_names_everybody_to_call_with_masked_numbers_and_reveals_one_with_an_entry(
    desk: Desk,
) -> None:
    number = desk.finished()
    call_again(desk, number)
    clerk = desk.client(Role.CALLBACK_CLERK)
    page = clerk.get("/callbacks").get_data(as_text=True)
    assert "王秀英" in page
    assert "李四" in page
    assert "139****5678" in page
    assert PHONE not in page
    assert OTHER not in page
    with desk.site.database.session() as session:
        caller = session.scalars(select(OrderCaller)).one()
    shown = clerk.post(f"/orders/{number}/phone", data={"caller_id": caller.id}).get_data(as_text=True)
    assert OTHER in shown.replace(" ", "")
    assert clerk.post(f"/orders/{number}/phone", data={"caller_id": caller.id + 1}).status_code == 404
    with desk.site.database.session() as session:
        entries = session.scalars(select(AuditEntry.action).where(AuditEntry.action == "orders.reveal_phone")).all()
    assert len(entries) == 1


def test_an_order_stays_on_the_list_until_its_last_caller_is_called(desk: Desk) -> None:
    number = desk.finished()
    call_again(desk, number)
    clerk = desk.client(Role.CALLBACK_CLERK)
    with desk.site.database.session() as session:
        caller = session.scalars(select(OrderCaller)).one()
    said = {"reached": "yes", "contacted": "yes", "solved": "yes", "satisfaction": "satisfied"}
    assert clerk.post(f"/orders/{number}/callback", data=said).status_code == 303
    assert desk.state(number) is OrderState.CALLING_BACK
    page = clerk.get("/callbacks").get_data(as_text=True)
    assert "李四" in page
    assert "王秀英" not in page
    assert clerk.post(f"/orders/{number}/callback", data=said).status_code == 409
    assert clerk.post(f"/orders/{number}/callback", data=said | {"caller_id": caller.id}).status_code == 303
    assert desk.state(number) is OrderState.CLOSED


def test_of_a_confidential_order_no_caller_is_named(desk: Desk) -> None:
    number = desk.place(confidential=True)
    call_again(desk, number)
    page = desk.client(Role.TEAM_HEAD).get(f"/orders/{number}").get_data(as_text=True)
    assert "李四" not in page
    assert "139****5678" not in page
    assert "李四" in desk.client(Role.DISPATCHER).get(f"/orders/{number}").get_data(as_text=True)
