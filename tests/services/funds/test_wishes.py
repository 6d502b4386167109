"""Another wish only with the donor's consent: recorded by one, done by another, once, at most as much."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.funds import Account, Balance
from dispatch.rules.access.roles import SYSTEM, Actor, ActorKind, Scope
from dispatch.rules.funds.terms import Purpose
from dispatch.services import funds
from dispatch.services.access import users
from dispatch.services.funds import ConsentUsed, NewConsent, NotForThis, OwnConsent, Wish
from tests.factories.access import make_organisation
from tests.factories.funds import Treasury, give, make_treasury, spend
from tests.services.funds.conftest import Ground


@pytest.fixture
def treasury(session: Session) -> Treasury:
    """A community with its funds."""
    district = make_organisation(session, "district", name="莲都区")
    return make_treasury(session, make_organisation(session, "community", district, name="后庆社区").id)


def person(session: Session, treasury: Treasury, login: str) -> Actor:
    """A user of the community."""
    user = users.create_user(
        session, login=login, name="某", password="correct horse battery", actor=SYSTEM, now=clock.now(session)
    )
    return Actor(ActorKind.OPERATOR, user_id=user.id, scope=Scope(communities=frozenset({treasury.community_id})))


def agreed(session: Session, treasury: Treasury, amount: int = 500) -> NewConsent:
    """The overseas donor agrees that it may be spent for anything."""
    return NewConsent(
        Wish(treasury.overseas.id),
        Wish(treasury.general.id),
        amount,
        "陈桂花",
        clock.today(clock.now(session)),
        "同意书 2026-11",
    )


def test_with_consent_it_goes_where_it_could_not_be_spent_before(session: Session, treasury: Treasury) -> None:
    keeper, centre, now = person(session, treasury, "keeper1"), person(session, treasury, "centre1"), clock.now(session)
    give(session, treasury, 500, fund=treasury.overseas)
    with pytest.raises(NotForThis):
        spend(session, treasury, 500, fund=treasury.overseas, purpose=Purpose.RUNNING)
    consent = funds.record_consent(session, treasury.community_id, agreed(session, treasury), actor=keeper, now=now)
    assert funds.consent_giver(consent) == "陈桂花"
    with pytest.raises(OwnConsent):
        funds.change_earmark(session, consent.id, treasury.till.id, actor=keeper, now=now)
    with pytest.raises(Invalid, match="不能超过"):
        funds.change_earmark(session, consent.id, treasury.till.id, amount=501, actor=centre, now=now)
    funds.change_earmark(session, consent.id, treasury.till.id, actor=centre, now=now)
    with pytest.raises(ConsentUsed):
        funds.change_earmark(session, consent.id, treasury.till.id, actor=centre, now=now)
    spend(session, treasury, 500, purpose=Purpose.RUNNING)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    left = select(Balance.amount).join(Account, Account.id == Balance.account_id)
    assert set(session.scalars(left.where(Account.community_id == treasury.community_id))) == {0}


def test_a_consent_says_who_when_where_and_between_what(session: Session, treasury: Treasury) -> None:
    right, now = agreed(session, treasury), clock.now(session)
    wrong = {
        "given_by": replace(right, given_by=" "),
        "evidence": replace(right, evidence=""),
        "given_on": replace(right, given_on=right.given_on + timedelta(days=1)),
        "amount": replace(right, amount=0),
        "target": replace(right, target=right.origin),
        "origin": replace(right, origin=Wish(10**9)),
    }
    for field, one in wrong.items():
        with pytest.raises(Invalid) as refused:
            funds.record_consent(session, treasury.community_id, one, actor=SYSTEM, now=now)
        assert refused.value.field == field
    stranger = Actor(ActorKind.OPERATOR, scope=Scope(communities=frozenset({10**9})))
    with pytest.raises(NotFound):
        funds.record_consent(session, treasury.community_id, right, actor=stranger, now=now)


def test_the_database_itself_refuses_that_who_recorded_it_acts_on_it(ground: Ground) -> None:
    session, treasury = ground.session, ground.treasury
    keeper, now = person(session, treasury, "keeper2"), clock.now(session)
    consent = replace(
        agreed(session, treasury), origin=Wish(treasury.general.id), target=Wish(treasury.general.id, ground.wish)
    )
    made = funds.record_consent(session, treasury.community_id, consent, actor=keeper, now=now)
    place = ground.run("SELECT id FROM accounts WHERE earmark_id = :e AND side = 'holding'", e=ground.wish)
    owed = ground.run("SELECT id FROM accounts WHERE earmark_id = :e AND side = 'custody'", e=ground.wish)
    lines = ((ground.custody, -5), (owed, 5), (ground.till, -5), (place, 5))
    with pytest.raises(DBAPIError, match="was recorded by who acts"), session.begin_nested():
        ground.entry("earmark_change", *lines, consent_id=made.id, made_by=keeper.user_id)
    ground.run("ALTER TABLE entries DISABLE TRIGGER refuse_own_consent")
    ground.entry("earmark_change", *lines, consent_id=made.id, made_by=keeper.user_id)
