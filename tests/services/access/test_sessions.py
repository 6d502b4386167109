"""Sessions and users: idle, absolute, ended by every change; one query tells user, roles and reach."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.access import Organisation, User, UserSession
from dispatch.rules.access.roles import SYSTEM, Actor, Right, Role, Scope
from dispatch.services.access import passwords, policies, sessions, sign_in, users
from dispatch.services.access.users import LoginTaken, TwoPlaces
from tests.factories.access import make_actor, make_organisation
from tests.statements import statements

PASSWORD = "correct horse battery"
ANOTHER = "another long password"


@pytest.fixture
def community(session: Session) -> Organisation:
    return make_organisation(session, "community", make_organisation(session, "district"))


@pytest.fixture
def user(session: Session, community: Organisation) -> User:
    now = clock.now(session)
    made = users.create_user(session, login="chief1", name="周敏", password=PASSWORD, actor=SYSTEM, now=now)
    users.add_role(session, made.id, Role.AREA_CHIEF, organisation_id=community.id, area_id=4, actor=SYSTEM, now=now)
    return made


def opened(session: Session, user: User, now: datetime) -> str:
    return sessions.open_session(session, user.id, is_complete=True, now=now)


def test_an_actor_carries_roles_rights_reach_and_the_narrower_view(
    session: Session, user: User, community: Organisation
) -> None:
    now = clock.now(session)
    actor = sessions.authenticate_session(session, opened(session, user, now), now)
    assert actor is not None
    assert actor.scope == Scope(organisations=frozenset({community.id}), communities=frozenset({community.id}))
    assert actor.organisation_id == community.id
    assert actor.may(Right.ORDERS_READ)
    assert not actor.may(Right.USERS_EDIT)
    assert actor.narrowed
    assert actor.areas == {4}
    assert actor.teams == frozenset()


def test_user_roles_and_reach_come_in_one_query(session: Session, user: User, community: Organisation) -> None:
    now = clock.now(session)
    policies.seed(session, community.id, dict(zip(sessions.LIMIT_KEYS, (30, 12), strict=True)), now)
    token = opened(session, user, now)
    session.info.clear()
    sessions.authenticate_session(session, token, now)
    with statements(session) as sent:
        assert sessions.authenticate_session(session, token, now) is not None
    assert len(sent) == 1


def test_a_session_idles_out_and_use_keeps_it_alive_until_half_a_day(session: Session, user: User) -> None:
    now = clock.now(session)
    idle, used = opened(session, user, now), opened(session, user, now)
    assert sessions.authenticate_session(session, idle, now + timedelta(minutes=30)) is None
    instant = now
    while instant < now + timedelta(hours=12):
        assert sessions.authenticate_session(session, used, instant) is not None
        instant += timedelta(minutes=20)
    assert sessions.authenticate_session(session, used, instant) is None


def test_the_organisation_may_decide_on_shorter_sessions(session: Session, user: User, community: Organisation) -> None:
    now = clock.now(session)
    policies.seed(session, community.id, dict(zip(sessions.LIMIT_KEYS, (5, 1), strict=True)), now)
    token = opened(session, user, now)
    assert sessions.authenticate_session(session, token, now + timedelta(minutes=4)) is not None
    assert sessions.authenticate_session(session, token, now + timedelta(minutes=9)) is None


def test_an_unknown_token_is_nobody(session: Session, user: User) -> None:
    now = clock.now(session)
    for token in ("", "x", "\ud800", "é" * 50, opened(session, user, now)[:-1]):
        assert sessions.authenticate_session(session, token, now) is None


def test_a_user_without_a_role_is_nobody(session: Session) -> None:
    now = clock.now(session)
    made = users.create_user(session, login="nobody1", name="无", password=PASSWORD, actor=SYSTEM, now=now)
    assert sessions.authenticate_session(session, opened(session, made, now), now) is None


def change_password(session: Session, user: User, now: datetime) -> None:
    users.change_password(session, user.id, old=PASSWORD, new=ANOTHER, actor=SYSTEM, now=now)


def set_password(session: Session, user: User, now: datetime) -> None:
    users.set_password(session, user.id, ANOTHER, actor=SYSTEM, now=now)


def disable(session: Session, user: User, now: datetime) -> None:
    users.disable(session, user.id, actor=SYSTEM, now=now)


def add_role(session: Session, user: User, now: datetime) -> None:
    place = session.query(UserSession).count()
    assert place > 0
    held = sessions.find(session, opened(session, user, now))
    assert held is not None
    users.add_role(
        session,
        user.id,
        Role.DISPATCHER,
        organisation_id=held.held[0]["organisation_id"],
        actor=SYSTEM,
        now=now,
    )


@pytest.mark.parametrize("change", [change_password, set_password, disable, add_role])
def test_every_change_of_a_user_ends_all_sessions(
    session: Session, user: User, change: Callable[[Session, User, datetime], None]
) -> None:
    now = clock.now(session)
    tokens = [opened(session, user, now) for _ in range(2)]
    change(session, user, now)
    session.flush()
    assert [sessions.authenticate_session(session, token, now) for token in tokens] == [None, None]


def test_log_out_ends_this_session_only(session: Session, user: User) -> None:
    now = clock.now(session)
    here, there = opened(session, user, now), opened(session, user, now)
    actor = sessions.authenticate_session(session, here, now)
    assert actor is not None
    sessions.log_out(session, actor=actor, now=now)
    assert sessions.authenticate_session(session, here, now) is None
    assert sessions.authenticate_session(session, there, now) is not None


def test_one_s_own_change_needs_the_old_password_and_a_new_one(session: Session, user: User) -> None:
    now = clock.now(session)
    for old, new, field in (
        ("wrong", ANOTHER, "old_password"),
        (PASSWORD, PASSWORD, "password"),
        (PASSWORD, "short", "password"),
    ):
        with pytest.raises(Invalid) as caught:
            users.change_password(session, user.id, old=old, new=new, actor=SYSTEM, now=now)
        assert caught.value.field == field
    assert passwords.is_right(user.password_hash, PASSWORD)


def test_a_disabled_user_cannot_log_in(session: Session, user: User) -> None:
    now = clock.now(session)
    users.disable(session, user.id, actor=SYSTEM, now=now)
    session.flush()
    assert sign_in.log_in(session, "chief1", PASSWORD, now=now) == sign_in.REFUSED


def test_a_login_name_is_given_once_whatever_its_letters(session: Session, user: User) -> None:
    with pytest.raises(LoginTaken):
        users.create_user(
            session, login=user.login.upper(), name="二", password=PASSWORD, actor=SYSTEM, now=clock.now(session)
        )


def test_the_phone_of_a_user_is_sealed(session: Session) -> None:
    made = users.create_user(
        session,
        login="sealed1",
        name="密",
        password=PASSWORD,
        phone="17404000001",
        actor=SYSTEM,
        now=clock.now(session),
    )
    assert made.phone is not None
    assert b"17404000001" not in made.phone
    assert PASSWORD not in made.password_hash
    assert made.password_hash.startswith("$argon2id$")


def admin_of(organisation: Organisation, user_id: int | None = None) -> Actor:
    scope = Scope(organisations=frozenset({organisation.id}), communities=frozenset({organisation.id}))
    return make_actor(Role.ADMIN, scope, organisation.id, user_id)


def test_an_administrator_reaches_only_the_own_subtree_and_never_the_own_roles(
    session: Session, user: User, community: Organisation
) -> None:
    now = clock.now(session)
    elsewhere = make_organisation(session, "community")
    with pytest.raises(NotFound):
        users.add_role(session, user.id, Role.ADMIN, organisation_id=elsewhere.id, actor=admin_of(community), now=now)
    with pytest.raises(NotFound):
        users.disable(session, user.id, actor=admin_of(elsewhere), now=now)
    with pytest.raises(NotFound):
        users.set_password(session, user.id, ANOTHER, actor=admin_of(elsewhere), now=now)
    with pytest.raises(NotAllowed):
        users.add_role(
            session, user.id, Role.CENTRE, organisation_id=community.id, actor=admin_of(community, user.id), now=now
        )


def test_the_roles_of_one_account_stand_at_one_organisation(session: Session, user: User) -> None:
    elsewhere = make_organisation(session, "community")
    with pytest.raises(TwoPlaces):
        users.add_role(
            session, user.id, Role.OPERATOR, organisation_id=elsewhere.id, actor=SYSTEM, now=clock.now(session)
        )


@pytest.mark.parametrize(
    ("role", "field"), [(Role.TEAM_HEAD, "team_id"), (Role.AREA_CHIEF, "area_id"), (Role.PERFORMER, "performer_id")]
)
def test_a_narrow_role_says_for_what(
    session: Session, user: User, community: Organisation, role: Role, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        users.add_role(session, user.id, role, organisation_id=community.id, actor=SYSTEM, now=clock.now(session))
    assert caught.value.field == field
