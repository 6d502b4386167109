"""Where things run, and secrets: one frozen object, read once from DISPATCH_* variables."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote

from config.proxies import Networks, proxy_networks
from config.redis_urls import redis_is_open, redis_urls

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8096
LONGEST_SOCKET_PATH = 100
SHORTEST_SECRET = 32
FIELD_KEY_BYTES = 32
DATABASE = "dispatch"
OWNER_ROLE = "dispatch_owner"
APP_ROLE = "dispatch_app"
POSTGRES_SOCKET_PORT = 5432
CIPHERS = ("aes-256-gcm", "sm4-gcm")
DIGESTS = ("sha256", "sm3")
WORDS_FOR_NO = frozenset({"", "0", "no", "off", "false"})
WORDS_FOR_YES = frozenset({"1", "yes", "on", "true"})


class BadSetting(ValueError):
    """A DISPATCH_* variable has a value that cannot be used."""


@dataclass(frozen=True, slots=True)
class FieldKey:
    """A key for encrypted columns: its id (stored beside the value) and 32 secret bytes."""

    key_id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between two places where this software runs.

    Each field `x` is read from DISPATCH_X. A server that is not named is the embedded one of `home`.
    `owner_database_url` is empty where only the app's address was given (web, worker, sweep, beat).
    `field_keys`: the first is current, the others still open old values. `redis_url` is in
    redis-py's spelling; the two properties give the other spellings of the same server.
    """

    home: Path
    host: str
    port: int
    base_url: str
    demo: bool
    debug: bool
    database_url: str = field(repr=False)
    owner_database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret: str = field(repr=False)
    field_keys: tuple[FieldKey, ...] = field(repr=False)
    smtp_url: str = field(repr=False)
    web_workers: int = 2
    web_threads: int = 64
    worker_processes: int = 2
    trusted_proxies: Networks = ()
    cipher: str = CIPHERS[0]
    digest: str = DIGESTS[0]
    alarm_host: str = DEFAULT_HOST
    alarm_port: int = DEFAULT_PORT + 1
    alarm_connections: int = 2_000
    alarm_per_address: int = 256

    @property
    def celery_broker_url(self) -> str:
        """The Redis of this installation as Celery spells it (database 0)."""
        return redis_urls(self.redis_url).celery

    @property
    def limiter_storage_url(self) -> str:
        """The Redis of this installation as Flask-Limiter spells it (database 3)."""
        return redis_urls(self.redis_url).limiter

    def problems(self) -> list[str]:
        """Reasons to refuse to start outside the demo, as sentences; empty when all is well."""
        checks = (
            (len(self.secret) < SHORTEST_SECRET, "DISPATCH_SECRET is missing or shorter than 32 characters"),
            (0 < len(set(self.secret)) < SHORTEST_SECRET // 4, "DISPATCH_SECRET is not a random value"),
            (not self.field_keys, "DISPATCH_FIELD_KEYS is missing: personal data cannot be encrypted"),
            (self.debug, "DISPATCH_DEBUG is on"),
            (redis_is_open(self.redis_url), "Redis is reachable beyond this machine without a password"),
        )
        return [reason for wrong, reason in checks if wrong]


@cache
def get_settings() -> Settings:
    """The settings of this process, read from its environment at the first call."""
    return read_settings(os.environ)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from `environment` and the two secret files of its home; raises BadSetting."""
    home = Path(_text(environment, "HOME") or "var").absolute()
    host = _text(environment, "HOST") or DEFAULT_HOST
    port = _number(environment, "PORT", DEFAULT_PORT, 65_535)
    return Settings(
        home=home,
        host=host,
        port=port,
        base_url=_text(environment, "BASE_URL") or f"http://{host}:{port}",
        demo=_flag(environment, "DEMO"),
        debug=_flag(environment, "DEBUG"),
        database_url=_text(environment, "DATABASE_URL") or embedded_database_url(home, APP_ROLE),
        owner_database_url=_owner_database(environment, home),
        redis_url=_redis(environment, home),
        secret=_text(environment, "SECRET") or _file_text(home / "secret"),
        field_keys=parse_field_keys(_text(environment, "FIELD_KEYS") or _file_text(home / "keys")),
        smtp_url=_text(environment, "SMTP_URL"),
        web_workers=_number(environment, "WEB_WORKERS", 2, 64),
        web_threads=_number(environment, "WEB_THREADS", 64, 256),
        worker_processes=_number(environment, "WORKER_PROCESSES", 2, 64),
        trusted_proxies=_proxies(environment),
        cipher=_choice(environment, "CIPHER", CIPHERS),
        digest=_choice(environment, "DIGEST", DIGESTS),
        alarm_host=_text(environment, "ALARM_HOST") or host,
        alarm_port=_number(environment, "ALARM_PORT", min(port + 1, 65_535), 65_535),
        alarm_connections=_number(environment, "ALARM_CONNECTIONS", 2_000, 100_000),
        alarm_per_address=_number(environment, "ALARM_PER_ADDRESS", 256, 100_000),
    )


def parse_field_keys(text: str) -> tuple[FieldKey, ...]:
    """Read `keyid:hex,keyid:hex` (32 bytes each, ids unlike); raises BadSetting."""
    keys = tuple(_field_key(part.strip()) for part in text.split(",") if part.strip())
    if len({key.key_id for key in keys}) != len(keys):
        reason = "DISPATCH_FIELD_KEYS names one key id twice"
        raise BadSetting(reason)
    return keys


def socket_folder(home: Path) -> Path:
    """Where the embedded servers of `home` put their sockets.

    A socket's path has at most about 107 bytes, so a deep home gets a short folder of its own beside
    the other temporary files, named by a digest of the home's path.
    """
    near = home / "run"
    if len(os.fsencode(near / f".s.PGSQL.{POSTGRES_SOCKET_PORT}.lock")) <= LONGEST_SOCKET_PATH:
        return near
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"houqing-{name}"


def embedded_database_url(home: Path, role: str, database: str = DATABASE) -> str:
    """The address of the embedded PostgreSQL of `home` for one role."""
    return f"postgresql://{role}@/{database}?host={quote(str(socket_folder(home)))}"


def embedded_redis_url(home: Path) -> str:
    """The address of the embedded Redis of `home` in redis-py's spelling."""
    return redis_urls(f"unix://{socket_folder(home)}/redis.sock").own


def _text(environment: Mapping[str, str], name: str) -> str:
    return environment.get(f"DISPATCH_{name}", "").strip()


def _number(environment: Mapping[str, str], name: str, default: int, highest: int) -> int:
    text = _text(environment, name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= highest:
        reason = f"DISPATCH_{name} must be a whole number from 1 to {highest}"
        raise BadSetting(reason)
    return int(text)


def _flag(environment: Mapping[str, str], name: str) -> bool:
    text = _text(environment, name).lower()
    if text in WORDS_FOR_NO:
        return False
    if text in WORDS_FOR_YES:
        return True
    reason = f"DISPATCH_{name} must be 1 or 0"
    raise BadSetting(reason)


def _choice(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of some words; the first where nothing is said."""
    word = _text(environment, name).lower() or choices[0]
    if word not in choices:
        reason = f"DISPATCH_{name} must be one of: {', '.join(choices)}"
        raise BadSetting(reason)
    return word


def _owner_database(environment: Mapping[str, str], home: Path) -> str:
    """Give the owner's address; empty where the database is not ours and its owner was not named."""
    named = _text(environment, "OWNER_DATABASE_URL")
    if named or _text(environment, "DATABASE_URL"):
        return named
    return embedded_database_url(home, OWNER_ROLE)


def _redis(environment: Mapping[str, str], home: Path) -> str:
    text = _text(environment, "REDIS_URL")
    if not text:
        return embedded_redis_url(home)
    try:
        return redis_urls(text).own
    except ValueError as error:
        reason = f"DISPATCH_REDIS_URL: {error}"
        raise BadSetting(reason) from error


def _proxies(environment: Mapping[str, str]) -> Networks:
    try:
        return proxy_networks(_text(environment, "TRUSTED_PROXIES"))
    except ValueError as error:
        reason = f"DISPATCH_TRUSTED_PROXIES: {error}"
        raise BadSetting(reason) from error


def _file_text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""


def _field_key(text: str) -> FieldKey:
    key_id, colon, digits = text.partition(":")
    try:
        secret = bytes.fromhex(digits)
    except ValueError:
        secret = b""
    if not colon or not key_id or len(secret) != FIELD_KEY_BYTES:
        reason = "DISPATCH_FIELD_KEYS must look like keyid:hex,keyid:hex with 64 hexadecimal digits each"
        raise BadSetting(reason)
    return FieldKey(key_id, secret)
