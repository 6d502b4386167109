"""Donors and campaigns: entered once, named by consent, versions and agreements that are never edited."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.access import AuditEntry
from dispatch.models.market import Agreement, Appeal
from dispatch.rules.access.roles import SYSTEM, Role, Scope
from dispatch.rules.market.campaigns import AgreementPurpose, Medium, PartnerKind
from dispatch.services import market
from dispatch.services.market import AgreementDraft, AlreadyAgreed, DonorDraft, PartnerDraft, PartnerKnown
from dispatch.services.market.campaigns import AppealRevised
from tests.factories.giving import make_agreement
from tests.factories.world import World, make_world, staff

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 25)
ONE = timedelta(days=1)
CHEN = DonorDraft("陈桂花", phone="13800005678")


@pytest.fixture
def world(session: Session) -> World:
    return make_world(session)


def test_a_donor_of_the_same_name_and_number_is_one(session: Session, world: World) -> None:
    first = market.add_donor(session, world.community.id, CHEN, actor=SYSTEM, now=NOW)
    again = market.add_donor(session, world.community.id, CHEN, actor=SYSTEM, now=NOW)
    other = market.add_donor(session, world.community.id, replace(CHEN, name="陈桂香"), actor=SYSTEM, now=NOW)
    assert first.id == again.id != other.id
    assert market.masked_phone_of_donor(first) == "138****5678"
    assert market.donor_phone(session, first, actor=SYSTEM) == "+8613800005678"


@pytest.mark.parametrize(
    ("draft", "field"),
    [(DonorDraft(" "), "name"), (DonorDraft("某", kind="ghost"), "kind"), (DonorDraft("某", phone="12"), "phone")],
)
def test_a_donor_that_says_too_little_is_refused(session: Session, world: World, draft: DonorDraft, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        market.add_donor(session, world.community.id, draft, actor=SYSTEM, now=NOW)
    assert refused.value.field == field


def test_donors_are_found_by_a_part_of_the_name_or_the_whole_number(session: Session, world: World) -> None:
    donor = market.add_donor(session, world.community.id, CHEN, actor=SYSTEM, now=NOW)
    market.add_donor(session, world.community.id, DonorDraft("100%公司", kind="body"), actor=SYSTEM, now=NOW)
    actor = staff(session, world, Role.CENTRE)
    for query, found in (("桂花", 1), ("138 0000 5678", 1), ("1380000", 0), ("%", 1), ("", 2)):
        assert len(market.list_donors(session, query=query, actor=actor)) == found, query
    stranger = replace(actor, scope=Scope())
    assert market.list_donors(session, actor=stranger) == []
    with pytest.raises(NotFound):
        market.find_donor(session, donor.id, actor=stranger)


def test_naming_is_by_consent_and_audited(session: Session, world: World) -> None:
    donor = market.add_donor(session, world.community.id, CHEN, actor=SYSTEM, now=NOW)
    assert not donor.is_named
    market.set_named(session, donor.id, is_named=True, actor=SYSTEM)
    market.set_named(session, donor.id, is_named=False, actor=SYSTEM)
    actions = session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject == "donors").order_by(AuditEntry.id)
    ).all()
    assert actions == ["market.add_donor", "market.name_donor", "market.unname_donor"]


def test_a_partner_and_the_number_of_an_agreement_are_there_once(session: Session, world: World) -> None:
    agreement = make_agreement(session, world, signed_on=TODAY, now=NOW)
    draft = PartnerDraft(PartnerKind.CHARITY, "慈善总会2026-1", phone="0578-2123456")
    with pytest.raises(PartnerKnown):
        market.add_partner(session, world.community.id, draft, actor=SYSTEM, now=NOW)
    same = AgreementDraft(AgreementPurpose.SALE, number=agreement.number, words="又一份", signed_on=TODAY)
    with pytest.raises(AlreadyAgreed):
        market.sign_agreement(session, agreement.partner_id, same, actor=SYSTEM, now=NOW)
    found = market.agreements_of(session, [agreement.partner_id])
    assert [one.id for one in found[agreement.partner_id]] == [agreement.id]
    other = market.add_partner(session, world.community.id, replace(draft, name="红十字会"), actor=SYSTEM, now=NOW)
    assert other.phone is not None
    assert [one.name for one in market.list_partners(session, actor=staff(session, world, Role.CENTRE))] == [
        "慈善总会2026-1",
        "红十字会",
    ]


def test_an_appeal_grows_by_versions_and_nobody_writes_over_another(session: Session, world: World) -> None:
    said = {"title": "捐一件衣", "words": "天冷了。", "actor": SYSTEM, "now": NOW}
    first = market.write_appeal(session, world.community.id, **said)  # type: ignore[arg-type]
    second = market.write_appeal(session, world.community.id, after=1, **said)  # type: ignore[arg-type]
    assert (first.version, second.version) == (1, 2)
    with pytest.raises(AppealRevised):
        market.write_appeal(session, world.community.id, after=1, **said)  # type: ignore[arg-type]
    for copies in (30, 12):
        market.note_prints(
            session, second.id, copies=copies, given_where="老年协会", given_on=TODAY, actor=SYSTEM, now=NOW
        )
    listed = market.list_appeals(session, actor=staff(session, world, Role.CENTRE))
    assert [(appeal.version, copies) for appeal, copies in listed] == [(2, 42), (1, 0)]
    assert [one.copies for one in market.prints_of(session, second.id)] == [12, 30]


def test_prints_before_the_version_was_written_are_refused(session: Session, world: World) -> None:
    appeal = market.write_appeal(session, world.community.id, title="捐一件衣", words="天冷了。", actor=SYSTEM, now=NOW)
    with pytest.raises(Invalid) as refused:
        market.note_prints(
            session, appeal.id, copies=1, given_where="桥头", given_on=TODAY - ONE, actor=SYSTEM, now=NOW
        )
    assert refused.value.field == "given_on"


@pytest.mark.parametrize("table", ["appeals", "agreements"])
def test_what_is_written_once_is_not_rewritten_by_the_application(session: Session, world: World, table: str) -> None:
    make_agreement(session, world, signed_on=TODAY, now=NOW)
    market.write_appeal(session, world.community.id, title="捐一件衣", words="天冷了。", actor=SYSTEM, now=NOW)
    assert session.scalars(select(Appeal if table == "appeals" else Agreement)).all()
    for statement in (f"UPDATE {table} SET words = 'x'", f"DELETE FROM {table}"):  # noqa: S608 - words of this file
        with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(text(statement))


def test_who_is_shown_has_consented_and_sessions_hold_no_name(session: Session, world: World) -> None:
    said = {"medium": Medium.NEWSPAPER, "outlet": "处州晚报", "title": "爱心义卖", "published_on": TODAY}
    with pytest.raises(Invalid) as refused:
        market.note_media(session, world.community.id, **said, shows_people=True, actor=SYSTEM, now=NOW)  # type: ignore[arg-type]
    assert refused.value.field == "consent"
    market.note_media(
        session,
        world.community.id,
        **said,  # type: ignore[arg-type]
        shows_people=True,
        consent="电话征得本人同意",
        actor=SYSTEM,
        now=NOW,
    )
    market.note_chat(
        session, world.community.id, held_on=TODAY, topic="拉家常", present=8, referred=1, actor=SYSTEM, now=NOW
    )
    actor = staff(session, world, Role.CENTRE)
    assert [one.outlet for one in market.list_media(session, actor=actor)] == ["处州晚报"]
    (chat,) = market.list_chats(session, actor=actor)
    assert (chat.present, chat.referred) == (8, 1)
