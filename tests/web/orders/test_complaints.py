"""Complaints on the pages: raised on the order's page or at a callback, answered by phone page or desk, decided."""

from sqlalchemy import select

from dispatch.models.catalogue import Performer
from dispatch.models.orders import Callback, Complaint
from dispatch.rules.access.roles import Role
from tests.web.conftest import Site
from tests.web.orders.conftest import Desk
from tests.web.phone_world import offer


def newest(desk: Desk) -> Complaint:
    """The complaint raised last."""
    with desk.site.database.session() as session:
        return session.scalars(select(Complaint).order_by(Complaint.id.desc()).limit(1)).one()


def firm_code(desk: Desk, complaint: Complaint) -> str:
    """The code of the firm complained about."""
    with desk.site.database.session() as session:
        return session.get_one(Performer, complaint.performer_id).code


def test_from_the_desk_to_the_centre_s_decision_and_the_firm_s_figures(desk: Desk) -> None:
    number = desk.finished()
    operator, centre = desk.client(Role.OPERATOR), desk.client(Role.CENTRE)
    asked = {"kind": "quality", "words": "第二天又堵了"}
    assert operator.post(f"/orders/{number}/complaints", data=asked).status_code == 303
    one = newest(desk)
    assert "第二天又堵了" in centre.get("/requests").text
    assert f'id="decide-complaint-{one.id}"' not in centre.get(f"/orders/{number}").text
    assert operator.post(f"/complaints/{one.id}/answer", data={"answer": "是管子坏了"}).status_code == 303
    page = centre.get(f"/orders/{number}").text
    for shown in (f'id="decide-complaint-{one.id}"', "是管子坏了", "等中心认定"):
        assert shown in page
    unsound = {"upheld": "no", "consequence": "warning", "reason": "看"}
    wrong = centre.post(f"/complaints/{one.id}/decision", data=unsound)
    assert wrong.status_code == 422
    assert "不属实的投诉不能处理服务商" in wrong.text
    decision = {"upheld": "yes", "consequence": "suspension", "until": "2999-01-01", "reason": "照片可见"}
    assert centre.post(f"/complaints/{one.id}/decision", data=decision).status_code == 303
    assert "属实" in operator.get(f"/orders/{number}").text
    firm = centre.get(f"/firms/{firm_code(desk, one)}").text
    assert "投诉不改变满意度" in firm
    assert "质量 1" in firm
    assert "暂停派单" in firm


def test_whoever_raised_it_sees_no_form_to_decide_and_may_take_it_back(desk: Desk) -> None:
    number = desk.finished()
    centre = desk.client(Role.CENTRE)
    centre.post(f"/orders/{number}/complaints", data={"kind": "other", "words": "垃圾没有带走"})
    one = newest(desk)
    centre.post(f"/complaints/{one.id}/answer", data={"answer": "带走了"})
    assert f'id="decide-complaint-{one.id}"' not in centre.get(f"/orders/{number}").text
    assert centre.post(f"/complaints/{one.id}/decision", data={"upheld": "no", "reason": "看过"}).status_code == 403
    assert centre.post(f"/complaints/{one.id}/withdrawal").status_code == 303
    assert newest(desk).state == "withdrawn"


def test_a_tick_at_the_callback_raises_one_in_the_same_transaction(desk: Desk) -> None:
    number = desk.finished()
    clerk = desk.client(Role.CALLBACK_CLERK)
    assert "投诉服务商（内容按居民的话）" in clerk.get(f"/orders/{number}").text
    said = {"reached": "yes", "contacted": "yes", "solved": "yes", "satisfaction": "satisfied", "complaint": "yes"}
    refused = clerk.post(f"/orders/{number}/callback", data=said | {"remark": "乱收费"})
    assert refused.status_code == 422
    assert "请选择投诉什么" in refused.text
    assert "乱收费" in refused.text
    with desk.site.database.session() as session:
        assert session.scalars(select(Callback)).all() == []
        assert session.scalars(select(Complaint)).all() == []
    complete = said | {"remark": "说话难听", "complaint_kind": "attitude"}
    assert clerk.post(f"/orders/{number}/callback", data=complete).status_code == 303
    assert (newest(desk).words, newest(desk).kind) == ("说话难听", "attitude")
    assert desk.order(number).state == "closed"


def test_of_a_confidential_order_the_list_shows_no_words(desk: Desk) -> None:
    number = desk.finished()
    with desk.site.database.session() as session:
        order = desk.order(number)
        session.add(order)
        order.confidential = True
        session.commit()
    desk.client(Role.CALLBACK_CLERK).post(f"/orders/{number}/complaints", data={"kind": "other", "words": "暗记"})
    assert newest(desk).words == "暗记"
    centre, operator = desk.client(Role.CENTRE), desk.client(Role.OPERATOR)
    assert "暗记" not in centre.get("/requests").text
    assert "暗记" in centre.get(f"/orders/{number}").text
    assert "暗记" not in operator.get(f"/orders/{number}").text


def test_the_firm_answers_on_its_phone_page(site: Site) -> None:
    offered = offer(site.database)
    desk, phone, link = Desk(site, offered.world), site.app.test_client(), f"/w/{offered.token}"
    phone.post(f"{link}/accept")
    operator = desk.client(Role.OPERATOR)
    operator.post(f"/orders/{offered.number}/complaints", data={"kind": "no_show", "words": "等了一天"})
    assert "等了一天" in phone.get(link).text
    one = str(newest(desk).id)
    assert phone.post(f"{link}/complaint-answer", data={"complaint": "x", "answer": "在路上"}).status_code == 422
    empty = phone.post(f"{link}/complaint-answer", data={"complaint": one, "answer": " "})
    assert empty.status_code == 422
    assert "请写下服务商的答复" in empty.text
    answered = phone.post(f"{link}/complaint-answer", data={"complaint": one, "answer": "在路上"})
    assert (answered.status_code, answered.headers["Location"]) == (303, link)
    assert "在路上" in phone.get(link).text
    assert newest(desk).state == "answered"
    assert "等中心认定" in phone.get(link, headers={"Accept": "text/html"}).text
