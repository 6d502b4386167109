"""保密 made and lifted on an order's page: offered to whom it may be, what is past recall is said, shown at once."""

from dispatch.rules.access.roles import Role
from tests.web.orders.conftest import DESCRIPTION, Desk

WHY = "住户要求不让别人知道"


def test_the_dispatcher_hides_an_order_and_the_centre_lifts_it(desk: Desk) -> None:
    number = desk.place()
    dispatcher, centre, operator = (desk.client(one) for one in (Role.DISPATCHER, Role.CENTRE, Role.OPERATOR))
    assert DESCRIPTION in operator.get(f"/orders/{number}").text
    assert "收不回来" in dispatcher.get(f"/orders/{number}").text
    path = f"/orders/{number}/confidentiality"
    assert dispatcher.post(path, data={"confidential": "yes", "reason": WHY}).status_code == 303
    hidden = operator.get(f"/orders/{number}").text
    assert DESCRIPTION not in hidden
    assert WHY not in hidden
    assert "设为保密" in hidden
    assert WHY in dispatcher.get(f"/orders/{number}").text
    assert centre.post(path, data={"confidential": "no", "reason": "住户同意公开"}).status_code == 303
    assert DESCRIPTION in operator.get(f"/orders/{number}").text
    assert desk.actions(number)[-2:] == ["conceal", "reveal"]


def test_the_form_is_offered_only_to_whom_it_may_be(desk: Desk) -> None:
    number = desk.place()
    form = f'action="/orders/{number}/confidentiality"'
    offered = {role for role in Role if has_page(role) and form in desk.client(role).get(f"/orders/{number}").text}
    assert offered == {Role.DISPATCHER, Role.CENTRE}
    secret = desk.place(confidential=True)
    form = f'action="/orders/{secret}/confidentiality"'
    offered = {role for role in Role if has_page(role) and form in desk.client(role).get(f"/orders/{secret}").text}
    assert offered == {Role.CENTRE}


def has_page(role: Role) -> bool:
    """Whether the small world knows somebody of this role."""
    return role in {Role.OPERATOR, Role.DISPATCHER, Role.TEAM_HEAD, Role.CALLBACK_CLERK, Role.CENTRE}


def test_a_refusal_keeps_what_was_typed_and_says_what_to_do(desk: Desk) -> None:
    number = desk.place()
    centre, operator = desk.client(Role.CENTRE), desk.client(Role.OPERATOR)
    path = f"/orders/{number}/confidentiality"
    assert operator.post(path, data={"confidential": "yes", "reason": WHY}).status_code == 403
    empty = centre.post(path, data={"confidential": "yes", "reason": ""})
    assert (empty.status_code, "请写明原因" in empty.text) == (422, True)
    assert centre.post(path, data={"confidential": "yes", "reason": WHY}).status_code == 303
    own = centre.post(path, data={"confidential": "no", "reason": "弄错了"})
    assert (own.status_code, "请中心的另一位同事取消" in own.text) == (403, True)
    again = centre.post(path, data={"confidential": "yes", "reason": WHY})
    assert (again.status_code, "已经是保密订单" in again.text) == (409, True)


def test_a_page_that_is_open_is_loaded_again_once_its_order_is_hidden(desk: Desk) -> None:
    number = desk.place()
    operator, centre = desk.client(Role.OPERATOR), desk.client(Role.CENTRE)
    live = f"/orders/{number}/now?secret=no"
    assert f'hx-get="{live}"' in operator.get(f"/orders/{number}").text
    assert "HX-Refresh" not in operator.get(live).headers
    centre.post(f"/orders/{number}/confidentiality", data={"confidential": "yes", "reason": WHY})
    assert operator.get(live).headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in operator.get(f"/orders/{number}/now?secret=yes").headers
