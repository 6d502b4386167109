"""Log-in: refused without telling why, locked after five failures, second factor once per step."""

from datetime import datetime, timedelta
from threading import Barrier, Thread

import pyotp
import pytest
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.access import AuditEntry, User, UserSession
from dispatch.rules.access.roles import SYSTEM, Actor, Role
from dispatch.services.access import passwords, sessions, sign_in, users
from dispatch.services.access.sign_in import AlreadyEnrolled, Outcome
from dispatch.services.access.tokens import hash_of
from tests.conftest import Database
from tests.factories.access import make_organisation

PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def make_user(session: Session, login: str = "operator1", secret: str | None = None) -> User:
    now = clock.now(session)
    user = users.create_user(
        session, login=login, name="林芳", password=PASSWORD, totp_secret=secret, actor=SYSTEM, now=now
    )
    centre = make_organisation(session, "centre")
    users.add_role(session, user.id, Role.OPERATOR, organisation_id=centre.id, actor=SYSTEM, now=now)
    return user


def actor_of(session: Session, token: str | None, now: datetime) -> Actor | None:
    return sessions.authenticate_session(session, token or "", now)


def code_at(now: datetime, steps: int = 0) -> str:
    return pyotp.TOTP(SECRET).at(now + timedelta(seconds=30 * steps))


def test_the_right_password_opens_a_session_of_the_user(session: Session) -> None:
    user, now = make_user(session), clock.now(session)
    result = sign_in.log_in(session, " Operator1 ", PASSWORD, now=now)
    assert result.outcome is Outcome.DONE
    actor = actor_of(session, result.token, now)
    assert actor is not None
    assert actor.user_id == user.id
    assert actor.roles == {Role.OPERATOR}


def test_the_token_has_256_bits_and_only_its_hash_is_stored(session: Session) -> None:
    make_user(session)
    token = sign_in.log_in(session, "operator1", PASSWORD, now=clock.now(session)).token
    assert token is not None
    assert len(token) == 43
    stored = session.query(UserSession).order_by(UserSession.id.desc()).first()
    assert stored is not None
    assert stored.token_hash == hash_of(token)


@pytest.mark.parametrize(("login", "password"), [("operator1", "wrong"), ("nobody", PASSWORD), ("", ""), ("\x00", "x")])
def test_wrong_names_and_wrong_passwords_get_the_same_answer(session: Session, login: str, password: str) -> None:
    make_user(session)
    assert sign_in.log_in(session, login, password, now=clock.now(session)) == sign_in.REFUSED


def test_an_unknown_name_costs_a_hash_of_the_same_settings() -> None:
    assert passwords.nobody().split("$")[:4] == passwords.make_hash("x").split("$")[:4]
    assert not passwords.is_right(None, "nobody has this password")


def test_a_locked_and_a_disabled_user_get_that_answer_too_even_with_the_right_password(session: Session) -> None:
    user, now = make_user(session), clock.now(session)
    user.locked_until = now + timedelta(minutes=1)
    assert sign_in.log_in(session, "operator1", PASSWORD, now=now) == sign_in.REFUSED
    user.locked_until, user.disabled_at = None, now
    assert sign_in.log_in(session, "operator1", PASSWORD, now=now) == sign_in.REFUSED


def test_five_failures_lock_and_a_success_after_the_lock_forgets_them(session: Session) -> None:
    user, now = make_user(session), clock.now(session)
    for _ in range(5):
        sign_in.log_in(session, "operator1", "wrong", now=now)
    assert user.locked_until == now + timedelta(minutes=15)
    assert sign_in.log_in(session, "operator1", PASSWORD, now=now) == sign_in.REFUSED
    later = now + timedelta(minutes=15)
    assert sign_in.log_in(session, "operator1", PASSWORD, now=later).outcome is Outcome.DONE
    assert (user.failed_logins, user.locked_until) == (0, None)


def test_guesses_made_at_once_are_counted_one_by_one(committed: Database) -> None:
    with committed.session() as session:
        make_user(session)
        session.commit()
    together = Barrier(4)

    def guess() -> None:
        with committed.session() as session:
            together.wait()
            sign_in.log_in(session, "operator1", "wrong", now=clock.now(session))
            session.commit()

    threads = [Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with committed.session() as session:
        assert session.query(User).one().failed_logins == 4


def test_an_enrolled_user_is_not_in_before_the_code(session: Session) -> None:
    make_user(session, secret=SECRET)
    now = clock.now(session)
    first = sign_in.log_in(session, "operator1", PASSWORD, now=now)
    assert first.outcome is Outcome.CODE_NEEDED
    assert actor_of(session, first.token, now) is None
    second = sign_in.check_code(session, first.token or "", code_at(now), real=now, now=now)
    assert second.outcome is Outcome.DONE
    assert second.token != first.token
    assert actor_of(session, second.token, now) is not None
    assert sessions.pending_session(session, first.token or "", now) is None


@pytest.mark.parametrize(
    ("steps", "outcome"), [(-2, Outcome.REFUSED), (-1, Outcome.DONE), (1, Outcome.DONE), (2, Outcome.REFUSED)]
)
def test_a_phone_s_clock_may_be_one_step_off(session: Session, steps: int, outcome: Outcome) -> None:
    make_user(session, secret=SECRET)
    now = clock.now(session)
    pending = sign_in.log_in(session, "operator1", PASSWORD, now=now).token or ""
    assert sign_in.check_code(session, pending, code_at(now, steps), real=now, now=now).outcome is outcome


def test_a_code_opens_only_once(session: Session) -> None:
    make_user(session, secret=SECRET)
    now = clock.now(session)
    for outcome in (Outcome.DONE, Outcome.REFUSED):
        pending = sign_in.log_in(session, "operator1", PASSWORD, now=now).token or ""
        assert sign_in.check_code(session, pending, code_at(now), real=now, now=now).outcome is outcome


def test_codes_are_judged_by_real_time_however_business_time_runs(session: Session) -> None:
    make_user(session, secret=SECRET)
    real = clock.real(session)
    for now, shown, outcome in (
        (real + timedelta(days=3), real + timedelta(days=3), Outcome.REFUSED),
        (real + timedelta(days=3), real, Outcome.DONE),
        (real - timedelta(days=3), real, Outcome.REFUSED),
    ):
        pending = sign_in.log_in(session, "operator1", PASSWORD, now=now).token or ""
        assert sign_in.check_code(session, pending, code_at(shown), real=real, now=now).outcome is outcome


def test_guessed_codes_lock_like_guessed_passwords_and_the_right_password_does_not_forget_them(
    session: Session,
) -> None:
    user = make_user(session, secret=SECRET)
    now = clock.now(session)
    for _ in range(5):
        pending = sign_in.log_in(session, "operator1", PASSWORD, now=now).token or ""
        sign_in.check_code(session, pending, "000000", real=now, now=now)
    assert user.locked_until is not None
    assert sign_in.check_code(session, pending, code_at(now), real=now, now=now) == sign_in.REFUSED


def test_a_pending_log_in_dies_after_five_minutes(session: Session) -> None:
    make_user(session, secret=SECRET)
    now = clock.now(session)
    pending = sign_in.log_in(session, "operator1", PASSWORD, now=now).token or ""
    later = now + timedelta(minutes=5)
    assert sign_in.check_code(session, pending, code_at(later), real=later, now=later) == sign_in.REFUSED


def test_a_second_factor_counts_only_after_its_first_code(session: Session) -> None:
    user, now = make_user(session), clock.now(session)
    address = sign_in.begin_enrolment(session, user.id)
    assert address == sign_in.begin_enrolment(session, user.id)
    assert sign_in.log_in(session, "operator1", PASSWORD, now=now).outcome is Outcome.DONE
    with pytest.raises(Invalid) as caught:
        sign_in.confirm_enrolment(session, user.id, "abc", actor=SYSTEM, real=now)
    assert caught.value.field == "code"
    totp = pyotp.parse_uri(address)
    assert isinstance(totp, pyotp.TOTP)
    sign_in.confirm_enrolment(session, user.id, totp.at(now), actor=SYSTEM, real=now)
    assert sign_in.log_in(session, "operator1", PASSWORD, now=now).outcome is Outcome.CODE_NEEDED
    with pytest.raises(AlreadyEnrolled):
        sign_in.begin_enrolment(session, user.id)


def test_log_ins_and_failures_are_in_the_audit_trail(session: Session) -> None:
    user, now = make_user(session), clock.now(session)
    sign_in.log_in(session, "operator1", "wrong", now=now)
    sign_in.log_in(session, "operator1", PASSWORD, now=now)
    actions = [
        entry.action
        for entry in session.query(AuditEntry).filter_by(subject="users", subject_id=user.id).order_by(AuditEntry.id)
    ]
    assert actions == ["access.create_user", "access.add_role", "access.log_in_failed", "access.log_in"]


def test_a_try_for_an_unknown_name_leaves_an_entry_without_the_name(session: Session) -> None:
    sign_in.log_in(session, "somebody", PASSWORD, now=clock.now(session))
    entry = session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
    assert entry is not None
    assert (entry.action, entry.subject_id, set(entry.fields)) == ("access.log_in_failed", None, {"login"})
    assert "somebody" not in str(entry.fields)
