"""Log-in: how good a password is, how long a lock lasts, how long a session lives, where one returns to.

Source: promise.md, security 6 and 8 (ASVS 5.0: ≥ 12 characters, no rules of composition, lock-out).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch.errors import Invalid

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
FEWEST_DIFFERENT = 5
FAILURES_BEFORE_LOCK = 5
FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=24)
MOST_DOUBLINGS = 10
PENDING = timedelta(minutes=5)
SEEN_EVERY = timedelta(minutes=1)
TOTP_SECONDS = 30
TOTP_STEPS_AROUND = 1
SHORTEST_LOGIN = 3
LONGEST_LOGIN = 64
LONGEST_RETURN = 512


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a log-in lives without use, and at most."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)


def check_password(login: str, password: str) -> None:
    """Refuse a weak password; raises Invalid("password").

    12 to 128 characters, at least 5 different, without the log-in name in it.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid("password", "密码需要 12 到 128 个字符")
    if login.casefold() in password.casefold():
        raise Invalid("password", "密码里不能包含登录名")
    if len(set(password)) < FEWEST_DIFFERENT or "\x00" in password:
        raise Invalid("password", "密码太简单，请至少使用 5 种不同的字符")


def check_login(login: str) -> str:
    """The log-in name as it is stored (small letters); raises Invalid("login")."""
    name = login.strip().lower()
    if not SHORTEST_LOGIN <= len(name) <= LONGEST_LOGIN or not is_plain(name):
        raise Invalid("login", "登录名请用 3 到 64 个字母、数字、点、横线或下划线")
    return name


def is_plain(name: str) -> bool:
    """Whether a name has nothing but ASCII letters, digits, dots, hyphens and underscores."""
    return name.isascii() and all(char.isalnum() or char in ".-_" for char in name)


def lock_after(failures: int) -> timedelta:
    """How long nobody may log in after so many failures in a row: 15 min from the 5th, doubled by each more.

    At most 24 h. Zero below five.
    """
    if failures < FAILURES_BEFORE_LOCK:
        return timedelta(0)
    times: int = 2 ** min(failures - FAILURES_BEFORE_LOCK, MOST_DOUBLINGS)
    return min(FIRST_LOCK * times, LONGEST_LOCK)


def is_alive(limits: SessionLimits, created_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Whether a session still counts: used within the idle time, not older than the absolute time."""
    return now - seen_at < limits.idle and now - created_at < limits.absolute


def is_step_usable(step: int, last_step: int | None) -> bool:
    """Whether a TOTP step was not used yet: each opens once, and no older one after it."""
    return last_step is None or step > last_step


def local_path(wanted: str | None, default: str = "/") -> str:
    r"""The path within this site to which somebody returns after the log-in; anything else is the default.

    Refuses other hosts in all their spellings (`//host`, `/\host`, control characters, schemes).
    """
    if not wanted or len(wanted) > LONGEST_RETURN or not wanted.startswith("/"):
        return default
    if wanted.startswith("//") or "\\" in wanted or not wanted.isprintable():
        return default
    return wanted
