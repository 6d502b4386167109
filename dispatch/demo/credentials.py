"""Passwords, keys and secrets of one demo installation: derived from its secret, so that they never change."""

import base64
import hmac
from random import Random

from dispatch.demo.identifiers import password, webhook_secret
from dispatch.rules.access.tokens import spoken, token_of


class DemoSecrets:
    """Derives by HMAC-SHA256 from the installation's secret: the same installation, the same values."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def password(self, login: str) -> str:
        """The password of an account: nineteen characters that are not read wrongly."""
        return password(self._stream(f"password:{login}"))

    def webhook_secret(self, code: str) -> str:
        """The secret with which messages to and from a performer are signed, hexadecimal."""
        return webhook_secret(self._stream(f"webhook:{code}"))

    def api_key(self, name: str) -> str:
        """The token of an API key: hq_ and 32 random bytes."""
        return "hq_" + base64.urlsafe_b64encode(self._bytes(f"key:{name}")).rstrip(b"=").decode()

    def card_token(self, number: int) -> str:
        """The token of the n-th love card, in groups as it is printed."""
        return spoken(token_of(self._bytes(f"card:{number}")))

    def voucher_token(self, number: int) -> str:
        """The token of the n-th service voucher's card, as its code is kept."""
        return token_of(self._bytes(f"voucher:{number}"))

    def _stream(self, purpose: str) -> Random:
        return Random(self._bytes(purpose))  # noqa: S311 - the seed is the secret, and only a demo uses it

    def _bytes(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, f"demo.{purpose}".encode(), "sha256")
