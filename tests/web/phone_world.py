"""An offered order in a database that commits, and the links that its firms were sent."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import func, select, update

from dispatch import clock
from dispatch.models.access import AuditEntry, File, IdempotencyKey
from dispatch.models.notify import Notice
from dispatch.models.orders import Offer, OfferRecipient, Order, OrderEvent
from dispatch.rules.access.roles import Role
from dispatch.services import orders
from dispatch.services.access import vault
from tests.conftest import Database
from tests.factories.world import World, make_world, staff

QUESTIONS = [{"code": "spot", "text": "哪里堵了", "values": {"toilet": "马桶", "kitchen": "厨房下水"}}]
RESIDENT = "王秀英"
PHONE = "13905781234"
ROOM = "502"


@dataclass(frozen=True, slots=True)
class Offered:
    """An order that was offered: its number and the link token of each firm that was asked."""

    database: Database
    world: World
    number: str
    tokens: tuple[str, ...]

    @property
    def token(self) -> str:
        """The first firm's token."""
        return self.tokens[0]

    def order(self) -> Order:
        """The order as it stands in the database."""
        with self.database.session() as session:
            return session.scalars(select(Order).where(Order.number == self.number)).one()

    def recipient(self, index: int = 0) -> OfferRecipient:
        """A firm's part in the round."""
        with self.database.session() as session:
            query = select(OfferRecipient).where(
                OfferRecipient.link_hash == sha256(self.tokens[index].encode()).digest()
            )
            return session.scalars(query).one()

    def picture(self) -> tuple[object, ...]:
        """Everything that an act could change, to be compared before and after."""
        with self.database.session() as session:
            order = session.scalars(select(Order).where(Order.number == self.number)).one()
            counts = [
                session.scalar(select(func.count()).select_from(table))
                for table in (OrderEvent, File, IdempotencyKey, Offer)
            ]
            answers = session.execute(
                select(OfferRecipient.id, OfferRecipient.outcome, OfferRecipient.reason).order_by(OfferRecipient.id)
            ).all()
            return (order.version, order.state, order.cost_fen, order.performer_id, *counts, *answers)

    def files(self) -> list[tuple[str, str, int, int]]:
        """Purpose, media type, width and height of what was stored with the order."""
        with self.database.session() as session:
            rows = session.scalars(select(File).where(File.subject == "orders").order_by(File.id))
            return [(row.purpose, row.media_type, row.width, row.height) for row in rows]

    def actions(self) -> list[str]:
        """The actions of the order's history."""
        with self.database.session() as session:
            rows = select(OrderEvent.action).where(OrderEvent.order_id == self.order().id).order_by(OrderEvent.version)
            return list(session.scalars(rows))

    def reveals(self) -> int:
        """How often name and telephone were shown, as the audit trail knows it."""
        with self.database.session() as session:
            query = select(func.count()).where(AuditEntry.action == "orders.reveal_caller")
            return session.scalars(query).one()

    def move_hold(self, by: timedelta) -> None:
        """Move the end of the hold time."""
        with self.database.session() as session:
            session.execute(update(Offer).values(hold_until=Offer.hold_until + by))
            session.commit()

    def lapse(self) -> None:
        """Let the hold time run out and the deadline's job do its work."""
        self.move_hold(timedelta(hours=-2))
        with self.database.session() as session:
            offer = session.scalars(select(Offer).where(Offer.closed_at.is_(None))).one()
            orders.lapse(session, offer.id, now=clock.now(session))
            session.commit()

    def move_finish(self, by: timedelta) -> None:
        """Move the time of the finish."""
        with self.database.session() as session:
            session.execute(update(Order).values(finished_at=Order.finished_at + by))
            session.commit()


def offer(
    database: Database,
    *,
    given: str = "offer_one",
    proof: tuple[str, ...] = (),
    hold_minutes: int = 10,
    **changes: object,
) -> Offered:
    """Place and route an order about a blocked drain, committed, and read the links from the waiting notices."""
    with database.session() as session:
        world = make_world(session)
        world.plumbing.given = given
        world.plumbing.proof = list(proof)
        world.plumbing.questions = QUESTIONS
        world.plumbing.hold_minutes = hold_minutes
        world.plumbing.price_note = "室内60元起"
        session.flush()
        now: datetime = clock.now(session)
        draft = orders.OrderDraft(
            description="厨房下水道堵了，水漫出来了",
            service_code="drain_clearing",
            stairwell_id=world.stairwells[0].id,
            room=ROOM,
            caller_phone=PHONE,
            caller_name=RESIDENT,
            answers={"spot": "kitchen"},
        )
        order = orders.place(session, replace(draft, **changes), actor=staff(session, world, Role.OPERATOR), now=now)
        orders.route(session, order.id, now=now)
        session.commit()
        rows = session.execute(
            select(Notice.dedupe, Notice.secret)
            .where(Notice.order_id == order.id, Notice.secret.is_not(None))
            .order_by(Notice.id)
        )
        tokens = tuple(vault.open_sealed(f"notices.secret.{dedupe}", secret) for dedupe, secret in rows)
        return Offered(database, world, order.number, tokens)
