"""A festival on its pages: planned, everybody asked once, fetched by one order, counted, pictures by consent."""

import re
from dataclasses import dataclass
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from dispatch import clock
from dispatch.models.care import FestivalEvent, FestivalInvitation
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.services.care import hosting
from dispatch.services.grid.register import ResourceDraft, register_resources
from tests.factories.aid import picture
from tests.factories.care import ELDER, WIFE, calendar_of, home, paired, voucher
from tests.factories.world import service
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
COMES = {"answer": "comes", "wants_ride": "1", "may_picture": "1"}


@dataclass(frozen=True, slots=True)
class Feast:
    """A festival of today with a couple and a single elder, and who hosts it."""

    desk: Desk
    client: FlaskClient
    address: str

    def page(self) -> str:
        """The page of the event."""
        return self.client.get(self.address).get_data(as_text=True)

    def post(self, path: str, **form: object) -> int:
        """What the page answers to a form."""
        return self.client.post(f"{self.address}/{path}", data=form).status_code

    def invited(self) -> list[FestivalInvitation]:
        """Who is invited: the couple first."""
        with self.desk.site.database.session() as session:
            return list(session.scalars(select(FestivalInvitation).order_by(FestivalInvitation.resident_id)))


@pytest.fixture
def feast(desk: Desk) -> Feast:
    """Everybody is in two programmes or shares a home; the festival is entered on the page."""
    with desk.site.database.session() as session:
        calendar, now = calendar_of(session, desk.world), clock.now(session)
        couple, single = home(session, calendar, ELDER, WIFE), home(session, calendar, ELDER, stairwell=1)
        paired(session, calendar, couple, now=now)
        for one in (couple[0], single[0]):
            voucher(session, calendar, one, now=now)
        service(session, desk.world.district, hosting.RIDE, offered=["programme"], given="take_from_list")
        agreed = [
            ResourceDraft(kind, name, consented_at=now) for kind, name in (("artist", "何唱"), ("volunteer", "吴跑"))
        ]
        register_resources(session, desk.world.community.id, agreed, actor=SYSTEM)
        today = clock.today(now)
        session.commit()
    client = desk.client(Role.WELFARE)
    form = {"community_id": desk.world.community.id, "name": "社区日", "calendar": "solar", "month": today.month}
    assert client.post("/festivals", data=form | {"day": today.day}).status_code == 303
    with desk.site.database.session() as session:
        event_id = session.scalars(select(FestivalEvent.id).where(FestivalEvent.held_on == today)).one()
    return Feast(desk, client, f"/festivals/{event_id}")


def test_everybody_is_asked_once_and_a_couple_is_fetched_by_one_order(feast: Feast) -> None:
    again = {"community_id": feast.desk.world.community.id, "name": "社区日", "calendar": "solar", "month": 1, "day": 1}
    assert feast.client.post("/festivals", data=again).status_code == 422
    assert "请 3 人，0 人说来" in feast.page()
    husband, wife, single = (one.id for one in feast.invited())
    answers = {husband: COMES, wife: COMES, single: {"answer": "declines", "wants_ride": "1"}}
    for invitation_id, said in answers.items():
        answered = feast.client.post(f"/festivals/invitations/{invitation_id}", data=said)
        assert answered.headers["Location"] == feast.address
    assert feast.client.post(f"/festivals/invitations/{single}", data={"answer": "lapsed"}).status_code == 422
    assert [feast.post("rides") for _ in range(2)] == [303, 303]
    with feast.desk.site.database.session() as session:
        (ride,) = session.scalars(select(Order).where(Order.origin == hosting.ORIGIN))
    assert "2 人" in ride.description
    assert feast.page().count(f">{ride.number}<") == 2
    assert [one.order_id for one in feast.invited()] == [ride.id, ride.id, None]
    assert feast.desk.client(Role.OPERATOR).get(feast.address).status_code == 403


def test_the_day_is_counted_and_only_who_agreed_is_on_a_picture(feast: Feast) -> None:
    first, second, third = (one.id for one in feast.invited())
    feast.client.post(f"/festivals/invitations/{first}", data=COMES)
    assert feast.post("place", held_on="", place="文化广场") == 422
    (helper_id,) = re.findall(r'name="helpers" value="(\d+)"', feast.page())
    assert [feast.post("helpers", helpers=one) for one in (helper_id, int(helper_id) + 1)] == [303, 422]
    shown = {"words": "做重阳糕", "shown": [str(first), str(second)]}
    assert feast.post("pictures", photo=(BytesIO(picture()), "a.jpg"), **shown) == 422
    assert "还没有照片" in feast.page()
    assert feast.post("pictures", photo=(BytesIO(picture()), "a.jpg"), **shown | {"shown": str(first)}) == 303
    (address,) = re.findall(r"/festivals/pictures/\d+", feast.page())
    assert feast.client.get(address).content_type == "image/jpeg"
    assert feast.post("attendance", present=str(third + 1)) == 422
    assert feast.post("attendance", present=[str(first), str(third)]) == 303
    assert [one.attended for one in feast.invited()] == [True, False, True]
    assert feast.page().count("不再同意拍照") == 1
    assert feast.client.post(f"/festivals/invitations/{first}", data={"answer": "comes"}).status_code == 303
    assert (feast.client.get(address).status_code, address in feast.page()) == (404, False)
    assert "请 3 人，1 人说来，来了 2 人" in feast.client.get("/festivals").get_data(as_text=True)
