"""A helper tells of a visit by the link in the message: how the elder was, a difficulty, the code at the door."""

from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Contact, DutyOrder, DutyPeriod
from dispatch.models.notify import Notice
from dispatch.models.orders import Order
from dispatch.services import notify, orders
from dispatch.services.care.door import printed_code
from tests.factories.care import ELDER, calendar_of, home, keep_day, paired
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
SAID = {"asked": "1", "result": "done", "complaint": "晚上睡不好", "difficulty": "水龙头漏水"}


def visit_of(session: Session, desk: Desk) -> tuple[int, str]:
    """The household of an elder to whom a helper is sent today, and the token of the helper's link."""
    calendar, now = calendar_of(session, desk.world, helpers=1), clock.now(session)
    people = home(session, calendar, ELDER)
    paired(session, calendar, people, now=now)
    session.execute(update(DutyPeriod).values(planned_on=clock.today(now)))
    session.expire_all()
    keep_day(session, calendar, now)
    visit = select(Order.id).join(DutyOrder, DutyOrder.order_id == Order.id).join(DutyPeriod).limit(1)
    order_id = session.scalars(visit.where(Order.service_id == calendar.kinds["care_visit"].id)).one()
    orders.route(session, order_id, now=now)
    notice = session.scalars(select(Notice).where(Notice.order_id == order_id).limit(1)).one()
    return people[0].household_id or 0, notify.link_token(notice) or ""


def test_the_end_of_a_visit_tells_of_the_elder_and_opens_an_order_for_what_is_hard(desk: Desk) -> None:
    with desk.site.database.session() as session:
        household_id, token = visit_of(session, desk)
        session.commit()
    client: FlaskClient = desk.site.app.test_client()
    client.post(f"/w/{token}/accept")
    client.post(f"/w/{token}/arrive")
    page = client.get(f"/w/{token}").text
    assert 'name="mood"' in page
    assert 'name="cost"' not in page
    for field, sent in (("mood", SAID), ("door_code", SAID | {"mood": "low", "door_code": "ABCDEFGH"})):
        refused = client.post(f"/w/{token}/finish", data=sent)
        assert refused.status_code == 422
        assert f'id="{field}-error" data-error="{field}" role="alert">' in refused.text
        assert "晚上睡不好" in refused.text
    told = SAID | {"mood": "low", "door_code": printed_code(household_id)}
    assert client.post(f"/w/{token}/finish", data=told).status_code == 303
    with desk.site.database.session() as session:
        contact = session.scalars(select(Contact)).one()
        assert (contact.mood, contact.proof, contact.performer_id is None) == ("low", "door_code", False)
        assert set(session.scalars(select(DutyPeriod.state).where(DutyPeriod.contact_id == contact.id))) == {"met"}
        opened = session.get_one(Order, contact.difficulty_order_id)
        assert opened.description == "水龙头漏水"
