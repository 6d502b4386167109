"""A counter in a browser: a shop whose keeper can log in, milk and rice on the shelf, somebody with a card."""

from dataclasses import dataclass

from playwright.sync_api import BrowserContext
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.market import HandOut, Keeper
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.market.double_dip import Programme
from dispatch.services.access import sessions, users
from dispatch.services.market import beneficiaries, benefits
from tests.factories.counter import card_of
from tests.factories.market import make_shop, milk_of, take_in
from tests.web.conftest import Site


@dataclass(frozen=True, slots=True)
class Counter:
    """What the tests need of it."""

    site: Site
    token: str
    qr: str
    typed: str

    def log_in(self, context: BrowserContext) -> None:
        """The keeper's session in a browser."""
        context.add_cookies([{"name": "session", "value": self.token, "url": self.site.url}])

    def hand_outs(self) -> list[HandOut]:
        """What was reserved or handed out."""
        with self.site.database.session() as session:
            return list(session.scalars(select(HandOut).order_by(HandOut.id)))

    def left(self) -> int:
        """How much milk is left."""
        said = "SELECT sum(amount) FROM lot_balances JOIN lots ON lots.id = lot_id WHERE commodity = 'piece'"
        with self.site.database.session() as session:
            return int(session.execute(text(said)).scalar_one())


def make_counter(site: Site, *, helped_before: bool = False) -> Counter:
    """Make it in the site's own database."""
    with site.database.session() as session:
        shop, now = make_shop(session), clock.now(session)
        milk_of(session, shop, 20, 5)
        take_in(session, shop, shop.rice, 50_000, produced_on=shop.today)
        card = card_of(session, shop)
        place = shop.world.community.id
        token = keeper_of(session, place)
        if helped_before:
            held = beneficiaries.scan(session, card.qr, actor=shop.keeper, now=now)
            benefits.record(
                session,
                community_id=place,
                household_id=held.household_id,
                programme=Programme.RELIEF,
                given_on=shop.today,
                origin="market.relief",
                origin_id=1,
            )
        session.commit()
        return Counter(site, token, card.qr, card.token)


def keeper_of(session: Session, place: int) -> str:
    """The session of a keeper of all facilities there."""
    now = clock.now(session)
    user = users.create_user(
        session, login="keeper9", name="吴保管", password="correct horse battery", actor=SYSTEM, now=now
    )
    users.add_role(session, user.id, Role.KEEPER, organisation_id=place, actor=SYSTEM, now=now)
    for keeper in session.scalars(select(Keeper)):
        keeper.user_id = user.id
    return sessions.open_session(session, user.id, is_complete=True, now=now)
