"""Stored answers: one key is one piece of work, also when it comes twice at once."""

from datetime import timedelta
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.access import IdempotencyKey
from dispatch.services.access import idempotency
from dispatch.services.access.idempotency import KeyReused, StillRunning, Stored
from tests.conftest import Database

ROUTE = "orders.place"
MARK = idempotency.fingerprint({"description": "水管漏水", "service": 1})
ANSWER = Stored(201, '{"number": "HQ1", "caller": "林芳"}'.encode())


def take(session: Session, *, principal: str = "key:1", route: str = ROUTE, mark: bytes = MARK) -> Stored | None:
    return idempotency.replay(session, principal, route, "abc", mark)


def answer(session: Session) -> None:
    idempotency.remember(session, "key:1", ROUTE, "abc", ANSWER)


def test_the_first_request_works_and_the_second_gets_its_answer(session: Session) -> None:
    assert take(session) is None
    answer(session)
    assert take(session) == ANSWER


def test_another_payload_under_the_key_is_refused(session: Session) -> None:
    take(session)
    answer(session)
    with pytest.raises(KeyReused) as caught:
        take(session, mark=idempotency.fingerprint({"description": "别的"}))
    assert caught.value.field == "Idempotency-Key"


def test_the_key_of_another_principal_or_route_is_another_key(session: Session) -> None:
    take(session)
    answer(session)
    assert take(session, principal="key:2", mark=idempotency.fingerprint({})) is None
    assert take(session, route="orders.void") is None


def test_a_stored_answer_is_sealed(session: Session) -> None:
    take(session)
    answer(session)
    body = session.execute(select(IdempotencyKey.body)).scalar_one()
    assert "林芳".encode() not in body


def test_the_order_of_fields_does_not_matter_and_every_value_does() -> None:
    assert idempotency.fingerprint({"a": 1, "b": [1, 2]}) == idempotency.fingerprint({"b": [1, 2], "a": 1})
    assert idempotency.fingerprint({"a": 1}) != idempotency.fingerprint({"a": "1"})


@pytest.mark.parametrize(("header", "key"), [("abc", "abc"), ('"abc"', "abc"), ("8e03-978e", "8e03-978e"), ('"', '"')])
def test_a_key_is_taken_with_and_without_the_draft_s_quotes(header: str, key: str) -> None:
    assert idempotency.check_key(header) == key


@pytest.mark.parametrize("header", ["", "  ", " a", "a b", '""', "x" * 256, "钥匙", "a\x00b", "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused_by_field(header: str) -> None:
    with pytest.raises(Invalid) as caught:
        idempotency.check_key(header)
    assert caught.value.field == "Idempotency-Key"


@given(st.text(max_size=300))
def test_every_accepted_key_is_printable_ascii_of_bounded_length(header: str) -> None:
    try:
        key = idempotency.check_key(header)
    except Invalid:
        return
    assert 0 < len(key) <= 255
    assert key.isascii()
    assert key.isprintable()


def test_a_request_sent_twice_at_once_is_worked_once(committed: Database) -> None:
    answers: list[Stored | None] = []

    def second() -> None:
        with committed.session() as session:
            answers.append(take(session))
            session.commit()

    with committed.session() as session:
        assert take(session) is None
        thread = Thread(target=second)
        thread.start()
        thread.join(0.3)
        assert answers == []
        answer(session)
        session.commit()
        thread.join()
    assert answers == [ANSWER]


def test_when_the_first_fails_the_waiting_one_does_the_work(committed: Database) -> None:
    answers: list[Stored | None] = []

    def second() -> None:
        with committed.session() as session:
            answers.append(take(session))
            session.commit()

    with committed.session() as session:
        take(session)
        thread = Thread(target=second)
        thread.start()
        session.rollback()
        thread.join()
    assert answers == [None]


def test_a_first_that_takes_longer_than_the_lock_s_time_is_said_to_run_still(committed: Database) -> None:
    with committed.session() as first, committed.session() as second:
        take(first)
        with pytest.raises(StillRunning):
            take(second)


def test_answers_are_kept_three_days(session: Session) -> None:
    take(session)
    answer(session)
    now = clock.now(session)
    assert idempotency.purge(session, now=now + timedelta(hours=71)) == 0
    assert idempotency.purge(session, now=now + timedelta(hours=73)) == 1
    assert session.execute(select(func.count()).select_from(IdempotencyKey)).scalar_one() == 0
