"""A voucher pays at the door: the phone page looks at the card, takes some once, and says in words why it does not."""

import re

import pytest
from flask.testing import FlaskClient

from dispatch import clock
from dispatch.services import orders
from dispatch.services.care import vouchers
from dispatch.services.orders import WorkReport
from tests.factories.vouchers import Purses, code_of, grant, make_purses
from tests.web.conftest import Site
from tests.web.phone_world import Offered, offer

pytestmark = pytest.mark.usefixtures("fresh_limits")
JSON = {"Accept": "application/json"}
KEY = re.compile(r'name="key" value="([^"]+)"')


@pytest.fixture
def client(site: Site) -> FlaskClient:
    """A phone without JavaScript."""
    return site.app.test_client()


@pytest.fixture
def offered(site: Site) -> Offered:
    """An order whose firm is at the door."""
    made = offer(site.database)
    with site.database.session() as session:
        now = clock.now(session)
        orders.accept(session, made.token, now=now)
        orders.arrive(session, made.token, now=now, how="resident")
        session.commit()
    return made


@pytest.fixture
def cards(site: Site, offered: Offered) -> tuple[Purses, list[int], list[str]]:
    """Two vouchers of the community, with the codes of their cards."""
    with site.database.session() as session:
        purses = make_purses(session, offered.world, people=2)
        made = grant(session, purses)
        codes = [code_of(session, purses, one) for one in made]
        session.commit()
        return purses, [one.id for one in made], codes


def test_a_firm_at_the_door_compares_the_name_and_takes_a_part_once(
    site: Site, client: FlaskClient, offered: Offered, cards: tuple[Purses, list[int], list[str]]
) -> None:
    link, (purses, ids, codes) = f"/w/{offered.token}", cards
    assert "用服务券付款" in client.get(link).text
    looked = client.post(f"{link}/card", data={"code": codes[0].lower().replace("-", " ")})
    assert "陈**" in looked.text
    assert "500.00" in looked.text
    key = KEY.search(looked.text[looked.text.index("/redeem") :])
    assert key is not None
    form = {"code": codes[0], "yuan": "600", "what": "疏通下水道", "key": key[1]}
    refused = client.post(f"{link}/redeem", data=form)
    assert refused.status_code == 422
    assert "服务券只剩" in refused.text
    assert "陈**" in refused.text
    form["yuan"] = "¥120.50"
    for times in range(2):
        answer = client.post(f"{link}/redeem", data=form, headers=JSON)
        assert (answer.status_code, answer.headers.get("Idempotency-Replayed")) == (200, "true" if times else None)
    assert client.get(link, headers=JSON).json["voucher"] == {"paid_fen": 12_050}
    assert "已用服务券付" in client.get(link).text
    again = client.post(f"{link}/redeem", data=form | {"key": "another", "code": codes[1]}, headers=JSON)
    assert (again.status_code, again.json["code"]) == (409, "order_redeemed")
    with site.database.session() as session:
        (row,) = vouchers.redemptions_of_voucher(session, ids[0], actor=purses.centre)
        assert (row.redemption.fen, row.order_number, row.redemption.made_by) == (12_050, offered.number, None)
        assert list(vouchers.broken_vouchers(session)) == []
        orders.finish(session, offered.token, WorkReport("done", 12_050, ""), now=clock.now(session))
        session.commit()
    assert "已用服务券付" in client.get(link).text


def test_a_card_that_opens_nothing_is_refused_in_words_and_guesses_are_counted_by_firm_however_they_are_written(
    site: Site,
    client: FlaskClient,
    offered: Offered,
    cards: tuple[Purses, list[int], list[str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    link, (purses, ids, codes) = f"/w/{offered.token}", cards
    with site.database.session() as session:
        vouchers.freeze_voucher(session, ids[0], actor=purses.welfare, now=clock.now(session))
        (card,) = vouchers.cards_of(session, ids[1], actor=purses.welfare)
        vouchers.replace_card(session, card.id, actor=purses.welfare, now=clock.now(session))
        session.commit()
    taking = {"yuan": "20", "what": "疏通"}
    for code, words in ((codes[0], "已冻结"), (codes[1], "已经挂失"), ("HQV/1", "26位")):
        answer = client.post(f"{link}/redeem", data=taking | {"code": code})
        assert answer.status_code in {409, 422}
        assert words in answer.text
    wrong = [{"code": "0" * 26}, {"code": "o" * 26}, {"code": "HQV/" + "O" * 26}, {"code": "00000-" * 5 + "0"}]
    doors = [("card", {}), ("redeem", taking), ("redeem", taking | {"yuan": "x"})]
    answers = [
        client.post(f"{link}/{door}", data=more | wrong[number % 4]).status_code
        for number, (door, more) in enumerate(doors * 4)
    ]
    assert answers == [422] * 10 + [429] * 2
    assert client.post(f"{link}/card", data={"code": codes[0]}).status_code == 429
    assert "Failed to rate limit" not in caplog.text
