"""Daily figures and statements of service that make themselves."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community


class DailyFigure(Base):
    """The counts of one community, day, kind and lead team."""

    __tablename__ = "daily_figures"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    day: Mapped[date]
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id"))
    team_id: Mapped[Reference | None] = mapped_column(ForeignKey("teams.id"))
    placed: Mapped[int] = mapped_column(server_default=text("0"))
    closed: Mapped[int] = mapped_column(server_default=text("0"))
    reopened: Mapped[int] = mapped_column(server_default=text("0"))
    answered: Mapped[int] = mapped_column(server_default=text("0"))
    made_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "day", "service_id", "team_id", postgresql_nulls_not_distinct=True),
    )


class ServiceStatement(Base):
    """The quarterly statement of service of a community: made and published by itself, versioned with a note."""

    __tablename__ = "service_statements"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    quarter: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    body: Mapped[dict[str, Any]]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(server_default=text("''"))
    made_at: Mapped[Moment]
    published_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("community_id", "quarter", "version"),)
