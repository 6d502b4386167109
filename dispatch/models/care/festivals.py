"""Festivals with the elders: which there are, each year's event, who was invited and came, who helps, pictures."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class Festival(Base):
    """重阳, 春节 …: a day of the lunar or the solar calendar that is celebrated each year while it is on."""

    __tablename__ = "festivals"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    code: Mapped[str]
    name: Mapped[str]
    calendar: Mapped[str]
    month: Mapped[int] = mapped_column(SmallInteger)
    day: Mapped[int] = mapped_column(SmallInteger)
    is_on: Mapped[bool] = mapped_column(server_default=text("true"))

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "code"),
        CheckConstraint("calendar IN ('lunar', 'solar')", name="calendar"),
        CheckConstraint("month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31", name="day"),
        CheckConstraint("btrim(name) <> ''", name="name"),
    )


class FestivalEvent(Base):
    """The festival of one year: `held_on` is its day, which may be moved; `place` is empty until it is known."""

    __tablename__ = "festival_events"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    festival_id: Mapped[Reference]
    year: Mapped[int]
    held_on: Mapped[date]
    place: Mapped[str] = mapped_column(server_default=text("''"))
    state: Mapped[str] = mapped_column(server_default=text("'planned'"))
    created_at: Mapped[Moment]

    __table_args__ = (
        within("festivals", "festival_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("festival_id", "year"),
        CheckConstraint("state IN ('planned', 'held')", name="state"),
        Index("ix_festival_events_held_on", "community_id", "held_on"),
    )


class FestivalInvitation(Base):
    """One person invited to one event, once; who is fetched with whom stands in the order."""

    __tablename__ = "festival_invitations"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    event_id: Mapped[Reference]
    resident_id: Mapped[Reference]
    household_id: Mapped[Reference | None]
    answer: Mapped[str] = mapped_column(server_default=text("'asked'"))
    wants_ride: Mapped[bool] = mapped_column(server_default=text("false"))
    may_picture: Mapped[bool] = mapped_column(server_default=text("false"))
    attended: Mapped[bool | None]
    order_id: Mapped[Reference | None]

    __table_args__ = (
        within("festival_events", "event_id"),
        within("residents", "resident_id"),
        within("households", "household_id"),
        within("orders", "order_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("event_id", "resident_id"),
        CheckConstraint("answer IN ('asked', 'comes', 'declines', 'lapsed')", name="answer"),
        CheckConstraint("NOT wants_ride OR answer IN ('comes', 'lapsed')", name="ride"),
        Index("ix_festival_invitations_resident_id", "resident_id"),
        Index("ix_festival_invitations_order_id", "order_id"),
    )


class FestivalHelper(Base):
    """党员 and 文艺骨干 of the register of work resources who help at an event."""

    __tablename__ = "festival_helpers"

    event_id: Mapped[Reference] = mapped_column(primary_key=True)
    resource_id: Mapped[Reference] = mapped_column(primary_key=True)
    community_id: Mapped[Reference] = community()

    __table_args__ = (within("festival_events", "event_id"), within("work_resources", "resource_id"))


class FestivalPicture(Base):
    """A picture of an event; `shown` are the invitations of those on it, all of whom have consented."""

    __tablename__ = "festival_pictures"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    event_id: Mapped[Reference]
    words: Mapped[str]
    shown: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    added_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    added_at: Mapped[Moment]

    __table_args__ = (
        within("festival_events", "event_id"),
        UniqueConstraint("community_id", "id"),
        Index("ix_festival_pictures_event_id", "event_id", "id"),
    )
