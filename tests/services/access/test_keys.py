"""API keys: shown once, stored as a hash, with scopes and reach; remembered for moments, revoked for good."""

import pytest
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.access import ApiKey, Organisation
from dispatch.rules.access.roles import SYSTEM, ActorKind, Right, Role, Scope
from dispatch.services.access import keys
from tests.conftest import Database
from tests.factories.access import make_actor, make_organisation
from tests.statements import statements

SCOPES = frozenset({Right.ORDERS_PLACE, Right.ORDERS_READ})


def make_key(session: Session, organisation: Organisation) -> tuple[ApiKey, str]:
    return keys.create_key(
        session,
        name="热线系统",
        organisation_id=organisation.id,
        scopes=SCOPES,
        actor=SYSTEM,
        now=clock.now(session),
    )


def test_a_key_acts_with_its_scopes_in_its_subtree(session: Session) -> None:
    district = make_organisation(session, "district")
    community = make_organisation(session, "community", district)
    key, plain = make_key(session, district)
    assert len(plain) == keys.KEY_CHARACTERS == 46
    assert plain.startswith("hq_")
    assert plain.encode() not in key.key_hash
    actor = keys.authenticate_key(session, plain)
    assert actor is not None
    assert (actor.principal, actor.rights, actor.kind) == (f"key:{key.id}", SCOPES, ActorKind.OPERATOR)
    assert actor.scope == Scope(
        organisations=frozenset({district.id, community.id}), communities=frozenset({community.id})
    )


def test_an_unknown_and_a_revoked_key_are_nobody(session: Session) -> None:
    key, plain = make_key(session, make_organisation(session, "district"))
    for other in ("", "hq_", plain[:-1], plain + "x", "\ud800"):
        assert keys.authenticate_key(session, other) is None
    assert keys.authenticate_key(session, plain) is not None
    keys.revoke_key(session, key.id, actor=SYSTEM, now=clock.now(session))
    session.flush()
    assert keys.authenticate_key(session, plain) is None


def test_nobody_gives_a_key_what_they_may_not_do_or_reach_themselves(session: Session) -> None:
    here, there = make_organisation(session, "community"), make_organisation(session, "community")
    scope = Scope(organisations=frozenset({here.id}), communities=frozenset({here.id}))
    actor = make_actor(Role.ADMIN, scope, here.id)
    now = clock.now(session)
    with pytest.raises(NotAllowed):
        keys.create_key(session, name="x", organisation_id=here.id, scopes=SCOPES, actor=actor, now=now)
    with pytest.raises(NotFound):
        keys.create_key(session, name="x", organisation_id=there.id, scopes={Right.GRID_READ}, actor=actor, now=now)
    foreign, _ = make_key(session, there)
    with pytest.raises(NotFound):
        keys.revoke_key(session, foreign.id, actor=actor, now=now)


@pytest.mark.parametrize(("name", "scopes", "field"), [(" ", SCOPES, "name"), ("x", frozenset(), "scopes")])
def test_a_key_without_name_or_scope_is_refused(
    session: Session, name: str, scopes: frozenset[Right], field: str
) -> None:
    district = make_organisation(session, "district")
    with pytest.raises(Invalid) as caught:
        keys.create_key(
            session,
            name=name,
            organisation_id=district.id,
            scopes=scopes,
            actor=SYSTEM,
            now=clock.now(session),
        )
    assert caught.value.field == field


def test_a_known_key_costs_no_query_and_a_revoked_one_is_forgotten_here_at_once(committed: Database) -> None:
    with committed.session() as session:
        key, plain = make_key(session, make_organisation(session, "district"))
        session.commit()
        key_id = key.id
    assert keys.known_key(committed.engine, plain) is None
    with committed.session() as session:
        keys.authenticate_key(session, plain)
    with statements(committed.engine) as sent:
        assert keys.known_key(committed.engine, plain) is not None
    assert sent == []
    with committed.session() as session:
        keys.revoke_key(session, key_id, actor=SYSTEM, now=clock.now(session))
        session.commit()
    assert keys.known_key(committed.engine, plain) is None
