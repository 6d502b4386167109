"""Secrets that leave the house once: made of random bits, kept as a hash."""

import hashlib
import secrets

from dispatch.rules.access.tokens import RANDOM_BYTES, token_of


def new_token() -> str:
    """A token for paper or a link: 130 random bits."""
    return token_of(secrets.token_bytes(RANDOM_BYTES))


def hash_of(token: str) -> bytes:
    """What is kept of a secret of 128 random bits or more: for such a one a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
