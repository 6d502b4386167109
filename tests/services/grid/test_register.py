"""The registers: sealed, found again by name, pinyin, address and phone, within reach only; moving keeps history."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from dispatch.demo.community import make_community as make_demo
from dispatch.errors import Invalid, NotFound
from dispatch.models.grid import Residence, Resident
from dispatch.rules.access.roles import SYSTEM, Scope
from dispatch.services import grid
from dispatch.services.access import vault
from dispatch.transaction import begin
from tests.factories.grid import NOW, SmallCommunity, actor_of, make_community
from tests.statements import statements

PHONE = "+8613800005678"
IDENTITY = "331102195602290024"
TODAY = date(2026, 11, 23)


def enter(session: Session, community: SmallCommunity, *drafts: grid.ResidentDraft) -> list[int]:
    """Enter residents."""
    return grid.register_residents(session, community.id, drafts, actor=SYSTEM, now=NOW)


def with_home(session: Session, community: SmallCommunity) -> int:
    """张三 of 3幢2单元501, with phone and ID number."""
    home = grid.register_households(session, community.id, [(community.stairwells[1], "501")], actor=SYSTEM)[0]
    draft = grid.ResidentDraft(
        "张三",
        household_id=home,
        since=date(2020, 1, 1),
        phone="138 0000 5678",
        identity_number=IDENTITY,
        lives_alone=True,
        sensitive="高血压",
    )
    return enter(session, community, draft)[0]


def test_what_is_sensitive_is_sealed_and_what_an_id_number_says_is_taken_from_it(session: Session) -> None:
    community = make_community(session)
    resident = session.get_one(Resident, with_home(session, community))

    row = session.execute(text("SELECT residents::text FROM residents WHERE id = :id"), {"id": resident.id})
    plain = row.scalar_one()
    assert IDENTITY not in plain
    assert PHONE.removeprefix("+86") not in plain
    assert "高血压" not in plain
    assert (resident.sex, resident.birth_date) == ("female", date(1956, 2, 29))
    assert vault.open_sealed(f"residents.phone.{resident.uid}", resident.phone or b"") == PHONE


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (grid.ResidentDraft(" "), "name"),
        (grid.ResidentDraft("张三", phone="12"), "phone"),
        (grid.ResidentDraft("张三", identity_number="331102200102300015"), "resident_id"),
    ],
)
def test_a_wrong_field_is_named(session: Session, draft: grid.ResidentDraft, field: str) -> None:
    community = make_community(session)

    with pytest.raises(Invalid) as refused:
        enter(session, community, draft)

    assert refused.value.field == field


def test_one_id_number_is_one_resident_of_a_community(session: Session) -> None:
    community = make_community(session)
    enter(session, community, grid.ResidentDraft("张三", identity_number=IDENTITY))

    with pytest.raises(grid.AlreadyRegistered):
        enter(session, community, grid.ResidentDraft("张三丰", identity_number=IDENTITY))


def test_nobody_enters_residents_of_another_community(session: Session) -> None:
    one, other = make_community(session), make_community(session)

    with pytest.raises(NotFound):
        grid.register_residents(session, one.id, [grid.ResidentDraft("张三")], actor=actor_of(other), now=NOW)


@pytest.mark.parametrize(
    "typed", ["张", "zhangs", "zs", "13800005678", "138-0000-5678", "后庆小区3幢2单元", "后庆小区3幢2单元501"]
)
def test_a_resident_is_found_by_name_pinyin_phone_and_address_and_shown_masked(session: Session, typed: str) -> None:
    community = make_community(session)
    identity = with_home(session, community)
    enter(session, community, grid.ResidentDraft("李四"))

    page = grid.search_residents(session, typed, actor=actor_of(community))

    assert [one.id for one in page.items] == [identity]
    found = page.items[0]
    assert (found.name, found.phone, found.identity_number) == ("张*", "138****5678", "331102********0024")
    assert found.address == "大洋路128号后庆小区3幢2单元501室"


def test_a_search_never_leaves_the_reach(session: Session) -> None:
    one, other = make_community(session), make_community(session)
    with_home(session, one)

    assert grid.search_residents(session, "张", actor=actor_of(other)).items == ()
    assert grid.find_caller(session, vault.blind_index("phone", PHONE), actor=actor_of(other)) == []


def test_pages_follow_each_other_in_the_order_of_names(session: Session) -> None:
    community = make_community(session)
    names = ["张三", "李四", "王五", "赵六", "阿七"]
    enter(session, community, *[grid.ResidentDraft(name) for name in names])
    actor = actor_of(community)

    first = grid.search_residents(session, "", actor=actor, limit=3)
    second = grid.search_residents(session, "", actor=actor, limit=3, after=first.next)

    ids = [one.id for one in (*first.items, *second.items)]
    shown = [session.get_one(Resident, identity).name for identity in ids]
    assert shown == ["阿七", "李四", "王五", "张三", "赵六"]
    assert second.next is None


def test_a_caller_is_found_in_two_queries_and_the_read_is_audited(session: Session) -> None:
    community = make_community(session)
    identity = with_home(session, community)

    with statements(session) as sent:
        callers = grid.find_caller(session, vault.blind_index("phone", PHONE), actor=actor_of(community))

    assert [(one.kind, one.id, one.stairwell_id) for one in callers] == [
        ("resident", identity, community.stairwells[1])
    ]
    assert len([one for one in sent if one.startswith("SELECT")]) == 2
    audited = session.scalars(
        text("SELECT action FROM audit_entries WHERE subject = 'residents' AND subject_id = :id"),
        {"id": identity},
    ).all()
    assert audited == ["grid.find_caller"]


def test_a_shops_phone_finds_the_shop(session: Session) -> None:
    community = make_community(session)
    draft = grid.EstablishmentDraft(
        "merchant",
        "老王面馆",
        "91350100M000100Y43",
        community.areas[0],
        building_id=community.buildings[0],
        phone="0578-2123456",
    )
    grid.register_establishments(session, community.id, [draft], actor=SYSTEM)

    found = grid.find_caller(session, vault.blind_index("phone", "+865782123456"), actor=actor_of(community))

    assert [(one.kind, one.name, one.building_id) for one in found] == [
        ("establishment", "老王面馆", community.buildings[0])
    ]


def test_a_whole_number_is_shown_for_a_purpose_and_audited_with_it(session: Session) -> None:
    community = make_community(session)
    identity = with_home(session, community)
    actor = actor_of(community)

    assert grid.reveal(session, identity, "identity_number", purpose="核对补助", actor=actor) == IDENTITY
    with pytest.raises(Invalid):
        grid.reveal(session, identity, "phone", purpose=" ", actor=actor)
    with pytest.raises(NotFound):
        grid.reveal(session, identity, "phone", purpose="x", actor=actor_of(make_community(session)))
    kept = session.execute(
        text("SELECT purpose, fields FROM audit_entries WHERE action = 'grid.reveal' AND subject_id = :id"),
        {"id": identity},
    ).one()
    assert tuple(kept) == ("核对补助", {"field": "identity_number"})


def test_moving_house_keeps_the_history_and_moving_away_hides_from_lists(session: Session) -> None:
    community = make_community(session)
    identity = with_home(session, community)
    actor = actor_of(community)

    grid.move_house(
        session,
        identity,
        stairwell_id=community.stairwells[3],
        room="101",
        day=date(2026, 5, 1),
        actor=actor,
        now=NOW,
    )
    assert grid.home_stairwell(session, identity) == community.stairwells[3]
    grid.move_house(session, identity, stairwell_id=None, room=None, day=date(2026, 11, 1), actor=actor, now=NOW)

    lived = session.execute(
        select(Residence.valid_from, Residence.valid_until)
        .where(Residence.resident_id == identity)
        .order_by(Residence.valid_from)
    ).all()
    assert [tuple(one) for one in lived] == [
        (date(2020, 1, 1), date(2026, 5, 1)),
        (date(2026, 5, 1), date(2026, 11, 1)),
    ]
    assert grid.search_residents(session, "张", actor=actor).items == ()


@pytest.mark.parametrize("day", [date(2019, 1, 1), date(2026, 11, 24)])
def test_nobody_moves_before_moving_in_or_in_the_future(session: Session, day: date) -> None:
    community = make_community(session)
    identity = with_home(session, community)

    with pytest.raises(Invalid) as refused:
        grid.move_house(
            session,
            identity,
            stairwell_id=community.stairwells[3],
            room="101",
            day=day,
            actor=SYSTEM,
            now=datetime(2026, 11, 23, 4, 0, tzinfo=UTC),
        )

    assert refused.value.field == "day"


def test_the_stairwell_card_counts_people_and_names_posts(session: Session) -> None:
    community = make_community(session)
    with_home(session, community)
    posts = [
        grid.PostDraft(grid.PostKind.AREA_CHIEF, "王片长", TODAY, area_id=community.areas[0]),
        grid.PostDraft(grid.PostKind.STAIRWELL_LEADER, "李楼长", TODAY, stairwell_id=community.stairwells[1]),
        grid.PostDraft(grid.PostKind.STAIRWELL_LEADER, "别人", TODAY, stairwell_id=community.stairwells[0]),
    ]
    grid.give_posts(session, community.id, posts, actor=SYSTEM)

    card = grid.stairwell_card(session, community.stairwells[1], day=TODAY, actor=actor_of(community))

    assert (card.households, card.residents, card.living_alone) == (1, 1, 1)
    assert card.posts == {"area_chief": "王片长", "stairwell_leader": "李楼长"}
    with pytest.raises(NotFound):
        grid.stairwell_card(session, community.stairwells[1], day=TODAY, actor=actor_of(make_community(session)))


def test_a_post_has_one_holder_at_a_time_and_is_vacant_after_its_end(session: Session) -> None:
    community = make_community(session)
    kind, area = grid.PostKind.AREA_CHIEF, community.areas[0]
    first = grid.give_posts(session, community.id, [grid.PostDraft(kind, "甲", TODAY, area_id=area)], actor=SYSTEM)

    with pytest.raises(grid.PostTaken):
        grid.give_posts(session, community.id, [grid.PostDraft(kind, "乙", TODAY, area_id=area)], actor=SYSTEM)
    holder = grid.holder_of_post(session, kind, area, TODAY)
    assert holder is not None
    assert holder.holder_name == "甲"

    last = date(2026, 12, 1)
    grid.end_post(session, first[0], last, actor=SYSTEM)
    assert grid.holder_of_post(session, kind, area, last) is None
    vacant = {(one.kind, one.cell_id) for one in grid.vacant_posts(session, community.id, last)}
    assert (kind, area) in vacant
    assert (kind, area) not in {(one.kind, one.cell_id) for one in grid.vacant_posts(session, community.id, TODAY)}


def test_a_changed_grid_keeps_its_principle_in_the_audit(session: Session) -> None:
    community = make_community(session)
    grid.move_building(
        session, community.buildings[1], community.areas[1], principle=grid.Principle.KINDRED, actor=SYSTEM
    )

    kept = session.scalars(
        text("SELECT fields FROM audit_entries WHERE action = 'grid.move_building' AND subject_id = :id"),
        {"id": community.buildings[1]},
    ).all()

    assert kept == [{"rows": "1", "principle": "kindred"}]
    assert [*grid.PRINCIPLE_NAMES.values()] == ["地缘相近", "人文相联", "居住相邻", "便于管理"]
    with pytest.raises(Invalid):
        grid.move_building(
            session,
            community.buildings[1],
            make_community(session).areas[0],
            principle=grid.Principle.NEAR,
            actor=SYSTEM,
        )


def test_the_database_hides_residents_of_other_communities(session: Session) -> None:
    one, other = make_community(session), make_community(session)
    identity = with_home(session, one)
    begin(session, Scope(communities=frozenset({other.id})))

    assert session.scalars(text("SELECT id FROM residents WHERE id = :id"), {"id": identity}).all() == []


def test_the_demo_register_of_4000_people_is_entered_in_batches(session: Session) -> None:
    demo = make_demo(TODAY)
    community = make_community(session)
    places = [
        grid.StairwellDraft(community.buildings[0], f"d{number}", f"D{number}")
        for number, _ in enumerate(demo.grid.stairwells)
    ]
    drafts = [
        grid.ResidentDraft(one.name, phone=one.phone, identity_number=one.id_number) for one in demo.register.residents
    ]

    sent: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *args: sent.append(str(args[2])))
    made = grid.create_stairwells(session, community.id, places, principle=grid.Principle.NEAR, actor=SYSTEM)
    entered = enter(session, community, *drafts)

    assert len(sent) < len(drafts) / 2
    assert len(made) == 610
    assert len(entered) == len(demo.register.residents) > 4000
    assert session.get_one(Resident, entered[-1]).name == demo.register.residents[-1].name
