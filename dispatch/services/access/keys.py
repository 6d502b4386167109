"""API keys of machines: made once in plain text, stored as a hash, remembered for five seconds."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.access import ApiKey
from dispatch.rules.access.capacity import kind_of_key
from dispatch.rules.access.roles import RIGHTS, Actor, ActorKind, Right, Role
from dispatch.services.access import audit, reach
from dispatch.services.access.memory import ShortMemory
from dispatch.services.access.tokens import hash_of

PREFIX = "hq_"
KEY_BYTES = 32
KEY_CHARACTERS = len(PREFIX) + 43
LONGEST_NAME = 100

remembered: ShortMemory[Actor] = ShortMemory("api_keys")


def create_key(
    session: Session,
    *,
    name: str,
    organisation_id: int,
    scopes: Iterable[Right],
    performer_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make a key AT an organisation (for a performer's own system); returns it with its plain text, never shown again.

    Raises NotFound for an organisation out of reach, NotAllowed for a scope that the actor does not hold,
    Invalid("scopes") for one that a performer never has.
    """
    wanted = frozenset(scopes)
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid("name", "请写明这个密钥给谁用，不超过 100 字")
    if not wanted:
        raise Invalid("scopes", "请至少选择一项权限")
    if performer_id is not None and not wanted <= RIGHTS[Role.PERFORMER]:
        raise Invalid("scopes", "服务商的密钥只能有服务商的权限")
    check_reach(organisation_id, actor)
    if not wanted <= actor.rights:
        raise NotAllowed
    plain = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    made = ApiKey(
        key_hash=hash_of(plain),
        name=name.strip(),
        organisation_id=organisation_id,
        scopes=sorted(wanted),
        performer_id=performer_id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    audit.record(session, "access.create_key", "api_keys", made.id, actor=actor, organisation_id=organisation_id)
    return made, plain


def revoke_key(session: Session, key_id: int, *, actor: Actor, now: datetime) -> None:
    """Revoke a key: at once here, in other processes within five seconds."""
    key = session.get(ApiKey, key_id, with_for_update=True, populate_existing=True)
    if key is None:
        raise NotFound
    check_reach(key.organisation_id, actor)
    if key.revoked_at is None:
        key.revoked_at = now
        remembered.forget(session)
        audit.record(
            session,
            "access.revoke_key",
            "api_keys",
            key.id,
            actor=actor,
            organisation_id=key.organisation_id,
        )


def known_key(engine: Engine, plain: str) -> Actor | None:
    """The actor of a key that this process has seen in the last five seconds, without asking the database."""
    return remembered.get(engine, hash_of(plain))


def authenticate_key(session: Session, plain: str) -> Actor | None:
    """Who holds this key; None when it is unknown or revoked. Remembered for at most 5 s."""
    digest = hash_of(plain)
    known = remembered.get(session, digest)
    if known is not None:
        return known
    key = session.scalars(select(ApiKey).where(ApiKey.key_hash == digest, ApiKey.revoked_at.is_(None))).one_or_none()
    if key is None:
        return None
    actor = actor_of(session, key)
    remembered.put(session, digest, actor)
    return actor


def actor_of(session: Session, key: ApiKey) -> Actor:
    """The actor of a key: its scopes are its rights, its reach its organisation's subtree; a performer's own work."""
    rights = frozenset(Right(scope) for scope in key.scopes)
    return Actor(
        kind=kind_of_key(rights) if key.performer_id is None else ActorKind.PERFORMER,
        api_key_id=key.id,
        performer_id=key.performer_id,
        narrowed=key.performer_id is not None,
        organisation_id=key.organisation_id,
        rights=rights,
        scope=reach.scope_at(session, [key.organisation_id]),
    )


def check_reach(organisation_id: int, actor: Actor) -> None:
    """Raise NotFound for an organisation out of the actor's reach."""
    if not actor.scope.everything and organisation_id not in actor.scope.organisations:
        raise NotFound
