"""Pages about giving: a pledge from the line and from strangers, hostile input, limits, donors and campaigns."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.models.access import AuditEntry, Organisation
from dispatch.models.market import Appeal, ChatSession, Donor, Pledge
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from tests.factories.giving import fetch_kind
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
SCRIPT = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}"""
PHONE = "13905781234"
KEY = "0123456789abcdefgh"
WIDE = {code: code + 0xFEE0 for code in range(0x30, 0x3A)}


@pytest.fixture(autouse=True)
def fresh_limits(desk: Desk) -> None:
    with desk.site.app.app_context():
        limiter.reset()


def typed(desk: Desk, **changes: str) -> dict[str, str]:
    """What is typed about two quilts."""
    return {
        "community_id": str(desk.world.community.id),
        "kind": "goods",
        "source": "line",
        "words": "两床棉被",
        "address_text": "说不清在哪里",
        "phone": PHONE,
        "form_key": KEY,
    } | changes


def pledges(desk: Desk) -> list[Pledge]:
    """All pledges, oldest first."""
    with desk.site.database.session() as session:
        return [*session.scalars(select(Pledge).order_by(Pledge.id))]


def give(desk: Desk, **changes: str) -> tuple[int, str]:
    """What a stranger gets who sends the public form."""
    form = {name: text for name, text in typed(desk, **changes).items() if name not in {"community_id", "source"}}
    answer = desk.site.app.test_client().post(f"/give/{desk.world.community.id}", data=form)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_call_becomes_a_pledge_and_an_order_that_fetches_it(desk: Desk) -> None:
    with desk.site.database.session() as session:
        fetch_kind(session, desk.world)
        session.commit()
    client = desk.client(Role.OPERATOR)
    assert "没有要办的认捐" in client.get("/giving").get_data(as_text=True)
    assert client.get("/giving/new").status_code == 200
    assert [client.post("/giving/new", data=typed(desk)).status_code for _ in range(2)] == [303, 303]
    (pledge,) = pledges(desk)
    page = client.get(f"/giving/{pledge.id}").get_data(as_text=True)
    assert "139****1234" in page
    assert PHONE not in page
    assert client.post(f"/giving/{pledge.id}/fetching", data={"version": "1"}).status_code == 303
    again = client.post(f"/giving/{pledge.id}/fetching", data={"version": "1"})
    assert again.status_code == 409
    assert "别人刚刚改过这笔认捐" in again.get_data(as_text=True)
    with desk.site.database.session() as session:
        order = session.scalars(select(Order).where(Order.origin == "market.pledge")).one()
    assert order.number in client.get("/giving").get_data(as_text=True)


def test_the_whole_number_is_shown_to_who_asks_and_the_asking_is_kept(desk: Desk) -> None:
    client = desk.client(Role.OPERATOR)
    client.post("/giving/new", data=typed(desk))
    (pledge,) = pledges(desk)
    assert "+8613905781234" in client.post(f"/giving/{pledge.id}/phone").get_data(as_text=True)
    with desk.site.database.session() as session:
        read = select(AuditEntry).where(AuditEntry.action == "market.read_pledge_phone")
        assert session.scalars(read).one().subject_id == pledge.id


def test_a_withdrawal_needs_a_reason_and_keeps_what_was_typed(desk: Desk) -> None:
    client = desk.client(Role.OPERATOR)
    client.post("/giving/new", data=typed(desk))
    (pledge,) = pledges(desk)
    path = f"/giving/{pledge.id}/withdrawal"
    refused = client.post(path, data={"version": "1", "reason": " "})
    assert (refused.status_code, "请写明为什么不捐了" in refused.get_data(as_text=True)) == (422, True)
    assert client.post(path, data={"version": "1", "reason": "已经送人"}).status_code == 303
    assert "已经送人" in client.get(f"/giving/{pledge.id}").get_data(as_text=True)
    assert "两床棉被" not in client.get("/giving").get_data(as_text=True)
    assert "两床棉被" in client.get("/giving?all=1").get_data(as_text=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phone": ""}, "请留下电话"),
        ({"phone": "12"}, "电话号码不对"),
        ({"words": ""}, "请写明捐什么"),
        ({"words": "长" * 501}, "内容太长"),
        ({"address_text": ""}, "请写明到哪里去取"),
        ({"kind": "ghost"}, "请选择捐款还是捐物"),
        ({"kind": "money", "yuan": "-5"}, "金额请用数字填写"),
        ({"kind": "money", "yuan": ""}, "请写明捐多少钱"),
        ({"form_key": "short"}, "页面已过期"),
        ({"is_named": "1"}, "请写明姓名"),
    ],
)
def test_a_stranger_s_wrong_form_says_what_to_do_and_keeps_nothing(
    desk: Desk, changes: dict[str, str], words: str
) -> None:
    status, page = give(desk, **changes)
    assert (status, words in page) == (422, True)
    assert pledges(desk) == []


def test_a_stranger_s_pledge_is_kept_once_and_told_to_nobody(desk: Desk) -> None:
    assert [give(desk, words=SCRIPT, name=SCRIPT[:60])[0] for _ in range(2)] == [303, 303]
    (pledge,) = pledges(desk)
    assert (pledge.source, pledge.created_by, pledge.words) == ("site", None, SCRIPT)
    stranger = desk.site.app.test_client()
    assert PHONE not in stranger.get(f"/give/{desk.world.community.id}/thanks").get_data(as_text=True)
    assert stranger.get(f"/giving/{pledge.id}").status_code == 303
    page = desk.client(Role.OPERATOR).get(f"/giving/{pledge.id}").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "49" not in page.split("不捐了")[0].split("说明")[1][:200]


def test_a_form_of_another_site_is_refused(desk: Desk) -> None:
    form = {name: text for name, text in typed(desk).items() if name not in {"community_id", "source"}}
    client = desk.site.app.test_client()
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert client.post(f"/give/{desk.world.community.id}", data=form, headers=headers).status_code == 403
    assert pledges(desk) == []


def test_a_number_is_used_a_few_times_an_hour_and_an_address_some_more(desk: Desk) -> None:
    spellings = (PHONE, f"+86 {PHONE}", f"0086-{PHONE}", f"{PHONE[:3]}-{PHONE[3:]}", f"{PHONE} ", PHONE.translate(WIDE))
    by_phone = [give(desk, form_key=f"{KEY}{place}", phone=one)[0] for place, one in enumerate(spellings)]
    assert by_phone == [303] * 5 + [429]
    others = [give(desk, form_key=f"{KEY}x{place}", phone=f"1390578{place:04}")[0] for place in range(20)]
    assert others[-1] == 429
    assert len(pledges(desk)) == 20


def test_nothing_is_promised_to_a_hidden_or_unknown_community(desk: Desk) -> None:
    stranger = desk.site.app.test_client()
    assert stranger.get("/give").location.endswith(f"/give/{desk.world.community.id}")
    with desk.site.database.session() as session:
        session.get_one(Organisation, desk.world.community.id).is_hidden = True
        session.commit()
    assert give(desk)[0] == 404
    assert stranger.get("/give/999999").status_code == 404
    assert "现在还不能在网上认捐" in stranger.get("/give").get_data(as_text=True)
    assert pledges(desk) == []


def test_donors_are_entered_found_and_named(desk: Desk) -> None:
    client = desk.client(Role.CENTRE)
    data = {"community_id": str(desk.world.community.id), "name": "陈桂花", "phone": PHONE}
    assert client.post("/giving/donors", data=data).status_code == 303
    refused = client.post("/giving/donors", data=data | {"name": " "})
    assert (refused.status_code, "请写明捐赠人" in refused.get_data(as_text=True)) == (422, True)
    with desk.site.database.session() as session:
        donor = session.scalars(select(Donor)).one()
    assert client.post(f"/giving/donors/{donor.id}/naming", data={"is_named": "yes"}).status_code == 303
    page = client.get("/giving/donors?q=桂花").get_data(as_text=True)
    assert "139****1234" in page
    assert "本人同意" in page
    assert "没有符合条件的捐赠人" in client.get("/giving/donors?q=1390578").get_data(as_text=True)


def write(client: FlaskClient, path: str, data: dict[str, str]) -> tuple[int, str]:
    """Send a form of the campaigns."""
    answer = client.post(f"/campaigns/{path}", data=data)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_campaign_is_written_on_one_page(desk: Desk) -> None:
    client = desk.client(Role.CENTRE)
    community = {"community_id": str(desk.world.community.id)}
    with desk.site.database.session() as session:
        day = clock.today(clock.now(session)).isoformat()
    empty = client.get("/campaigns").get_data(as_text=True)
    assert all(words in empty for words in ("还没有倡议书", "还没有合作单位", "还没有报道", "还没有聊吧活动"))
    assert write(client, "appeals", community | {"title": "捐一件衣", "words": "天冷了。", "after": "0"})[0] == 303
    status, page = write(client, "appeals", community | {"title": "捐一件衣", "words": "又写。", "after": "0"})
    assert (status, "又写。" in page) == (409, True)
    media = {"medium": "newspaper", "outlet": "处州晚报", "title": "义卖", "published_on": day, "shows_people": "1"}
    status, page = write(client, "media", community | media)
    assert (status, "要写明怎样征得同意" in page, "处州晚报" in page) == (422, True, True)
    assert write(client, "chats", community | {"held_on": day, "topic": "拉家常", "present": "8"})[0] == 303
    assert write(client, "partners", community | {"kind": "charity", "name": "慈善总会"})[0] == 303
    assert write(client, "partners", community | {"kind": "ghost", "name": "某"})[0] == 422
    with desk.site.database.session() as session:
        appeal, chat = session.scalars(select(Appeal)).one(), session.scalars(select(ChatSession)).one()
    assert chat.present == 8
    given = {"copies": "30", "given_where": "老年协会", "given_on": day}
    assert write(client, f"appeals/{appeal.id}/prints", given)[0] == 303
    shown = client.get(f"/campaigns/appeals/{appeal.id}").get_data(as_text=True)
    assert "老年协会" in shown
    assert desk.client(Role.OPERATOR).get("/campaigns").status_code == 403
