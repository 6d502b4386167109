"""Donors and pledges: who gives, and what was promised before it is a gift."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

WAITING = sql("state IN ('open', 'fetching', 'fetched')")


class Donor(Base):
    """捐赠人: a person or body that gives; who wants to stay unknown has no row. The phone is sealed, and the e-mail.

    Who leaves an address consents to be thanked there.
    """

    __tablename__ = "donors"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid)
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    name: Mapped[str]
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_overseas: Mapped[bool] = mapped_column(server_default=sql("false"))
    is_named: Mapped[bool] = mapped_column(server_default=sql("false"))
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("uid"),
        CheckConstraint("kind IN ('person', 'body')", name="kind"),
        CheckConstraint("btrim(name) <> ''", name="name"),
        CheckConstraint("(phone IS NULL) = (phone_index IS NULL)", name="phone"),
        Index("ix_donors_phone_index", "community_id", "phone_index"),
    )


class Pledge(Base):
    """认捐: what was promised, fetched by an order of the core, received as a gift once.

    The order's community is set by its place, which may be nobody's yet or another's: its key knows no community.
    `tries` counts the orders; only the newest stands here. `form_key` is what a form sends twice only once.
    """

    __tablename__ = "pledges"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid)
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    source: Mapped[str]
    donor_id: Mapped[Reference | None]
    name: Mapped[str | None]
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    words: Mapped[str]
    fen: Mapped[int | None] = mapped_column(BigInteger)
    wish: Mapped[str] = mapped_column(server_default=sql("''"))
    is_overseas: Mapped[bool] = mapped_column(server_default=sql("false"))
    is_named: Mapped[bool] = mapped_column(server_default=sql("false"))
    address_text: Mapped[str] = mapped_column(server_default=sql("''"))
    wanted_from: Mapped[datetime | None]
    wanted_until: Mapped[datetime | None]
    form_key: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=sql("'open'"))
    order_id: Mapped[Reference | None] = mapped_column(ForeignKey("orders.id"))
    order_version: Mapped[int] = mapped_column(server_default=sql("0"))
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=sql("0"))
    reason: Mapped[str | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_by_key: Mapped[Reference | None] = mapped_column(ForeignKey("api_keys.id"))
    created_at: Mapped[Moment]
    version: Mapped[int] = mapped_column(server_default=sql("1"))

    __table_args__ = (
        within("donors", "donor_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("uid"),
        UniqueConstraint("order_id"),
        UniqueConstraint("community_id", "form_key"),
        CheckConstraint("kind IN ('money', 'goods')", name="kind"),
        CheckConstraint("source IN ('desk', 'line', 'site')", name="source"),
        CheckConstraint("state IN ('open', 'fetching', 'fetched', 'received', 'withdrawn')", name="state"),
        CheckConstraint("btrim(words) <> ''", name="words"),
        CheckConstraint("(kind = 'money') = (fen IS NOT NULL) AND (fen IS NULL OR fen > 0)", name="fen"),
        CheckConstraint("kind = 'money' OR btrim(address_text) <> ''", name="place"),
        CheckConstraint("num_nulls(wanted_from, wanted_until) IN (0, 2) AND wanted_from < wanted_until", name="window"),
        CheckConstraint("(phone IS NULL) = (phone_index IS NULL)", name="phone"),
        CheckConstraint("state NOT IN ('fetching', 'fetched') OR order_id IS NOT NULL", name="order"),
        CheckConstraint("kind = 'goods' OR order_id IS NULL", name="fetched_goods"),
        CheckConstraint("(state = 'withdrawn') = (reason IS NOT NULL)", name="reason"),
        Index("ix_pledges_waiting", "community_id", "id", postgresql_where=WAITING),
    )
