"""The service station: who came to its counter for what; 职业介绍 with vacancies, seekers and introductions."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within

OPEN = sql("ended_at IS NULL")


class StationVisit(Base):
    """Somebody at the counter: for which kind, and whether it was settled there, sent elsewhere or became an order.

    The order stands in a community only once its place is known, so that it is not tied to that of the station.
    """

    __tablename__ = "station_visits"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id"))
    visitor: Mapped[str] = mapped_column(server_default=sql("''"))
    ended: Mapped[str]
    referred_to: Mapped[str | None]
    order_id: Mapped[Reference | None] = mapped_column(ForeignKey("orders.id"))
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    came_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("order_id"),
        CheckConstraint("ended IN ('done', 'referred', 'ordered')", name="ended"),
        CheckConstraint("(ended = 'ordered') = (order_id IS NOT NULL)", name="order"),
        CheckConstraint("(ended = 'referred') = (referred_to IS NOT NULL)", name="referred"),
        CheckConstraint("btrim(referred_to) <> ''", name="referred_to"),
        Index("ix_station_visits_came_at", "community_id", "came_at"),
    )


class Vacancy(Base):
    """A place of work that an employer offers: so many, until a day."""

    __tablename__ = "vacancies"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    employer: Mapped[str]
    title: Mapped[str]
    terms: Mapped[str] = mapped_column(server_default=sql("''"))
    places: Mapped[int] = mapped_column(SmallInteger)
    until: Mapped[date]
    ended_at: Mapped[datetime | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        CheckConstraint("btrim(employer) <> '' AND btrim(title) <> ''", name="title"),
        CheckConstraint("places BETWEEN 1 AND 1000", name="places"),
        Index("ix_vacancies_open", "community_id", "id", postgresql_where=OPEN),
    )


class JobSeeker(Base):
    """求职人: what is sought, by consent until a day; afterwards name and number are forgotten."""

    __tablename__ = "job_seekers"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference] = community()
    name: Mapped[str]
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    wish: Mapped[str]
    consented_at: Mapped[datetime]
    until: Mapped[date]
    ended_at: Mapped[datetime | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        CheckConstraint("btrim(name) <> '' AND btrim(wish) <> ''", name="wish"),
        CheckConstraint("num_nulls(phone, phone_index) IN (0, 2)", name="phone"),
        CheckConstraint("phone IS NOT NULL OR ended_at IS NOT NULL", name="forgotten"),
        Index("ix_job_seekers_phone", "community_id", "phone_index", unique=True, postgresql_where=OPEN),
        Index("ix_job_seekers_until", "until", postgresql_where=sql("phone IS NOT NULL")),
    )


class Introduction(Base):
    """A seeker who was sent to an employer, once for each vacancy, and what came of it."""

    __tablename__ = "introductions"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    vacancy_id: Mapped[Reference]
    seeker_id: Mapped[Reference]
    outcome: Mapped[str] = mapped_column(server_default=sql("'open'"))
    outcome_on: Mapped[date | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        within("vacancies", "vacancy_id"),
        within("job_seekers", "seeker_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("vacancy_id", "seeker_id"),
        CheckConstraint("outcome IN ('open', 'hired', 'refused', 'declined')", name="outcome"),
        CheckConstraint("(outcome = 'open') = (outcome_on IS NULL)", name="outcome_on"),
        Index("ix_introductions_seeker_id", "seeker_id"),
    )
