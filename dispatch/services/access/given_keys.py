"""API keys whose plain text is given: the demo derives its keys, so that every start prints the same."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.access import ApiKey
from dispatch.rules.access.roles import Actor, Right
from dispatch.services.access import audit
from dispatch.services.access.keys import KEY_CHARACTERS, PREFIX, check_reach
from dispatch.services.access.tokens import hash_of


def keep_key(
    session: Session,
    plain: str,
    *,
    name: str,
    organisation_id: int,
    scopes: Iterable[Right],
    actor: Actor,
    now: datetime,
) -> bool:
    """Store a given key AT an organisation; False when it is stored already. Audited.

    Raises Invalid for a text that is not as long as a made key, NotFound for an organisation out of reach.
    """
    if not plain.startswith(PREFIX) or len(plain) != KEY_CHARACTERS:
        raise Invalid("plain", "这不是一个密钥")
    check_reach(organisation_id, actor)
    made = session.execute(
        insert(ApiKey)
        .values(
            key_hash=hash_of(plain),
            name=name,
            organisation_id=organisation_id,
            scopes=sorted(str(scope) for scope in scopes),
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(ApiKey.id)
    ).scalar_one_or_none()
    if made is None:
        return False
    audit.record(session, "access.keep_key", "api_keys", made, actor=actor, organisation_id=organisation_id)
    return True
