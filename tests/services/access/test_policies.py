"""Policies: inherited down the tree, newest valid row, changed with a reason, remembered for a moment."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.access import AuditEntry, Organisation
from dispatch.queue import Job
from dispatch.rules.access.roles import SYSTEM, Role, Scope
from dispatch.services.access import policies
from tests.conftest import Database
from tests.factories.access import make_actor, make_organisation
from tests.statements import statements

KEY = "orders.archive_after_days"


@pytest.fixture
def tree(session: Session) -> tuple[Organisation, Organisation, Organisation]:
    district = make_organisation(session, "district")
    community = make_organisation(session, "community", district)
    policies.seed(session, district.id, {KEY: 30, "flag": True}, clock.now(session))
    return district, community, make_organisation(session, "community", district)


Tree = tuple[Organisation, Organisation, Organisation]


def test_a_value_is_inherited_and_an_own_one_goes_before_it(session: Session, tree: Tree) -> None:
    district, community, other = tree
    now = clock.now(session)
    policies.set_policy(session, community.id, KEY, 10, reason="试点", actor=SYSTEM, now=now)
    assert policies.policy(session, district.id, KEY) == 30
    assert policies.policy(session, community.id, KEY) == 10
    assert policies.policy(session, other.id, KEY) == 30


def test_several_values_come_in_one_query(session: Session, tree: Tree) -> None:
    assert policies.policies(session, tree[1].id, [KEY, "flag"]) == {KEY: 30, "flag": True}


def test_the_newest_row_whose_time_has_come_counts(session: Session, tree: Tree) -> None:
    district, now = tree[0], clock.now(session)
    later = now + timedelta(days=1)
    policies.set_policy(session, district.id, KEY, 20, reason="调整", actor=SYSTEM, now=now)
    policies.set_policy(session, district.id, KEY, 5, reason="明天起", valid_from=later, actor=SYSTEM, now=now)
    assert policies.policy(session, district.id, KEY) == 20


def test_new_working_hours_work_out_open_limits_anew_when_they_begin(session: Session, tree: Tree) -> None:
    district, now = tree[0], clock.now(session)
    later = now + timedelta(days=1)
    key = "calendar.working_weekdays"
    policies.seed(session, district.id, {key: [1, 2, 3, 4, 5]}, now)
    values = {"reason": "六天", "valid_from": later, "actor": SYSTEM, "now": now}
    policies.set_policy(session, district.id, key, [1, 2, 3, 4, 5, 6], **values)
    jobs = select(Job.run_at).where(Job.kind == "orders.recompute_due", Job.reference == district.id)
    assert session.scalars(jobs).all() == [later]


def test_a_key_that_nobody_set_is_named(session: Session, tree: Tree) -> None:
    with pytest.raises(policies.PolicyMissing) as caught:
        policies.policy(session, tree[1].id, "nobody.knows")
    assert "nobody.knows" in caught.value.message


def test_a_change_is_audited_by_key_and_without_the_value(session: Session, tree: Tree) -> None:
    policies.set_policy(session, tree[0].id, KEY, 1, reason="试", actor=SYSTEM, now=clock.now(session))
    entry = session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
    assert entry is not None
    assert (entry.action, entry.fields, entry.organisation_id) == (
        "access.set_policy",
        {"key": KEY},
        tree[0].id,
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("nobody.knows", 1, "x"), "key"),
        ((KEY, "ten", "x"), "value"),
        ((KEY, True, "x"), "value"),
        (("flag", 1, "x"), "value"),
        ((KEY, 10, "  "), "reason"),
    ],
)
def test_a_wrong_change_names_its_field_and_changes_nothing(
    session: Session, tree: Tree, change: tuple[str, object, str], field: str
) -> None:
    key, value, reason = change
    with pytest.raises(Invalid) as caught:
        policies.set_policy(session, tree[0].id, key, value, reason=reason, actor=SYSTEM, now=clock.now(session))
    assert caught.value.field == field
    assert policies.policies(session, tree[0].id, [KEY, "flag"]) == {KEY: 30, "flag": True}


def test_a_date_in_the_past_is_refused(session: Session, tree: Tree) -> None:
    now = clock.now(session)
    with pytest.raises(Invalid, match="Invalid"):
        policies.set_policy(
            session, tree[0].id, KEY, 1, reason="x", valid_from=now - timedelta(days=1), actor=SYSTEM, now=now
        )


def test_a_community_cannot_change_its_neighbour_or_the_district(session: Session, tree: Tree) -> None:
    district, here, neighbour = tree
    scope = Scope(organisations=frozenset({here.id}), communities=frozenset({here.id}))
    actor = make_actor(Role.CENTRE, scope, here.id)
    now = clock.now(session)
    for organisation in (district, neighbour):
        with pytest.raises(NotFound):
            policies.set_policy(session, organisation.id, KEY, 1, reason="x", actor=actor, now=now)


def test_seeding_again_keeps_what_was_decided(session: Session, tree: Tree) -> None:
    district, now = tree[0], clock.now(session)
    policies.set_policy(session, district.id, KEY, 7, reason="调整", actor=SYSTEM, now=now)
    assert policies.seed(session, district.id, {KEY: 30, "new": "a"}, now) == 1
    assert policies.policies(session, district.id, [KEY, "new"]) == {KEY: 7, "new": "a"}


def test_a_second_reader_of_the_process_asks_no_database_and_a_change_is_seen_at_once(
    committed: Database,
) -> None:
    with committed.session() as session:
        district = make_organisation(session, "district")
        policies.seed(session, district.id, {KEY: 30}, clock.now(session))
        session.commit()
    with statements(committed.engine) as sent:
        for _ in range(3):
            with committed.session() as session:
                assert policies.policy(session, district.id, KEY) == 30
    assert sum("FROM policies" in statement for statement in sent) == 1
    with committed.session() as session:
        policies.set_policy(session, district.id, KEY, 5, reason="x", actor=SYSTEM, now=clock.now(session))
        assert policies.policy(session, district.id, KEY) == 5
        session.rollback()
    with committed.session() as session:
        assert policies.policy(session, district.id, KEY) == 30
        assert session.execute(text("SELECT count(*) FROM policies")).scalar_one() == 1


def test_what_a_release_adds_reaches_every_installation_that_has_begun_and_changes_nothing_else(
    session: Session, tree: Tree
) -> None:
    district, community, _ = tree
    empty = make_organisation(session, "district")
    now = clock.now(session)
    policies.set_policy(session, district.id, KEY, 10, reason="试点", actor=SYSTEM, now=now)
    added = {KEY: 30, "orders.something_new": 7}
    assert policies.complete(session, added, now) == 1
    assert policies.policies(session, community.id, added) == {KEY: 10, "orders.something_new": 7}
    assert policies.complete(session, added, now) == 0
    with pytest.raises(policies.PolicyMissing):
        policies.policy(session, empty.id, KEY)
