"""Who sees what of a confidential order: the rule by example and by property."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.access.roles import CLOCK, RIGHTS, ROUTER, SYSTEM, Actor, ActorKind, Right, Role
from dispatch.rules.orders.confidential import (
    DETAILS,
    Detail,
    Sight,
    is_open_to,
    may_conceal,
    may_reveal,
    sees,
    sight_of,
)

TOOK_THE_CALL = 7
HOLDS_IT = 9
READERS = {Role.DISPATCHER, Role.CENTRE, Role.CALLBACK_CLERK}


@dataclass(frozen=True, slots=True)
class Stub:
    """An order as far as the rule looks."""

    confidential: bool
    created_by: int | None = TOOK_THE_CALL
    performer_id: int | None = HOLDS_IT


SECRET = Stub(confidential=True)


def person(role: Role, user_id: int = 1) -> Actor:
    return Actor(kind=ActorKind.OPERATOR, user_id=user_id, roles=frozenset({role}), rights=RIGHTS[role])


@pytest.mark.parametrize("role", list(Role))
def test_by_role_only_who_dispatches_calls_back_or_leads_the_centre_reads_it(role: Role) -> None:
    assert sight_of(SECRET, person(role)) is (Sight.FULL if role in READERS else Sight.SHELL)


@pytest.mark.parametrize("role", list(Role))
def test_whoever_took_the_call_reads_it(role: Role) -> None:
    assert is_open_to(SECRET, person(role, TOOK_THE_CALL))


def test_the_performer_who_holds_it_sees_the_way_there_and_nothing_of_the_matter() -> None:
    holder = Actor(kind=ActorKind.PERFORMER, performer_id=HOLDS_IT)
    assert {detail for detail in Detail if sees(detail, SECRET, holder)} == {Detail.PLACE, Detail.PHONE}
    other = Actor(kind=ActorKind.PERFORMER, performer_id=HOLDS_IT + 1)
    assert not any(sees(detail, SECRET, other) for detail in Detail)
    nobody_yet = Stub(confidential=True, performer_id=None)
    assert sight_of(nobody_yet, Actor(kind=ActorKind.OPERATOR, user_id=1)) is Sight.SHELL


@pytest.mark.parametrize(
    "actor", [SYSTEM, ROUTER, CLOCK, Actor(ActorKind.OPERATOR, api_key_id=3, rights=frozenset(Right))]
)
def test_what_is_no_person_never_reads_it(actor: Actor) -> None:
    assert sight_of(SECRET, actor) is Sight.SHELL
    assert sight_of(Stub(confidential=True, created_by=None, performer_id=None), actor) is Sight.SHELL


actors = st.builds(
    Actor,
    kind=st.sampled_from(ActorKind),
    user_id=st.none() | st.integers(1, 9),
    api_key_id=st.none() | st.integers(1, 9),
    performer_id=st.none() | st.integers(1, 9),
    rights=st.frozensets(st.sampled_from(Right)),
)
orders = st.builds(Stub, st.booleans(), st.none() | st.integers(1, 9), st.none() | st.integers(1, 9))


@given(orders, actors)
def test_a_right_never_takes_sight_away_and_the_full_sight_has_every_detail(order: Stub, actor: Actor) -> None:
    seen = sight_of(order, actor)
    assert DETAILS[Sight.SHELL] < DETAILS[Sight.VISIT] < DETAILS[Sight.FULL]
    assert is_open_to(order, actor) == all(sees(detail, order, actor) for detail in Detail)
    if not order.confidential:
        assert seen is Sight.FULL
    richer = Actor(kind=actor.kind, user_id=actor.user_id, performer_id=actor.performer_id, rights=frozenset(Right))
    assert DETAILS[seen] <= DETAILS[sight_of(order, richer)]


@given(orders, actors)
def test_a_confidential_order_is_closed_to_whoever_neither_took_it_nor_holds_right_or_order(
    order: Stub, actor: Actor
) -> None:
    has_right = Right.ORDERS_CONFIDENTIAL in actor.rights
    took_it = actor.user_id is not None and order.created_by == actor.user_id
    holds_it = actor.performer_id is not None and order.performer_id == actor.performer_id
    if order.confidential and not (has_right or took_it or holds_it):
        assert sight_of(order, actor) is Sight.SHELL


def capacity(kind: ActorKind, user_id: int | None = 1, rights: frozenset[Right] = frozenset(Right)) -> Actor:
    return Actor(kind=kind, user_id=user_id, rights=rights)


@pytest.mark.parametrize("kind", list(ActorKind))
def test_the_desk_s_heads_and_whoever_took_the_call_may_make_it_confidential(kind: ActorKind) -> None:
    assert may_conceal(Stub(confidential=False), capacity(kind)) == (kind in {ActorKind.DISPATCHER, ActorKind.CENTRE})
    assert may_conceal(Stub(confidential=False), capacity(kind, TOOK_THE_CALL))
    assert not may_conceal(Stub(confidential=False, created_by=None), capacity(ActorKind.OPERATOR, None))


@given(actors, st.none() | st.integers(1, 9))
def test_only_a_person_of_the_centre_who_did_not_make_it_confidential_lifts_it(
    actor: Actor, concealed_by: int | None
) -> None:
    if may_reveal(actor, concealed_by):
        assert actor.user_id is not None
        assert actor.kind is ActorKind.CENTRE
        assert actor.user_id != concealed_by
        assert is_open_to(SECRET, actor)
    assert not may_reveal(actor, actor.user_id)


def test_another_of_the_centre_lifts_what_one_made_or_a_machine_did() -> None:
    assert may_reveal(capacity(ActorKind.CENTRE), 2)
    assert may_reveal(capacity(ActorKind.CENTRE), None)
    assert not may_reveal(capacity(ActorKind.CENTRE), 1)
    assert not may_reveal(capacity(ActorKind.DISPATCHER), 2)
    assert not may_reveal(capacity(ActorKind.CENTRE, None), 2)
