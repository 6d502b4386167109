"""Server-side sessions: opened at log-in, found by the token's hash, ended by log-out and every change."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, text, update
from sqlalchemy.orm import Session

from dispatch.models.access import UserSession
from dispatch.rules.access.capacity import kind_of
from dispatch.rules.access.roles import Actor, Role, Scope, is_narrowed, rights_of
from dispatch.rules.access.sign_in import PENDING, SEEN_EVERY, SessionLimits, is_alive
from dispatch.services.access import audit, policies
from dispatch.services.access.reach import SUBTREE
from dispatch.services.access.tokens import hash_of

TOKEN_BYTES = 32
LIMIT_KEYS = ("access.session_idle_minutes", "access.session_absolute_hours")
STANDS = "ARRAY(SELECT organisation_id FROM held)"
WHO = text(
    "WITH live AS (SELECT session.id, session.user_id, session.created_at, session.seen_at, "  # noqa: S608 - our own text
    "session.second_factor_at, person.name, person.locale FROM user_sessions AS session "
    "JOIN users AS person ON person.id = session.user_id "
    "WHERE session.token_hash = :token_hash AND session.ended_at IS NULL AND person.disabled_at IS NULL), "
    "held AS (SELECT memberships.* FROM memberships JOIN live USING (user_id)) "
    "SELECT live.*, (SELECT jsonb_agg(to_jsonb(held) ORDER BY held.id) FROM held) AS held, "
    f"reach.organisations, reach.communities FROM live, LATERAL ({SUBTREE % STANDS}) AS reach"
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A session whose password was right and whose second factor is still owed."""

    session_id: int
    user_id: int


def open_session(session: Session, user_id: int, *, is_complete: bool, now: datetime) -> str:
    """Open a new session and return its token (256 bits); only its hash is stored."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    opened = UserSession(
        token_hash=hash_of(token),
        user_id=user_id,
        created_at=now,
        seen_at=now,
        second_factor_at=now if is_complete else None,
    )
    session.add(opened)
    session.flush()
    return token


def authenticate_session(session: Session, token: str, now: datetime) -> Actor | None:
    """Who holds this token: user, roles and reach in one query; None when it is unknown, pending or over.

    Notes the use at most once a minute. The limits are policies (30 min idle, 12 h at most to begin with).
    """
    row = find(session, token)
    if row is None or row.second_factor_at is None or not row.held:
        return None
    limits = limits_of(session, row.held[0]["organisation_id"])
    if not is_alive(limits, row.created_at, row.seen_at, now):
        return None
    if now - row.seen_at >= SEEN_EVERY:
        session.execute(update(UserSession).where(UserSession.id == row.id).values(seen_at=now))
    return actor_of(row)


def pending_session(session: Session, token: str, now: datetime) -> Pending | None:
    """Whose second factor is owed under this token; None when none is, or after five minutes."""
    row = find(session, token)
    if row is None or row.second_factor_at is not None or now - row.created_at >= PENDING:
        return None
    return Pending(row.id, row.user_id)


def find(session: Session, token: str) -> Row[Any] | None:
    """The session of a token with its user's roles and reach, whether alive or not."""
    return session.execute(WHO, {"token_hash": hash_of(token)}).one_or_none()


def actor_of(row: Row[Any]) -> Actor:
    """The actor of a found session."""
    held: Sequence[Mapping[str, Any]] = row.held
    roles = frozenset(Role(one["role"]) for one in held)
    performers = [one["performer_id"] for one in held if one["performer_id"] is not None]
    return Actor(
        kind=kind_of(roles),
        user_id=row.user_id,
        performer_id=performers[0] if performers else None,
        organisation_id=held[0]["organisation_id"],
        roles=roles,
        rights=rights_of(roles),
        scope=Scope(organisations=frozenset(row.organisations), communities=frozenset(row.communities)),
        session_id=row.id,
        narrowed=is_narrowed(roles),
        areas=ids_of(held, "area_id", Role.AREA_CHIEF),
        teams=ids_of(held, "team_id", Role.TEAM_HEAD),
        locale=row.locale,
    )


def ids_of(held: Sequence[Mapping[str, Any]], column: str, role: Role) -> frozenset[int]:
    """The ids that memberships of one role carry."""
    return frozenset(one[column] for one in held if one["role"] == role and one[column] is not None)


def limits_of(session: Session, organisation_id: int) -> SessionLimits:
    """How long sessions live here: the organisation's policies, else the standard's numbers."""
    try:
        values = policies.policies(session, organisation_id, LIMIT_KEYS)
    except policies.PolicyMissing:
        return SessionLimits()
    idle, absolute = (values[key] for key in LIMIT_KEYS)
    return SessionLimits(timedelta(minutes=idle), timedelta(hours=absolute))


def log_out(session: Session, *, actor: Actor, now: datetime) -> None:
    """End the actor's session."""
    if actor.session_id is not None:
        end(session, now, session_id=actor.session_id)
        audit.record(session, "access.log_out", "users", actor.user_id, actor=actor)


def end(session: Session, now: datetime, *, session_id: int) -> None:
    """End one session."""
    session.execute(update(UserSession).where(UserSession.id == session_id).values(ended_at=now))


def end_token(session: Session, token: str, now: datetime) -> None:
    """End the session of a token, if there is one: a new log-in leaves no old session in the browser."""
    session.execute(update(UserSession).where(UserSession.token_hash == hash_of(token)).values(ended_at=now))


def end_all(session: Session, user_id: int, now: datetime) -> int:
    """End every session of a user; returns how many were open."""
    ended = session.execute(
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(UserSession.id)
    )
    return len(ended.all())


def open_sessions(session: Session, user_id: int, now: datetime) -> Sequence[UserSession]:
    """The user's sessions that are not ended and not older than the longest a session can be."""
    return session.scalars(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.ended_at.is_(None),
            UserSession.created_at > now - SessionLimits().absolute,
        )
        .order_by(UserSession.id.desc())
    ).all()
