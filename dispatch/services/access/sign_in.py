"""Log-in in one or two steps, lock-out, and the second factor (TOTP, RFC 6238)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.settings import get_settings
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.access import Membership, User
from dispatch.rules.access.roles import SYSTEM, TOTP_ROLES, Actor
from dispatch.rules.access.sign_in import (
    LONGEST_PASSWORD,
    TOTP_SECONDS,
    TOTP_STEPS_AROUND,
    is_plain,
    is_step_usable,
    lock_after,
)
from dispatch.services.access import audit, passwords, sessions, vault

ISSUER = "后庆派单"


class AlreadyEnrolled(Conflict):
    """已经启用了动态验证码；需要更换请联系管理员"""


class Outcome(StrEnum):
    """How a step of the log-in ended."""

    REFUSED = "refused"
    CODE_NEEDED = "code_needed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class SignIn:
    """The end of a step: the token of the new session unless it was refused."""

    outcome: Outcome
    token: str | None = None


REFUSED = SignIn(Outcome.REFUSED)


def log_in(session: Session, login: str, password: str, *, now: datetime) -> SignIn:
    """Check log-in name and password; never raises, so that the door commits what was counted.

    The same answer and the same work whether the name exists, is locked or disabled. The user's row is
    locked, so that guesses made at once are counted one by one.
    """
    name = login.strip().lower()
    found = select(User).where(User.login == (name if is_plain(name) else "")).with_for_update()
    user = session.scalars(found).one_or_none()
    is_right = passwords.is_right(user.password_hash if user else None, password[: LONGEST_PASSWORD + 1])
    if user is None or is_barred(user, now):
        note_stranger(session, name)
        return REFUSED
    if not is_right:
        count_failure(session, user, now)
        return REFUSED
    if passwords.needs_rehash(user.password_hash):
        user.password_hash = passwords.make_hash(password)
    if has_second_factor(user) or owes_second_factor(session, user.id):
        return SignIn(Outcome.CODE_NEEDED, sessions.open_session(session, user.id, is_complete=False, now=now))
    return complete(session, user, now)


def check_code(session: Session, token: str, code: str, *, real: datetime, now: datetime) -> SignIn:
    """Check the code of a pending session; never raises. Success opens a new session and ends the pending.

    `real` is the machine's instant, by which the phone made the code, however business time runs.
    """
    pending = sessions.pending_session(session, token, now)
    if pending is None:
        return REFUSED
    user = lock_user(session, pending.user_id)
    if is_barred(user, now):
        return REFUSED
    if not use_code(user, code, real):
        count_failure(session, user, now)
        return REFUSED
    sessions.end(session, now, session_id=pending.session_id)
    return complete(session, user, now)


def complete(session: Session, user: User, now: datetime) -> SignIn:
    """Open the full session and forget the failures."""
    user.failed_logins, user.locked_until = 0, None
    token = sessions.open_session(session, user.id, is_complete=True, now=now)
    note(session, "access.log_in", user)
    return SignIn(Outcome.DONE, token)


def count_failure(session: Session, user: User, now: datetime) -> None:
    """Count a failure in a row; from the fifth on nobody logs in for a while, longer each time."""
    user.failed_logins += 1
    lock = lock_after(user.failed_logins)
    if lock:
        user.locked_until = now + lock
        note(session, "access.locked", user)
    note(session, "access.log_in_failed", user)


def is_barred(user: User, now: datetime) -> bool:
    """Whether nobody may log in as this user at the moment: disabled or locked."""
    return user.disabled_at is not None or (user.locked_until is not None and now < user.locked_until)


def has_second_factor(user: User) -> bool:
    """Whether a TOTP secret was enrolled and confirmed by a first code."""
    return user.totp_secret is not None and user.totp_last_step is not None


def owes_second_factor(session: Session, user_id: int) -> bool:
    """Whether a role of the user asks for a second factor (by its rights), outside the demo."""
    if get_settings().demo:
        return False
    return (
        session.execute(
            select(Membership.id)
            .where(Membership.user_id == user_id, Membership.role.in_([str(role) for role in TOTP_ROLES]))
            .limit(1)
        ).first()
        is not None
    )


def use_code(user: User, code: str, real: datetime) -> bool:
    """Whether a code of this real instant or one step around is right and was not used; using it uses it up."""
    if user.totp_secret is None:
        return False
    totp = pyotp.TOTP(vault.open_sealed(f"users.totp_secret.{user.uid}", user.totp_secret))
    step_now = int(real.timestamp()) // TOTP_SECONDS
    given = code.replace(" ", "")
    for step in range(step_now - TOTP_STEPS_AROUND, step_now + TOTP_STEPS_AROUND + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), given) and is_step_usable(step, user.totp_last_step):
            user.totp_last_step = step
            return True
    return False


def begin_enrolment(session: Session, user_id: int) -> str:
    """The address (otpauth:) that a phone's app scans; repeated until confirmed it is the same secret.

    Raises AlreadyEnrolled once a code has confirmed it.
    """
    user = lock_user(session, user_id)
    if has_second_factor(user):
        raise AlreadyEnrolled
    place = f"users.totp_secret.{user.uid}"
    if user.totp_secret is None:
        user.totp_secret = vault.seal(place, pyotp.random_base32())
    secret = vault.open_sealed(place, user.totp_secret)
    return pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name=ISSUER)


def confirm_enrolment(session: Session, user_id: int, code: str, *, actor: Actor, real: datetime) -> None:
    """Switch the second factor on with its first code, made at about this real instant; else Invalid("code")."""
    user = lock_user(session, user_id)
    if has_second_factor(user):
        raise AlreadyEnrolled
    if not use_code(user, code, real):
        raise Invalid("code", "验证码不正确，请确认手机时间准确后重试")
    audit.record(session, "access.enrol_totp", "users", user.id, actor=actor)


def lock_user(session: Session, user_id: int) -> User:
    """The locked row of a user; raises NotFound."""
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFound
    return user


def note_stranger(session: Session, name: str) -> None:
    """An audit entry about a try for a name that does not exist or is barred: by digest, never the name."""
    fields = {"login": vault.digest("login", name)}
    audit.record(session, "access.log_in_failed", "users", None, actor=SYSTEM, fields=fields)


def note(session: Session, action: str, user: User) -> None:
    """An audit entry about a log-in: nobody is known to act yet, so the house writes it."""
    audit.record(session, action, "users", user.id, actor=SYSTEM)
