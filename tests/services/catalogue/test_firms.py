"""Firms: application, admission by a second person with papers, standing, history, price lists."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.catalogue import Performer
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.catalogue.firms import FirmAction, NotPossibleNow, PapersMissing, SecondPersonNeeded, Standing
from dispatch.rules.catalogue.prices import PriceLine
from dispatch.rules.grid.identity import organisation_code_check_character, unified_code_check_character
from dispatch.services import catalogue
from dispatch.services.access import vault
from tests.factories.world import ALWAYS_ON_SHIFT, NUMBERS, World, make_world, staff
from tests.statements import statements

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
LIST = [PriceLine("室内疏通", "次", 6_000, 15_000), PriceLine("楼道主管", "米", 2_000, 4_000)]


def a_uscc() -> str:
    """A code of credit that nobody has yet."""
    body = f"{next(NUMBERS):08}"
    first = f"91331102{body}{organisation_code_check_character(body)}"
    return first + unified_code_check_character(first)


def paper(kind: str, until: date = date(2028, 1, 1)) -> catalogue.NewPaper:
    """A paper from 2020 on."""
    return catalogue.NewPaper(kind=kind, number=str(next(NUMBERS)), valid_from=date(2020, 1, 1), valid_until=until)


def application(world: World, *papers: catalogue.NewPaper) -> catalogue.NewPerformer:
    """What a firm for drains applies with."""
    return catalogue.NewPerformer(
        uid=uuid4(),
        organisation_id=world.district.id,
        community_id=None,
        kind="firm",
        code=f"N{next(NUMBERS)}",
        name="新来疏通",
        uscc=a_uscc(),
        team_id=None,
        user_id=None,
        phone="17400000009",
        email=None,
        webhook_url=None,
        webhook_secret=None,
        channel="email",
        latitude=28.455,
        longitude=119.915,
        capacity=3,
        shifts=ALWAYS_ON_SHIFT,
        satisfaction_permille=900,
        service_codes=(world.plumbing.code,),
        areas=None,
        papers=papers,
    )


def applied(session: Session, world: World, *papers: catalogue.NewPaper, clerk: Actor) -> Performer:
    """A firm whose application was entered."""
    return catalogue.apply(
        session, world.community.id, application(world, *papers), contact="陈师傅", actor=clerk, now=NOW
    )


def admit(session: Session, firm: Performer, actor: Actor) -> Performer:
    """Decide to admit it."""
    return catalogue.decide_firm(session, firm.id, FirmAction.ADMIT, reason="材料齐全", actor=actor, now=NOW)


@pytest.fixture
def world(session: Session) -> World:
    """A world in which drains need two papers."""
    made = make_world(session, firms=1)
    made.plumbing.papers = ["营业执照", "电工证"]
    session.flush()
    return made


def test_a_firm_applies_is_admitted_by_a_second_person_and_each_step_is_kept(session: Session, world: World) -> None:
    clerk, centre = staff(session, world, Role.CENTRE), staff(session, world, Role.CENTRE)
    firm = applied(session, world, paper("营业执照"), paper("电工证"), clerk=clerk)
    assert (firm.admission, firm.is_active) == ("applied", False)
    assert firm.contact is not None
    assert vault.open_sealed(f"performers.contact.{firm.uid}", firm.contact) == "陈师傅"
    assert firm.id not in {one.id for one in catalogue.list_performers(session, actor=centre)}

    with pytest.raises(SecondPersonNeeded):
        admit(session, firm, clerk)
    admit(session, firm, centre)

    assert (firm.admission, firm.is_active) == ("admitted", True)
    history = catalogue.firm_decisions(session, firm.id)
    assert [(one.action, one.decided_by) for one in history] == [("admit", centre.user_id), ("apply", clerk.user_id)]
    with pytest.raises(NotPossibleNow):
        admit(session, firm, centre)


@pytest.mark.parametrize("until", [None, date(2026, 11, 22)])
def test_without_each_valid_paper_that_its_kinds_need_nobody_is_admitted(
    session: Session, world: World, until: date | None
) -> None:
    clerk, centre = staff(session, world, Role.CENTRE), staff(session, world, Role.CENTRE)
    papers = [paper("营业执照")] + ([] if until is None else [paper("电工证", until)])
    firm = applied(session, world, *papers, clerk=clerk)
    with pytest.raises(PapersMissing):
        admit(session, firm, centre)
    catalogue.add_paper(session, firm.id, paper("电工证"), actor=clerk)
    assert admit(session, firm, centre).is_active


def test_the_database_refuses_an_admission_by_whoever_entered_it_and_one_without_papers(
    session: Session, world: World
) -> None:
    clerk, centre = staff(session, world, Role.CENTRE), staff(session, world, Role.CENTRE)
    with_papers = applied(session, world, paper("营业执照"), clerk=clerk)
    without = applied(session, world, clerk=clerk)
    insert = text(
        "INSERT INTO firm_decisions (performer_id, action, reason, decided_by, decided_at) "
        "VALUES (:firm, 'admit', 'x', :user, :now)"
    )
    for firm, actor, words in ((with_papers, clerk, "second person"), (without, centre, "no valid paper")):
        with pytest.raises(IntegrityError, match=words), session.begin_nested():
            session.execute(insert, {"firm": firm.id, "user": actor.user_id, "now": NOW})
    with pytest.raises(IntegrityError, match="in_use"), session.begin_nested():
        session.execute(text("UPDATE performers SET is_active = true WHERE id = :id"), {"id": without.id})
    with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
        session.execute(text("UPDATE firm_decisions SET reason = 'y'"))


def test_a_code_of_credit_is_checked_and_applies_once(session: Session, world: World) -> None:
    clerk = staff(session, world, Role.CENTRE)
    first = application(world)
    with pytest.raises(Invalid) as wrong:
        catalogue.apply(
            session, world.community.id, replace(first, uscc="91331102X"), contact=None, actor=clerk, now=NOW
        )
    assert wrong.value.field == "uscc"
    catalogue.apply(session, world.community.id, first, contact=None, actor=clerk, now=NOW)
    again = replace(application(world), uscc=first.uscc)
    with pytest.raises(catalogue.FirmKnown):
        catalogue.apply(session, world.community.id, again, contact=None, actor=clerk, now=NOW)


def test_a_suspension_ends_by_itself_or_by_hand_and_the_list_says_so(session: Session, world: World) -> None:
    centre = staff(session, world, Role.CENTRE)
    firm = world.firms[0]
    until = NOW + timedelta(days=3)
    catalogue.suspend(session, firm.id, until, reason="两次爽约", actor=centre, now=NOW)

    def standing(now: datetime) -> Standing:
        (row,) = catalogue.list_firms(session, actor=centre, now=now)
        return row.standing

    assert standing(NOW) is Standing.SUSPENDED
    assert standing(until) is Standing.ADMITTED
    assert catalogue.list_firms(session, standing=Standing.ADMITTED, actor=centre, now=NOW) == []
    catalogue.end_suspension(session, firm.id, reason="已整改", actor=centre, now=NOW)
    assert standing(NOW) is Standing.ADMITTED


def test_a_paper_given_up_bars_no_more_and_one_that_is_needed_is_missing(session: Session, world: World) -> None:
    centre = staff(session, world, Role.CENTRE)
    firm = world.firms[0]
    world.plumbing.papers = []
    catalogue.add_paper(session, firm.id, paper("健康证", date(2021, 1, 1)), actor=centre)
    day = (TODAY, TODAY)
    assert not catalogue.papers_hold(session, firm, world.plumbing, day)
    old = next(one for one in catalogue.papers_of_firm(session, firm.id) if one.kind == "健康证")
    catalogue.give_up_paper(session, firm.id, old.id, reason="不再做护理", actor=centre, now=NOW)
    assert catalogue.papers_hold(session, firm, world.plumbing, day)
    with pytest.raises(catalogue.PaperGone):
        catalogue.give_up_paper(session, firm.id, old.id, reason="再来", actor=centre, now=NOW)


def test_the_list_finds_by_words_within_reach_and_asks_no_more_for_more_firms(session: Session, world: World) -> None:
    centre = staff(session, world, Role.CENTRE)
    stranger = staff(session, make_world(session, firms=1), Role.CENTRE)
    with statements(session) as few:
        catalogue.list_firms(session, actor=centre, now=NOW)
    for _ in range(6):
        applied(session, world, clerk=centre)
    with statements(session) as many:
        rows = catalogue.list_firms(session, query="新来", actor=centre, now=NOW)
    assert (len(rows), len(many)) == (6, len(few))
    assert rows[0].missing() == ["电工证", "营业执照"]
    with pytest.raises(NotFound):
        catalogue.find_firm(session, rows[0].firm.code, actor=stranger)


def test_price_lists_are_kept_in_versions_and_hold_from_their_day(session: Session, world: World) -> None:
    centre = staff(session, world, Role.CENTRE)
    firm, kind = world.firms[0], world.plumbing
    first = catalogue.set_prices(session, firm.id, kind.id, LIST, valid_from=TODAY, version=0, actor=centre, now=NOW)
    dearer = [PriceLine("室内疏通", "次", 8_000, 20_000)]
    tomorrow = TODAY + timedelta(days=1)
    catalogue.set_prices(session, firm.id, kind.id, dearer, valid_from=tomorrow, version=1, actor=centre, now=NOW)

    assert first.version == 1
    assert catalogue.prices_on(session, [firm.id], kind.id, TODAY) == {firm.id: tuple(LIST)}
    assert catalogue.prices_on(session, [firm.id], kind.id, tomorrow) == {firm.id: tuple(dearer)}
    assert catalogue.prices_on(session, [firm.id], kind.id, TODAY - timedelta(days=1)) == {}
    with pytest.raises(catalogue.PricesChanged):
        catalogue.set_prices(session, firm.id, kind.id, LIST, valid_from=TODAY, version=1, actor=centre, now=NOW)
    with pytest.raises(Invalid):
        catalogue.set_prices(session, firm.id, kind.id, [], valid_from=TODAY, actor=centre, now=NOW)
    assert session.scalars(select(Performer.id).where(Performer.id == firm.id)).one()
