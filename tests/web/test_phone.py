"""The phone page over HTTP: what each stage shows and hides, each act, each bad case, the machine's twin."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
import requests
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import update

from config.logging import mask
from dispatch.models.orders import Order
from dispatch.web.phone import form
from tests.web.conftest import Site
from tests.web.phone_world import PHONE, RESIDENT, ROOM, offer

JSON = {"Accept": "application/json"}


@pytest.fixture
def client(site: Site) -> FlaskClient:
    """A phone without JavaScript."""
    return site.app.test_client()


def test_before_the_order_is_taken_the_page_shows_kind_building_and_time_but_nobody(
    site: Site, client: FlaskClient
) -> None:
    offered = offer(site.database)
    before = offered.picture()
    page = client.get(f"/w/{offered.token}")
    assert page.status_code == 200
    assert "管道疏通" in page.text
    assert offered.world.buildings[0].address in page.text
    assert "接单" in page.text
    for hidden in (RESIDENT, PHONE, f"{ROOM}室", "水漫出来了"):
        assert hidden not in page.text
    assert offered.picture() == before
    assert offered.reveals() == 0


def test_who_took_the_order_sees_room_name_telephone_and_what_was_said_and_each_showing_is_audited(
    site: Site, client: FlaskClient
) -> None:
    offered = offer(site.database)
    assert client.post(f"/w/{offered.token}/accept").status_code == 303
    before = offered.picture()
    page = client.get(f"/w/{offered.token}")
    for shown in (RESIDENT, f'href="tel:+86{PHONE}"', f"{ROOM}室", "水漫出来了", "厨房下水"):
        assert shown in page.text
    assert offered.picture() == before
    assert offered.reveals() == 1


def test_a_confidential_order_keeps_its_matter_and_name_to_itself(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database, confidential=True)
    assert "管道疏通" not in client.get(f"/w/{offered.token}").text
    client.post(f"/w/{offered.token}/accept")
    page = client.get(f"/w/{offered.token}")
    assert f"{ROOM}室" in page.text
    assert RESIDENT not in page.text
    assert "水漫出来了" not in page.text
    with site.database.session() as session:
        session.execute(update(Order).where(Order.number == offered.number).values(origin="care.alarm", origin_id=1))
        session.commit()
    reported = client.get(f"/w/{offered.token}").text
    assert "水漫出来了" in reported
    assert RESIDENT not in reported


def test_the_page_leaks_its_address_to_nobody(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    page = client.get(f"/w/{offered.token}")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert '<meta name="referrer" content="strict-origin">' in page.text
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


def test_the_secret_of_a_link_never_reaches_a_log_line(site: Site) -> None:
    offered = offer(site.database)
    line = mask(f"Exception on /w/{offered.token}/accept [POST]")
    assert line == "Exception on /w/***/accept [POST]"


def test_a_whole_life_by_plain_forms_ends_with_thanks_and_what_was_recorded(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database, proof=("photo", "signature"))
    link = f"/w/{offered.token}"
    for act in ("accept", "set-out", "arrive"):
        assert client.post(f"{link}/{act}").headers["Location"] == link
    assert client.post(f"{link}/finish", data=report(cost="80.5元")).status_code == 303
    thanks = client.get(link)
    for shown in ("辛苦了", "已完成", "80.50 元", "换了软管"):
        assert shown in thanks.text
    assert PHONE not in thanks.text
    assert offered.order().cost_fen == 8050
    assert offered.actions()[-4:] == ["accept", "set_out", "arrive", "finish"]
    assert [row[0] for row in offered.files()] == ["photo", "signature"]


def test_the_link_works_for_24_hours_after_the_finish_and_not_longer(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    client.post(f"/w/{offered.token}/accept")
    client.post(f"/w/{offered.token}/finish", data=report())
    offered.move_finish(timedelta(hours=-23, minutes=-59))
    assert client.get(f"/w/{offered.token}").status_code == 200
    offered.move_finish(timedelta(minutes=-2))
    page = client.get(f"/w/{offered.token}")
    assert page.status_code == 404
    assert "链接无效" in page.text


def test_declining_with_a_reason_is_thanked_and_passes_the_order_on(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    answer = client.post(f"/w/{offered.token}/decline", data={"reason": "busy", "words": "明天可以"})
    assert answer.status_code == 303
    assert "您已回复不接" in client.get(f"/w/{offered.token}").text
    assert offered.recipient().outcome == "declined"
    assert offered.recipient().reason == "现在忙不过来；明天可以"


@pytest.mark.parametrize("sent", [{}, {"reason": ""}, {"reason": "other"}])
def test_declining_without_a_reason_says_so_and_changes_nothing(
    site: Site, client: FlaskClient, sent: dict[str, str]
) -> None:
    offered = offer(site.database)
    before = offered.picture()
    page = client.post(f"/w/{offered.token}/decline", data=sent)
    assert page.status_code == 422
    assert "原因" in error_of(page.text, "reason")
    assert offered.picture() == before


@pytest.mark.parametrize("act", ["", "/accept", "/decline", "/set-out", "/arrive", "/finish", "/give-back"])
def test_an_altered_link_opens_nothing_and_says_so(site: Site, client: FlaskClient, act: str) -> None:
    offered = offer(site.database)
    before = offered.picture()
    address = f"/w/{offered.token[:-1]}{'A' if offered.token[-1] != 'A' else 'B'}{act}"
    sent = report() | {"reason": "busy"}
    page = client.post(address, data=sent) if act else client.get(address)
    assert page.status_code == 404
    assert "链接无效" in page.text
    assert offered.picture() == before


def test_a_second_accept_is_told_that_the_order_is_taken_already(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    client.post(f"/w/{offered.token}/accept")
    before = offered.picture()
    page = client.post(f"/w/{offered.token}/accept")
    assert page.status_code == 409
    assert "您已经接下" in page.text
    assert offered.picture() == before


@pytest.mark.parametrize("swept", ["by the clock", "not yet"])
def test_an_accept_after_the_hold_time_is_refused_before_and_after_the_clock_has_swept(
    site: Site, client: FlaskClient, swept: str
) -> None:
    offered = offer(site.database)
    offered.lapse() if swept == "by the clock" else offered.move_hold(timedelta(hours=-2))
    before = offered.picture()
    page = client.post(f"/w/{offered.token}/accept")
    assert page.status_code == 409
    assert "接单时间已过" in page.text
    shown = client.get(f"/w/{offered.token}")
    assert shown.status_code == 410
    assert "接单时间已过" in shown.text
    assert offered.picture() == before


def test_of_three_that_are_asked_the_second_to_accept_is_told_that_another_was_faster(
    site: Site, client: FlaskClient
) -> None:
    offered = offer(site.database, given="offer_first_three")
    first, second, _ = offered.tokens
    assert client.post(f"/w/{first}/accept").status_code == 303
    before = offered.picture()
    page = client.post(f"/w/{second}/accept")
    assert page.status_code == 409
    assert "已由别人接下" in page.text
    assert client.get(f"/w/{second}").status_code == 410
    assert offered.picture() == before


def test_giving_back_after_arrival_is_refused(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    client.post(f"/w/{offered.token}/accept")
    client.post(f"/w/{offered.token}/arrive")
    before = offered.picture()
    page = client.post(f"/w/{offered.token}/give-back", data={"reason": "busy"})
    assert page.status_code == 409
    assert offered.picture() == before


def test_an_order_given_back_with_a_reason_is_not_in_these_hands_any_more(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    client.post(f"/w/{offered.token}/accept")
    assert client.post(f"/w/{offered.token}/give-back", data={"reason": "parts"}).status_code == 303
    page = client.get(f"/w/{offered.token}")
    assert "您已退回这一单" in page.text
    assert PHONE not in page.text
    assert client.post(f"/w/{offered.token}/arrive").status_code == 409


@pytest.mark.parametrize("act", ["set-out", "arrive", "finish", "give-back"])
def test_work_on_an_order_that_was_not_accepted_is_refused_without_calling_the_link_dead(
    site: Site, client: FlaskClient, act: str
) -> None:
    offered = offer(site.database)
    before = offered.picture()
    page = client.post(f"/w/{offered.token}/{act}", data=report() | {"reason": "busy"})
    assert page.status_code == 409
    assert "不在您手里" in page.text
    assert offered.picture() == before


@pytest.mark.parametrize(
    ("cost", "words"),
    [("八十", "请填数字"), ("-1", "不能是负数"), ("1000000.01", "100 万"), ("9" * 12, "100 万"), ("1.234", "两位")],
)
def test_a_cost_that_is_no_amount_is_refused_beside_its_field_with_the_rest_kept(
    site: Site, client: FlaskClient, cost: str, words: str
) -> None:
    offered = offer(site.database)
    client.post(f"/w/{offered.token}/accept")
    before = offered.picture()
    page = client.post(f"/w/{offered.token}/finish", data=report(cost=cost))
    assert page.status_code == 422
    assert words in error_of(page.text, "cost")
    assert "换了软管" in page.text
    assert offered.picture() == before


@pytest.mark.parametrize(("lacking", "field"), [("photos", "photos"), ("signature", "signature"), ("result", "result")])
def test_a_report_without_what_the_kind_asks_for_is_refused_beside_its_field(
    site: Site, client: FlaskClient, lacking: str, field: str
) -> None:
    offered = offer(site.database, proof=("photo", "signature"))
    client.post(f"/w/{offered.token}/accept")
    before = offered.picture()
    sent = {name: value for name, value in report().items() if name != lacking}
    page = client.post(f"/w/{offered.token}/finish", data=sent)
    assert page.status_code == 422
    assert error_of(page.text, field)
    assert offered.picture() == before


def test_a_photo_that_is_no_photo_is_refused_beside_its_field(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    client.post(f"/w/{offered.token}/accept")
    before = offered.picture()
    sent = report() | {"photos": (BytesIO(b"MZ not an image"), "1.jpg")}
    page = client.post(f"/w/{offered.token}/finish", data=sent)
    assert page.status_code == 422
    assert error_of(page.text, "photos")
    assert offered.picture() == before


def test_a_photo_of_50_mb_gets_an_answer_over_a_real_connection_and_changes_nothing(site: Site) -> None:
    offered = offer(site.database)
    link = f"{site.url}/w/{offered.token}"
    requests.post(f"{link}/accept", timeout=10)
    before = offered.picture()
    files = {"photos": ("1.jpg", b"\xff\xd8" + bytes(50 * 1024 * 1024), "image/jpeg")}
    page = requests.post(f"{link}/finish", data={"result": "done"}, files=files, timeout=60)
    assert page.status_code == 413
    assert "照片太大" in page.text
    assert offered.picture() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_site_is_refused(site: Site, client: FlaskClient, headers: dict[str, str]) -> None:
    offered = offer(site.database)
    before = offered.picture()
    assert client.post(f"/w/{offered.token}/accept", headers=headers).status_code == 403
    assert offered.picture() == before


def test_a_repeated_act_with_its_key_is_answered_the_same_and_changes_nothing(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    for act, sent in (("accept", {}), ("set-out", {}), ("arrive", {}), ("finish", report())):
        headers = JSON | {"Idempotency-Key": f"key-of-{act}-0123456789"}
        first = client.post(f"/w/{offered.token}/{act}", headers=headers, data=dict(sent))
        before = offered.picture()
        again = client.post(f"/w/{offered.token}/{act}", headers=headers, data=dict(report() if sent else {}))
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.json == first.json
        assert again.headers["Idempotency-Replayed"] == "true"
        assert offered.picture() == before


def test_the_same_key_with_another_content_is_refused(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database, given="offer_first_three")
    headers = JSON | {"Idempotency-Key": "one-key-0123456789"}
    client.post(f"/w/{offered.token}/decline", headers=headers, json={"reason": "busy"})
    before = offered.picture()
    other = client.post(f"/w/{offered.token}/decline", headers=headers, json={"reason": "far"})
    assert other.status_code == 422
    assert offered.picture() == before


def test_machines_get_the_same_addresses_in_json(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    shown = client.get(f"/w/{offered.token}", headers=JSON).json
    assert shown["stage"] == "offered"
    assert shown["acts"] == ["accept", "decline"]
    assert "visit" not in shown
    assert PHONE not in str(shown)
    taken = client.post(f"/w/{offered.token}/accept", headers=JSON).json
    assert (taken["number"], taken["stage"]) == (offered.number, "accepted")
    visit = client.get(f"/w/{offered.token}", headers=JSON).json["visit"]
    assert visit["phone"] == f"+86{PHONE}"
    done = client.post(f"/w/{offered.token}/finish", headers=JSON, json={"result": "done", "cost": 80}).json
    assert done["stage"] == "finished"
    assert offered.order().cost_fen == 8000


def test_who_takes_anything_gets_the_page(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    assert client.get(f"/w/{offered.token}", headers={"Accept": "*/*"}).mimetype == "text/html"


def test_machines_get_problem_details_with_the_field_and_without_the_secret(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    client.post(f"/w/{offered.token}/accept", headers=JSON)
    again = client.post(f"/w/{offered.token}/accept", headers=JSON)
    assert again.content_type == "application/problem+json"
    assert again.json["code"] == "already_accepted"
    wrong = client.post(f"/w/{offered.token}/finish", headers=JSON, json={"result": "done", "cost": "-1"})
    assert wrong.json["errors"][0]["field"] == "cost"
    assert offered.token not in again.text + wrong.text


def test_too_many_requests_for_one_link_are_told_to_wait(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    codes = [client.get(f"/w/{offered.token}").status_code for _ in range(61)]
    assert codes[:60] == [200] * 60
    assert codes[60] == 429


@given(fen=st.integers(0, 10**10))
def test_every_amount_of_fen_written_in_yuan_is_read_back(fen: int) -> None:
    yuan = f"{fen // 100}.{fen % 100:02d}"
    assert [form.fen_of(text) for text in (yuan, f" ¥{yuan} ", f"{yuan}元")] == [fen] * 3


def report(cost: str = "80") -> dict[str, object]:
    """A report of finished work with a photo and a signature."""
    return {
        "result": "done",
        "cost": cost,
        "note": "换了软管",
        "photos": (picture("JPEG", (64, 48)), "1.jpg"),
        "signature": (picture("PNG", (64, 28)), "signature.png"),
    }


def picture(kind: str, size: tuple[int, int]) -> BytesIO:
    """A small picture."""
    file = BytesIO()
    Image.new("RGB", size, "#88aacc").save(file, kind)
    file.seek(0)
    return file


def error_of(html: str, field: str) -> str:
    """The words of the error shown beside a field, empty when it is hidden."""
    found = re.search(rf'<p class="field-error" id="{field}-error"([^>]*)>.*?<span>(.*?)</span>', html, re.DOTALL)
    return found[2] if found and "hidden" not in found[1] else ""


def test_a_firm_sees_its_own_figures_by_its_link_and_no_other_firm(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database, given="offer_all")
    answer = client.get(f"/w/{offered.token}/figures")
    assert answer.status_code == 200
    names = [one.name for one in offered.world.firms]
    assert [name in answer.text for name in names].count(True) == 1
    assert "按接单能力应得" in answer.text
    assert client.get("/w/unknown/figures").status_code == 404
