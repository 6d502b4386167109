"""Roles and rights: who may what, who is narrowed, and under which name somebody acts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.access.capacity import ACTOR_KIND_OF_ROLE, kind_of, kind_of_key
from dispatch.rules.access.roles import (
    NARROW_ROLES,
    RIGHTS,
    SYSTEM,
    TOTP_RIGHTS,
    TOTP_ROLES,
    Actor,
    ActorKind,
    Right,
    Role,
    Scope,
    is_narrowed,
    rights_of,
)

ROLES = st.frozensets(st.sampled_from(Role))


def test_every_role_has_rights_and_a_capacity() -> None:
    assert set(RIGHTS) == set(Role) == set(ACTOR_KIND_OF_ROLE)


@given(ROLES, ROLES)
def test_one_more_role_never_takes_a_right_away(held: frozenset[Role], more: frozenset[Role]) -> None:
    assert rights_of(held) <= rights_of(held | more)


@given(ROLES)
def test_only_holders_of_nothing_but_narrow_roles_are_narrowed(held: frozenset[Role]) -> None:
    assert is_narrowed(held) == (bool(held) and not held - NARROW_ROLES)


def test_who_edits_users_sees_no_orders_and_no_callers() -> None:
    assert not RIGHTS[Role.ADMIN] & {Right.ORDERS_READ, Right.CALLERS_READ, Right.RESIDENTS_REVEAL}


def test_who_opens_notes_of_counselling_reads_everything_or_edits_users_owes_a_second_factor() -> None:
    """By the right, in whatever role it is held: one who is given such a right owes the factor with it."""
    dangerous = {Right.USERS_EDIT, Right.RESIDENTS_REVEAL, Right.COUNSELLING_COUNSEL, Right.COUNSELLING_HOLD}
    assert dangerous == TOTP_RIGHTS
    for right in dangerous:
        holders = {role for role in Role if right in RIGHTS[role]}
        assert holders
        assert holders <= TOTP_ROLES
    assert {Role.CENTRE, Role.ADMIN, Role.COUNSELLOR, Role.WELFARE} == TOTP_ROLES


def test_who_calls_back_neither_dispatches_nor_works() -> None:
    assert not RIGHTS[Role.CALLBACK_CLERK] & {Right.ORDERS_WORK, Right.ORDERS_DISPATCH, Right.ORDERS_PLACE}


@given(ROLES.filter(bool))
def test_the_capacity_is_that_of_one_of_the_roles(held: frozenset[Role]) -> None:
    assert kind_of(held) in {ACTOR_KIND_OF_ROLE[role] for role in held}


@pytest.mark.parametrize(
    ("rights", "kind"),
    [
        ({Right.ORDERS_SUPERVISE, Right.ORDERS_DISPATCH}, ActorKind.CENTRE),
        ({Right.ORDERS_DISPATCH, Right.ORDERS_PLACE}, ActorKind.DISPATCHER),
        ({Right.ORDERS_PLACE, Right.ORDERS_WORK}, ActorKind.OPERATOR),
        ({Right.ORDERS_CALL_BACK}, ActorKind.CALLBACK_CLERK),
        ({Right.ORDERS_WORK}, ActorKind.TEAM),
        ({Right.REPORTS_READ}, ActorKind.OPERATOR),
    ],
)
def test_a_key_acts_as_its_highest_scope_says(rights: set[Right], kind: ActorKind) -> None:
    assert kind_of_key(rights) is kind


def test_each_kind_of_actor_has_its_own_name_for_keys_and_limits() -> None:
    assert Actor(ActorKind.OPERATOR, user_id=7).principal == "user:7"
    assert Actor(ActorKind.OPERATOR, api_key_id=7).principal == "key:7"
    assert Actor(ActorKind.PERFORMER, performer_id=7).principal == "performer:7"
    assert SYSTEM.principal == "system"


def test_a_scope_is_written_for_the_database_s_fences() -> None:
    assert Scope(everything=True).setting(frozenset({1})) == "*"
    assert Scope().setting(frozenset({3, 1})) == "1,3"
    assert Scope().setting(frozenset()) == ""
