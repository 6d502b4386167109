"""Password hashes (argon2id) and the same work for a log-in that does not exist."""

from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's cheat sheet of password storage: argon2id with 19 MiB, 2 passes, 1 lane.
MEMORY_KIBIBYTES = 19_456
PASSES = 2
LANES = 1

hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIBIBYTES, parallelism=LANES, type=Type.ID)


@cache
def nobody() -> str:
    """The hash against which the password of an unknown log-in is checked, so that it takes as long."""
    return hasher.hash("nobody has this password")


def make_hash(password: str) -> str:
    """The argon2id hash of a password, with its own salt."""
    return hasher.hash(password)


def is_right(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; None (nobody) costs as much and is never right."""
    try:
        hasher.verify(password_hash or nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether a hash was made with other settings than today's."""
    return hasher.check_needs_rehash(password_hash)
