"""The audit trail: written with the change, sealed in commit order, and one changed byte is found."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import AuditEntry, AuditSeal
from dispatch.rules.access.roles import EVERYTHING, SYSTEM, Role, Scope
from dispatch.services.access import audit, vault
from dispatch.transaction import begin
from tests.conftest import Database
from tests.factories.access import make_actor, make_organisation


def write(session: Session, count: int = 3) -> None:
    for number in range(count):
        audit.record(session, "orders.place", "orders", number, actor=SYSTEM, fields={"phone": "ab12"})
    session.commit()


def seal(session: Session) -> int:
    sealed = audit.seal(session, now=clock.now(session))
    session.commit()
    return sealed


def damage(database: Database, statement: str) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_an_entry_says_who_did_what_and_holds_no_value(session: Session) -> None:
    centre = make_organisation(session, "centre")
    actor = make_actor(Role.CENTRE, EVERYTHING, centre.id)
    fields = {"phone": vault.digest("phone", "17400000000")}
    audit.record(session, "residents.reveal", "residents", 7, actor=actor, fields=fields, purpose="回访")
    entry = session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
    assert entry is not None
    assert (entry.action, entry.subject, entry.subject_id) == ("residents.reveal", "residents", 7)
    assert entry.organisation_id == centre.id
    assert entry.fields == fields
    assert "17400000000" not in str(entry.fields)


def test_somebody_of_one_community_can_write_and_read_entries_of_it_only(session: Session) -> None:
    here, there = make_organisation(session, "community"), make_organisation(session, "community")
    audit.record(session, "orders.place", "orders", 1, actor=SYSTEM, community_id=there.id)
    scope = Scope(organisations=frozenset({here.id}), communities=frozenset({here.id}))
    actor = make_actor(Role.AREA_CHIEF, scope, here.id)
    begin(session, scope)
    audit.record(session, "orders.sign", "orders", 2, actor=actor, community_id=here.id)
    audit.record(session, "access.log_in", "users", 3, actor=actor)
    assert [entry.subject_id for entry in session.query(AuditEntry).order_by(AuditEntry.id)] == [2, 3]
    with pytest.raises(ProgrammingError, match="row-level security"):
        audit.record(session, "orders.sign", "orders", 2, actor=actor, community_id=there.id)


def test_the_application_cannot_rewrite_or_remove_an_entry(session: Session) -> None:
    audit.record(session, "orders.place", "orders", 1, actor=SYSTEM)
    for statement in (
        "DELETE FROM audit_entries",
        "UPDATE audit_entries SET action = 'x'",
        "DELETE FROM audit_seals",
        "UPDATE audit_seals SET digest = ''",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(text(statement))


def test_finished_entries_are_sealed_once_and_the_chain_holds(committed: Database) -> None:
    with committed.session() as session:
        write(session)
        assert seal(session) == 3
        assert seal(session) == 0
        write(session, 2)
        assert seal(session) == 2
        assert audit.verify_chain(session) == []
        assert audit.unsealed(session) == 0
        first, second = session.query(AuditSeal).order_by(AuditSeal.id)
        assert second.previous == first.digest
        assert audit.head(session) == (second.id, second.digest)


def test_an_entry_of_an_open_transaction_waits_and_is_not_forgotten(committed: Database) -> None:
    with committed.session() as slow, committed.session() as fast:
        audit.record(slow, "orders.place", "orders", 1, actor=SYSTEM)
        write(fast)
        assert seal(fast) == 0
        slow.commit()
        assert seal(fast) == 4
        assert audit.verify_chain(fast) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET action = 'orders.plac_' WHERE id = (SELECT min(id) + 1 FROM audit_entries)",
        "UPDATE audit_entries SET fields = '{}' WHERE id = (SELECT min(id) FROM audit_entries)",
        "UPDATE audit_entries SET at = at + interval '1 microsecond'",
        "DELETE FROM audit_entries WHERE id = (SELECT max(id) FROM audit_entries)",
        "INSERT INTO audit_entries (action, subject, seal_id) SELECT 'x', 'y', min(id) FROM audit_seals",
        "UPDATE audit_entries SET seal_id = NULL WHERE id = (SELECT max(id) FROM audit_entries)",
        "DELETE FROM audit_seals WHERE id = (SELECT min(id) FROM audit_seals)",
        "UPDATE audit_seals SET signature = sha256('x') WHERE id = (SELECT min(id) FROM audit_seals)",
        "UPDATE audit_seals SET digest = sha256('x') WHERE id = (SELECT min(id) FROM audit_seals)",
    ],
)
def test_a_change_by_the_owner_s_hand_is_found(committed: Database, statement: str) -> None:
    with committed.session() as session:
        for _ in range(2):
            write(session)
            seal(session)
        assert audit.verify_chain(session) == []
    damage(committed, statement)
    with committed.session() as session:
        assert audit.verify_chain(session) != []


def test_more_than_one_page_of_seals_is_verified(committed: Database) -> None:
    with committed.session() as session:
        for _ in range(audit.SEALS_AT_ONCE + 2):
            write(session, 1)
            assert seal(session) == 1
    damage(committed, "UPDATE audit_entries SET purpose = 'x' WHERE id = (SELECT max(id) FROM audit_entries)")
    with committed.session() as session:
        assert len(audit.verify_chain(session)) == 1
