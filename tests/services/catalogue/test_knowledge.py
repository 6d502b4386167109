"""Knowledge: found as typed along the tree, kept in versions, written by one at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from threading import Barrier

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from config.seed import knowledge_items
from dispatch.errors import Invalid, NotAllowed, NotFound
from dispatch.models.access import AuditEntry
from dispatch.models.catalogue import KnowledgeItem, KnowledgeVersion
from dispatch.rules.access.roles import EVERYTHING, SYSTEM, Actor, Role, Scope
from dispatch.services import catalogue
from dispatch.transaction import transaction
from tests.factories.access import make_actor, make_organisation
from tests.factories.knowledge import BODY, make_knowledge, make_text
from tests.factories.world import World, make_world
from tests.statements import statements

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
DAY = date(2026, 11, 25)


@pytest.fixture
def world(session: Session) -> World:
    return make_world(session, firms=1)


def editor(world: World) -> Actor:
    """Somebody of the centre, who reaches the whole district."""
    ids = frozenset({world.district.id, world.community.id})
    return make_actor(
        Role.CENTRE, Scope(organisations=ids, communities=frozenset({world.community.id})), world.district.id
    )


def neighbour(world: World) -> Actor:
    """Somebody of the community alone."""
    ids = frozenset({world.community.id})
    return make_actor(Role.CENTRE, Scope(organisations=ids, communities=ids), world.community.id)


def titles(session: Session, query: str, actor: Actor, **options: str) -> list[str]:
    found = catalogue.search_knowledge(session, query, day=DAY, actor=actor, **options)  # type: ignore[arg-type]
    return [one.item.title for one in found]


@pytest.mark.parametrize("query", ["老年卡", "laonian", "lnk", "老年证", "我想给我妈办老年证要带什么"])
def test_an_item_is_found_as_it_is_typed_or_said(session: Session, world: World, query: str) -> None:
    make_knowledge(session, editor(world), NOW)
    make_knowledge(session, editor(world), NOW, code="waste", title="垃圾分类投放时间", words=())
    assert titles(session, query, editor(world)) == ["老年卡办理"]


def test_without_words_the_items_of_the_kind_are_listed_and_with_words_they_go_first(
    session: Session, world: World
) -> None:
    make_knowledge(session, editor(world), NOW, code="one", title="停水通知", words=())
    make_knowledge(session, editor(world), NOW, code="two", title="停电通知", words=(), kinds=("mediation",))
    assert titles(session, "", editor(world)) == []
    assert titles(session, " ", editor(world), kind="mediation") == ["停电通知"]
    assert titles(session, "t", editor(world), kind="mediation") == ["停电通知", "停水通知"]


def test_what_does_not_hold_today_is_not_offered(session: Session, world: World) -> None:
    make_knowledge(session, editor(world), NOW, code="past", valid_until=date(2026, 11, 24))
    make_knowledge(session, editor(world), NOW, code="coming", valid_from=date(2026, 11, 26))
    assert titles(session, "老年卡", editor(world)) == []
    with pytest.raises(catalogue.KnowledgeWithdrawn):
        catalogue.cite_knowledge(session, code="past", day=DAY, actor=editor(world))


def test_a_community_inherits_the_district_s_items_and_its_own_of_the_same_code_go_before(
    session: Session, world: World
) -> None:
    make_knowledge(session, editor(world), NOW, title="老年卡（区）")
    assert titles(session, "老年卡", neighbour(world)) == ["老年卡（区）"]
    make_knowledge(session, neighbour(world), NOW, title="老年卡（社区）")
    assert titles(session, "老年卡", neighbour(world)) == ["老年卡（社区）"]
    assert set(titles(session, "老年卡", editor(world))) == {"老年卡（区）", "老年卡（社区）"}
    assert catalogue.find_knowledge(session, "elder_card", actor=neighbour(world)).item.title == "老年卡（社区）"
    assert catalogue.find_knowledge(session, "elder_card", actor=editor(world)).item.title == "老年卡（区）"


def test_another_district_s_items_are_not_there(session: Session, world: World) -> None:
    theirs = make_knowledge(session, editor(make_world(session, firms=1)), NOW)
    assert titles(session, "老年卡", editor(world)) == []
    with pytest.raises(NotFound):
        catalogue.find_knowledge(session, "elder_card", actor=editor(world))
    with pytest.raises(NotFound):
        catalogue.revise_knowledge(session, theirs.item.id, make_text(), version=1, actor=editor(world), now=NOW)


def test_what_is_inherited_is_only_read(session: Session, world: World) -> None:
    made = make_knowledge(session, editor(world), NOW)
    with pytest.raises(NotAllowed):
        catalogue.revise_knowledge(session, made.item.id, make_text(), version=1, actor=neighbour(world), now=NOW)
    with pytest.raises(NotAllowed):
        catalogue.withdraw_knowledge(session, made.item.id, reason="旧了", version=1, actor=neighbour(world), now=NOW)


def test_a_centre_writes_for_its_district(session: Session, world: World) -> None:
    centre = make_organisation(session, "centre", world.district)
    scope = Scope(organisations=frozenset({world.district.id, centre.id}))
    made = make_knowledge(session, make_actor(Role.CENTRE, scope, centre.id), NOW)
    assert made.item.organisation_id == world.district.id
    assert titles(session, "lnk", neighbour(world)) == ["老年卡办理"]


def test_a_new_version_stands_and_the_old_one_stays_as_it_was(session: Session, world: World) -> None:
    made = make_knowledge(session, editor(world), NOW)
    new = make_text(title="老年优待证", body="现在全程网办", words=("优待证",))
    found = catalogue.revise_knowledge(session, made.item.id, new, version=1, actor=editor(world), now=NOW)
    assert (found.item.version, found.text.body) == (2, "现在全程网办")
    assert titles(session, "yhz", editor(world)) == []
    assert titles(session, "优待证", editor(world)) == ["老年优待证"]
    said = catalogue.knowledge_versions(session, made.item.id)
    assert [(one.version, one.title, one.body) for one in said] == [
        (2, "老年优待证", "现在全程网办"),
        (1, "老年卡办理", BODY),
    ]


def test_what_was_decided_on_an_older_version_is_refused(session: Session, world: World) -> None:
    made = make_knowledge(session, editor(world), NOW)
    catalogue.revise_knowledge(session, made.item.id, make_text(body="新"), version=1, actor=editor(world), now=NOW)
    with pytest.raises(catalogue.KnowledgeChanged):
        catalogue.revise_knowledge(session, made.item.id, make_text(), version=1, actor=editor(world), now=NOW)
    with pytest.raises(catalogue.KnowledgeOutdated):
        catalogue.cite_knowledge(session, code="elder_card", version=1, day=DAY, actor=editor(world))
    cited = catalogue.cite_knowledge(session, code="elder_card", version=2, day=DAY, actor=editor(world))
    assert cited.text.body == "新"


def test_a_withdrawn_item_is_not_offered_but_can_be_read_and_taken_up_again(session: Session, world: World) -> None:
    made = make_knowledge(session, editor(world), NOW)
    for _ in range(2):
        catalogue.withdraw_knowledge(session, made.item.id, reason="政策变了", version=1, actor=editor(world), now=NOW)
    assert titles(session, "lnk", editor(world)) == []
    assert [one.item.id for one in catalogue.list_knowledge(session, withdrawn=True, actor=editor(world))] == [
        made.item.id
    ]
    with pytest.raises(catalogue.KnowledgeWithdrawn):
        catalogue.cite_knowledge(session, item_id=made.item.id, day=DAY, actor=editor(world))
    catalogue.revise_knowledge(session, made.item.id, make_text(), version=1, actor=editor(world), now=NOW)
    assert titles(session, "lnk", editor(world)) == ["老年卡办理"]
    actions = session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject_id == made.item.id).order_by(AuditEntry.id)
    ).all()
    assert actions == ["catalogue.create_knowledge", "catalogue.withdraw_knowledge", "catalogue.revise_knowledge"]


@pytest.mark.parametrize(
    ("field", "code", "changes"),
    [
        ("code", "老年卡", {}),
        ("code", "", {}),
        ("kinds", "x", {"kinds": ("no_such_kind",)}),
        ("body", "x", {"body": ""}),
    ],
)
def test_what_is_wrong_is_named(
    session: Session, world: World, field: str, code: str, changes: dict[str, object]
) -> None:
    with pytest.raises(Invalid) as caught:
        make_knowledge(session, editor(world), NOW, code=code, **changes)
    assert caught.value.field == field


def test_a_code_is_taken_once(session: Session, world: World) -> None:
    make_knowledge(session, editor(world), NOW)
    with pytest.raises(catalogue.KnowledgeKnown):
        make_knowledge(session, editor(world), NOW)


def test_the_database_keeps_versions_whole(session: Session, world: World) -> None:
    made = make_knowledge(session, editor(world), NOW)
    for statement in (
        "UPDATE knowledge_versions SET body = 'x' WHERE item_id = :id",
        "DELETE FROM knowledge_versions WHERE item_id = :id",
        "DELETE FROM knowledge_items WHERE id = :id",
    ):
        with pytest.raises(ProgrammingError), session.begin_nested():
            session.execute(text(statement), {"id": made.item.id})
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text("UPDATE knowledge_items SET version = 2 WHERE id = :id"), {"id": made.item.id})
    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(
            KnowledgeVersion(
                item_id=made.item.id, version=3, title="x", body="x", source="x", valid_from=DAY, published_at=NOW
            )
        )


@pytest.mark.usefixtures("committed")
def test_of_two_editors_at_once_one_is_told_to_read_again() -> None:
    with transaction(EVERYTHING) as session:
        world = make_world(session, firms=1)
        made = make_knowledge(session, editor(world), NOW)
    barrier = Barrier(2)

    def edit(body: str) -> object:
        barrier.wait()
        try:
            with transaction(EVERYTHING) as session:
                text = make_text(body=body)
                return catalogue.revise_knowledge(
                    session, made.item.id, text, version=1, actor=editor(world), now=NOW
                ).text.body
        except catalogue.KnowledgeChanged as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(edit, ("甲的改法", "乙的改法")))
    won = [answer for answer in answers if isinstance(answer, str)]
    assert len(won) == 1
    with transaction(EVERYTHING) as session:
        assert catalogue.find_knowledge(session, "elder_card", actor=editor(world)).text.body == won[0]
        assert session.scalars(select(func.count()).select_from(KnowledgeVersion)).one() == 2


def test_a_keystroke_asks_the_database_as_often_for_many_items_as_for_one(session: Session, world: World) -> None:
    asking = editor(world)
    make_knowledge(session, asking, NOW)
    titles(session, "lnk", asking)
    with statements(session) as few:
        titles(session, "lnk", asking)
    for number in range(20):
        make_knowledge(session, asking, NOW, code=f"card{number}", title=f"老年卡{number}")
    titles(session, "lnk", asking)
    with statements(session) as many:
        assert len(titles(session, "lnk", asking)) == 8
    assert len(few) == len(many) <= 3


def test_the_seed_is_entered_once_and_what_was_changed_stays(session: Session) -> None:
    district = make_organisation(session, "district").id
    catalogue.seed_catalogue(session, district, actor=SYSTEM)
    assert catalogue.seed_knowledge(session, district, actor=SYSTEM, now=NOW) == len(knowledge_items())
    item = session.scalars(select(KnowledgeItem).where(KnowledgeItem.code == "elder_card")).one()
    new = make_text(kinds=("elder_care",))
    catalogue.revise_knowledge(session, item.id, new, version=1, actor=SYSTEM, now=NOW)
    assert catalogue.seed_knowledge(session, district, actor=SYSTEM, now=NOW) == 0
    assert catalogue.find_knowledge_by_id(session, item.id, actor=SYSTEM).text.body == BODY


def test_every_example_says_that_it_is_one_and_is_found_by_its_title() -> None:
    assert len(knowledge_items()) >= 40
    for one in knowledge_items():
        assert "示例" in one.source, one.code
        assert one.words, one.code
