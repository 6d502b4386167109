"""Partners and their agreements, appeals and their prints, the media log, sessions of the 爱心聊吧."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, Uuid
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference
from dispatch.models.grid import community, within


class Partner(Base):
    """合作单位: a charity, a school (晓丽爱心传递站), a unit or a body of overseas Chinese. The phone is sealed."""

    __tablename__ = "partners"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid)
    community_id: Mapped[Reference] = community()
    kind: Mapped[str]
    name: Mapped[str]
    contact: Mapped[str] = mapped_column(server_default=sql("''"))
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "name"),
        UniqueConstraint("uid"),
        CheckConstraint("kind IN ('charity', 'school', 'unit', 'overseas')", name="kind"),
        CheckConstraint("btrim(name) <> ''", name="name"),
    )


class Agreement(Base):
    """合作协议: what was agreed with a partner, signed before anything is done on it; never edited."""

    __tablename__ = "agreements"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    partner_id: Mapped[Reference]
    purpose: Mapped[str]
    number: Mapped[str]
    words: Mapped[str]
    signed_on: Mapped[date]
    valid_until: Mapped[date | None]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        within("partners", "partner_id"),
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "id", "purpose", "signed_on"),
        UniqueConstraint("community_id", "number"),
        CheckConstraint("purpose IN ('sale', 'shipment', 'gift')", name="purpose"),
        CheckConstraint("btrim(number) <> ''", name="number"),
        CheckConstraint("valid_until >= signed_on", name="days"),
    )


class Appeal(Base):
    """倡议书: one version of an appeal as it was written; a change is the next version."""

    __tablename__ = "appeals"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    title: Mapped[str]
    version: Mapped[int]
    words: Mapped[str]
    written_on: Mapped[date]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("community_id", "id"),
        UniqueConstraint("community_id", "title", "version"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("btrim(title) <> '' AND btrim(words) <> ''", name="words"),
    )


class AppealPrint(Base):
    """So many copies of an appeal's version, given where and when."""

    __tablename__ = "appeal_prints"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    appeal_id: Mapped[Reference]
    copies: Mapped[int]
    given_where: Mapped[str]
    given_on: Mapped[date]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        within("appeals", "appeal_id"),
        CheckConstraint("copies >= 1", name="copies"),
        Index("ix_appeal_prints_appeal_id", "appeal_id", "id"),
    )


class MediaReport(Base):
    """宣传报道: what a newspaper or a broadcaster told; people are shown only with their consent."""

    __tablename__ = "media_reports"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    medium: Mapped[str]
    outlet: Mapped[str]
    title: Mapped[str]
    published_on: Mapped[date]
    shows_people: Mapped[bool]
    consent: Mapped[str] = mapped_column(server_default=sql("''"))
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("medium IN ('newspaper', 'television', 'radio', 'web')", name="medium"),
        CheckConstraint("NOT shows_people OR btrim(consent) <> ''", name="consent"),
        Index("ix_media_reports_community_id", "community_id", "id"),
    )


class ChatSession(Base):
    """爱心聊吧: how many came to a session and how many were referred to counselling; never who, never why."""

    __tablename__ = "chat_sessions"

    id: Mapped[Id]
    community_id: Mapped[Reference] = community()
    held_on: Mapped[date]
    topic: Mapped[str]
    present: Mapped[int]
    referred: Mapped[int]
    created_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint("present >= 1 AND referred BETWEEN 0 AND present", name="present"),
        Index("ix_chat_sessions_community_id", "community_id", "id"),
    )
