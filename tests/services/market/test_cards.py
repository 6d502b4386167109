"""Cards: one is good at a time, only the hash of its token is kept, a lost one is dead, a signature opens nothing."""

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.market.cards import bytes_of_letters, read_card
from dispatch.rules.market.eligibility import Ground
from dispatch.services.market import applications, beneficiaries, cards
from dispatch.services.market.beneficiaries import CardLost, CardUnknown, HolderAway, NotHeldToday
from dispatch.services.market.cards import CardOver, HasCard, NewCard, NotEligible
from tests.conftest import Database
from tests.factories.aid import applied, approved, carded
from tests.factories.world import World, make_world, staff


@pytest.fixture
def world(session: Session) -> World:
    return make_world(session)


def test_the_card_opens_the_counter_and_nothing_of_it_is_kept_but_a_hash(session: Session, world: World) -> None:
    made = carded(session, world)
    token = read_card(made.qr).token
    whole = session.execute(text("SELECT string_agg(row::text, '') FROM cards AS row")).scalar_one()
    assert token not in whole
    assert made.card.token_hash.hex() in whole
    keeper, now = staff(session, world, Role.WELFARE), clock.now(session)
    for said in (made.qr, made.token, made.token.lower()):
        held = beneficiaries.scan(session, said, actor=keeper, now=now)
        assert (held.card.id, held.name, held.persons) == (made.card.id, "陈婆婆", 1)
    assert held.address is not None
    logged = session.execute(text("SELECT string_agg(row::text, '') FROM audit_entries AS row")).scalar_one()
    assert token not in logged


def test_the_qr_says_nothing_of_the_person_and_can_be_checked_with_the_public_key_alone(
    session: Session, world: World
) -> None:
    made = carded(session, world)
    today = clock.today(clock.now(session))
    assert re.fullmatch(rf"HQ1/[0-9A-Z]{{26}}/{today:%Y%m%d}/[0-9A-Z]{{103}}", made.qr)
    said, _, letters = made.qr.rpartition("/")
    signature = bytes_of_letters(letters, 64)
    assert signature is not None
    key = cards.public_key()
    point = [int.from_bytes(base64.urlsafe_b64decode(key[name] + "=")) for name in ("x", "y")]
    public = ec.EllipticCurvePublicNumbers(point[0], point[1], ec.SECP256R1()).public_key()
    der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    public.verify(der, said.encode(), ec.ECDSA(hashes.SHA256()))


def test_a_lost_card_is_dead_and_its_replacement_is_good(session: Session, world: World) -> None:
    lost = carded(session, world)
    clerk, now = staff(session, world, Role.WELFARE), clock.now(session)
    with pytest.raises(HasCard):
        cards.issue(session, lost.card.beneficiary_id, actor=clerk, now=now)
    fresh = cards.replace(session, lost.card.id, actor=clerk, now=now)
    assert (fresh.card.replaces_id, fresh.card.number) == (lost.card.id, lost.card.number + 1)
    with pytest.raises(CardLost):
        beneficiaries.scan(session, lost.qr, actor=clerk, now=now)
    assert beneficiaries.scan(session, fresh.qr, actor=clerk, now=now).card.id == fresh.card.id
    with pytest.raises(CardOver):
        cards.replace(session, lost.card.id, actor=clerk, now=now)
    with pytest.raises(IntegrityError, match="stays what it is"), session.begin_nested():
        session.execute(text("UPDATE cards SET ended_at = NULL, ended_as = NULL WHERE id = :id"), {"id": lost.card.id})


def test_a_revoked_card_opens_nothing_and_another_may_be_issued(session: Session, world: World) -> None:
    made = carded(session, world)
    clerk, now = staff(session, world, Role.WELFARE), clock.now(session)
    cards.revoke(session, made.card.id, actor=clerk, now=now)
    with pytest.raises(CardOver):
        beneficiaries.scan(session, made.qr, actor=clerk, now=now)
    assert cards.issue(session, made.card.beneficiary_id, actor=clerk, now=now).card.replaces_id is None


def test_a_card_needs_an_approval_that_holds(session: Session, world: World) -> None:
    waiting = applied(session, world)
    clerk, now = staff(session, world, Role.WELFARE), clock.now(session)
    with pytest.raises(NotEligible):
        cards.issue(session, waiting.beneficiary_id, actor=clerk, now=now)
    with pytest.raises(IntegrityError, match="no approval"), session.begin_nested():
        session.execute(
            text(
                "INSERT INTO cards (community_id, beneficiary_id, number, token_hash) "
                "VALUES (:community, :beneficiary, 999, sha256('x'))"
            ),
            {"community": waiting.community_id, "beneficiary": waiting.beneficiary_id},
        )
    held = approved(session, world)
    assert held.valid_until is not None
    later = now + timedelta(days=(held.valid_until - clock.today(now)).days + 1)
    with pytest.raises(NotEligible):
        cards.issue(session, held.beneficiary_id, actor=clerk, now=later)


def test_a_card_opens_nothing_once_the_term_is_over_ended_or_the_holder_gone(session: Session, world: World) -> None:
    clerk, now = staff(session, world, Role.WELFARE), clock.now(session)
    expired, ended, gone = (carded(session, world) for _ in range(3))
    with pytest.raises(NotHeldToday):
        beneficiaries.scan(session, expired.qr, actor=clerk, now=now + timedelta(days=400))
    approval = cards.approval_of(session, ended.card.beneficiary_id)
    assert approval is not None
    applications.end(session, approval, reason="中了彩票", actor=staff(session, world, Role.CENTRE), now=now)
    with pytest.raises(CardOver):
        beneficiaries.scan(session, ended.qr, actor=clerk, now=now)
    resident_of(session, gone).left_at = now
    session.flush()
    with pytest.raises(HolderAway):
        beneficiaries.scan(session, gone.qr, actor=clerk, now=now)


def resident_of(session: Session, made: NewCard) -> Resident:
    """Who holds a card."""
    beneficiary = cards.find_beneficiary(session, made.card.beneficiary_id, actor=SYSTEM)
    return session.get_one(Resident, beneficiary.resident_id)


def test_a_household_s_card_has_no_name_and_another_community_knows_no_card(session: Session, world: World) -> None:
    made = carded(session, world, ground=Ground.SUDDEN_HARDSHIP)
    clerk, now = staff(session, world, Role.WELFARE), clock.now(session)
    held = beneficiaries.scan(session, made.qr, actor=clerk, now=now)
    assert (held.name, held.persons) == (None, 1)
    stranger = staff(session, make_world(session), Role.WELFARE)
    with pytest.raises(CardUnknown):
        beneficiaries.scan(session, made.qr, actor=stranger, now=now)


def test_two_who_issue_at_once_make_one_card(committed: Database) -> None:
    with committed.session() as session:
        world = make_world(session)
        held = approved(session, world)
        clerk = staff(session, world, Role.WELFARE)
        session.commit()

    def issue() -> str:
        with committed.session() as session:
            try:
                cards.issue(session, held.beneficiary_id, actor=clerk, now=clock.now(session))
                session.commit()
            except HasCard:
                return "refused"
        return "issued"

    with ThreadPoolExecutor(2) as pool:
        ends = [one.result() for one in [pool.submit(issue) for _ in range(2)]]
    assert sorted(ends) == ["issued", "refused"]
