"""A desk in a small world: staff with sessions, browser pages that are logged in, routing as the worker does it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select

from dispatch import clock
from dispatch.models.access import Membership, User
from dispatch.models.orders import Order, OrderEvent
from dispatch.rules.access.roles import SYSTEM, Actor, Role
from dispatch.rules.orders.states import OrderState
from dispatch.services import orders
from dispatch.services.access import sessions, vault
from dispatch.services.orders import NamedRound, OrderDraft, WorkReport
from tests.factories.world import World, bump, make_world, staff
from tests.web.conftest import Site

QUESTIONS = [
    {"code": "spot", "text": "哪里堵了", "required": True, "values": {"toilet": "马桶", "kitchen": "厨房下水"}},
    {"code": "overflow", "text": "有没有污水溢出来", "required": True, "values": {"yes": "有", "no": "没有"}},
]
ADDRESS = "1号楼1单元501"
PHONE = "13905781234"
DESCRIPTION = "厨房下水道堵了，水漫到客厅"


@dataclass(frozen=True, slots=True)
class Desk:
    """The site with its small world."""

    site: Site
    world: World

    def login(self, role: Role) -> str:
        """The session token of a new member of staff."""
        with self.site.database.session() as session:
            actor = staff(session, self.world, role)
            belongs = {
                "team_id": self.world.line.id if role is Role.TEAM_HEAD else None,
                "performer_id": self.world.firms[0].id if role is Role.PERFORMER else None,
            }
            at = self.world.district.id
            session.add(Membership(user_id=actor.user_id, organisation_id=at, role=str(role), **belongs))
            session.flush()
            token = sessions.open_session(session, self.user_id(actor), is_complete=True, now=clock.now(session))
            session.commit()
        return token

    def client(self, role: Role) -> FlaskClient:
        """A client without a browser, logged in, that sends the token of its forms."""
        token = self.login(role)
        client = self.site.app.test_client()
        client.set_cookie("session", token)
        client.environ_base["HTTP_X_CSRF_TOKEN"] = vault.sign("csrf", token.encode()).hex()
        return client

    def place(self, *, address: str | None = None, description: str = DESCRIPTION, confidential: bool = False) -> str:
        """An order placed by another operator; its number."""
        words = ADDRESS if address is None else address
        with self.site.database.session() as session:
            actor = staff(session, self.world, Role.OPERATOR)
            draft = OrderDraft(
                description=description,
                service_id=self.world.plumbing.id,
                address_text=words,
                caller_phone=PHONE,
                caller_name="王秀英",
                confidential=confidential or None,
            )
            order = orders.place(session, draft, actor=actor, now=clock.now(session))
            session.commit()
            return order.number

    def route(self, number: str) -> None:
        """What the worker does with a new order."""
        with self.site.database.session() as session:
            order = session.scalars(select(Order).where(Order.number == number)).one()
            orders.route(session, order.id, now=clock.now(session))
            session.commit()

    def finish(self, number: str) -> None:
        """Bring an offered order to 已完成 as its performer would."""
        with self.site.database.session() as session:
            order = session.scalars(select(Order).where(Order.number == number)).one()
            now = clock.now(session)
            orders.feed_back(session, order, answer="已疏通", actor=SYSTEM, now=now)
            order.callback_due_at = now - timedelta(minutes=1)
            session.commit()

    def finished(self) -> str:
        """The number of an order whose work is done, whose answer was given and whose callback is due."""
        number = self.place()
        self.route(number)
        with self.site.database.session() as session:
            order = session.scalars(select(Order).where(Order.number == number)).one()
            ((offer, recipient, _),) = orders.offers_of(session, order)
            part = NamedRound(recipient.performer_id, number, offer.round)
            orders.accept(session, part, now=clock.now(session))
            orders.finish(session, part, WorkReport("done"), now=clock.now(session))
            session.commit()
        self.finish(number)
        return number

    def orders(self) -> list[Order]:
        """All orders, oldest first."""
        with self.site.database.session() as session:
            return list(session.scalars(select(Order).order_by(Order.id)))

    def order(self, number: str) -> Order:
        """One order as it stands."""
        return next(order for order in self.orders() if order.number == number)

    def actions(self, number: str) -> list[str]:
        """The actions of an order's history."""
        with self.site.database.session() as session:
            query = (
                select(OrderEvent.action)
                .join(Order, Order.id == OrderEvent.order_id)
                .where(Order.number == number)
                .order_by(OrderEvent.version)
            )
            return list(session.scalars(query))

    def state(self, number: str) -> OrderState:
        """An order's state."""
        return OrderState(self.order(number).state)

    def user_id(self, actor: Actor) -> int:
        """The user behind an actor."""
        assert actor.user_id is not None
        return actor.user_id

    def users(self) -> list[User]:
        """Everybody who can log in."""
        with self.site.database.session() as session:
            return list(session.scalars(select(User)))


@pytest.fixture
def desk(site: Site) -> Desk:
    """The desk of a small world in which one kind asks two questions."""
    with site.database.session() as session:
        world = make_world(session)
        world.plumbing.questions = QUESTIONS
        bump(session, world.district)
        bump(session, world.community)
        session.commit()
    return Desk(site, world)


@pytest.fixture
def open_page(desk: Desk, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Pages of a browser in which somebody of a role is logged in; what the console complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_it(role: Role, path: str, *, width: int = 1440, lang: str = "zh-CN") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, locale=lang)
        contexts.append(context)
        context.add_cookies([{"name": "session", "value": desk.login(role), "url": desk.site.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None,
        )
        page.goto(desk.site.url + path, wait_until="load")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []
