"""Organisations, users, roles, sessions, keys, policies, the audit trail, idempotency and files."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.db import Base, Id, Moment, Reference


class Organisation(Base):
    """District, centre, street, community, party branch or station; `path` holds the ids from the root down."""

    __tablename__ = "organisations"

    id: Mapped[Id]
    parent_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[str]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    path: Mapped[list[int]] = mapped_column(ARRAY(BIGINT))
    is_hidden: Mapped[bool] = mapped_column(server_default=text("false"))
    grid_version: Mapped[int] = mapped_column(server_default=text("1"))
    catalogue_version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint(
            "kind IN ('city', 'district', 'centre', 'street', 'community', 'branch', 'station')", name="kind"
        ),
        Index("ix_organisations_path", "path", postgresql_using="gin"),
    )


class User(Base):
    """Somebody who can log in."""

    __tablename__ = "users"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]
    password_changed_at: Mapped[Moment]
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_last_step: Mapped[Reference | None]
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    locale: Mapped[str] = mapped_column(server_default=text("'zh_CN'"))
    failed_logins: Mapped[int] = mapped_column(server_default=text("0"))
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[Moment]


class Membership(Base):
    """A role held AT an organisation; it reaches that organisation's subtree."""

    __tablename__ = "memberships"

    id: Mapped[Id]
    user_id: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    organisation_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    role: Mapped[str]
    team_id: Mapped[Reference | None]
    area_id: Mapped[Reference | None]
    performer_id: Mapped[Reference | None]

    __table_args__ = (UniqueConstraint("user_id", "organisation_id", "role", postgresql_nulls_not_distinct=True),)


class UserSession(Base):
    """A log-in: server-side, idle 30 min, absolute 12 h; only the token's hash is stored.

    `second_factor_at` is when the last factor that was asked for was passed; until then the session opens
    nothing but the page that asks for the code.
    """

    __tablename__ = "user_sessions"

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[Reference] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    second_factor_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_user_sessions_user_id", "user_id", postgresql_where=text("ended_at IS NULL")),)


class ApiKey(Base):
    """A machine's key with scopes (rights), a firm's own system among them; only its hash is stored."""

    __tablename__ = "api_keys"

    id: Mapped[Id]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    name: Mapped[str]
    organisation_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    performer_id: Mapped[Reference | None]
    created_at: Mapped[Moment]
    revoked_at: Mapped[datetime | None]


class Policy(Base):
    """A Q value of an organisation, inherited down the tree, never edited: a new row replaces it."""

    __tablename__ = "policies"

    id: Mapped[Id]
    organisation_id: Mapped[Reference] = mapped_column(ForeignKey("organisations.id"))
    key: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)
    valid_from: Mapped[Moment]
    changed_by: Mapped[Reference | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]

    __table_args__ = (Index("ix_policies_organisation_id_key", "organisation_id", "key", "valid_from"),)


class AuditEntry(Base):
    """Who changed or read what, when: ids, field names and keyed digests, never values; append-only.

    Sealed in commit order by one job every 5 s (`AuditSeal`), so that one changed byte is found.
    """

    __tablename__ = "audit_entries"

    id: Mapped[Id]
    at: Mapped[Moment]
    action: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[Reference | None]
    community_id: Mapped[Reference | None]
    organisation_id: Mapped[Reference | None]
    user_id: Mapped[Reference | None]
    api_key_id: Mapped[Reference | None]
    performer_id: Mapped[Reference | None]
    request_id: Mapped[str | None]
    purpose: Mapped[str | None]
    fields: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    transaction_id: Mapped[Reference] = mapped_column(server_default=text("pg_current_xact_id()::text::bigint"))
    seal_id: Mapped[Reference | None]

    __table_args__ = (
        Index("ix_audit_entries_subject", "subject", "subject_id"),
        Index("ix_audit_entries_unsealed", "id", postgresql_where=text("seal_id IS NULL")),
    )


class AuditSeal(Base):
    """A link of the audit chain over the entries first_id … last_id that it names, with their digest."""

    __tablename__ = "audit_seals"

    id: Mapped[Id]
    made_at: Mapped[Moment]
    entry_ids: Mapped[list[int]] = mapped_column(ARRAY(BIGINT))
    previous: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class IdempotencyKey(Base):
    """The stored answer of a keyed request, in the transaction that did its work; kept ≥ 72 h."""

    __tablename__ = "idempotency"

    principal: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Moment]

    __table_args__ = (Index("ix_idempotency_created_at", "created_at"),)


class File(Base):
    """A photo, scan or signature: re-encoded, metadata stripped, encrypted."""

    __tablename__ = "files"

    id: Mapped[Id]
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True)
    community_id: Mapped[Reference | None] = mapped_column(ForeignKey("organisations.id"))
    subject: Mapped[str]
    subject_id: Mapped[Reference]
    purpose: Mapped[str]
    media_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Moment]

    __table_args__ = (Index("ix_files_subject", "subject", "subject_id"),)
