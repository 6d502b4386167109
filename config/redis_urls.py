"""One Redis, three spellings: Celery's, redis-py's and the rate limiter's."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

CELERY_DATABASE = 0
OWN_DATABASE = 2
LIMITER_DATABASE = 3
SOCKET_SCHEMES = frozenset({"unix", "redis+socket", "redis+unix"})
NETWORK_SCHEMES = frozenset({"redis", "rediss"})
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class RedisUrls:
    """The same Redis as each library wants to read it (database 0 Celery, 2 our own, 3 limiter)."""

    celery: str
    own: str
    limiter: str


def redis_urls(url: str) -> RedisUrls:
    """Spell one Redis address for the three libraries; the database number in `url` is not used.

    Takes `unix:///path`, `redis+socket:///path`, `redis+unix:///path`, `redis://host:port` or
    `rediss://host:port`, each with or without `user:password@`. Raises ValueError for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme in SOCKET_SCHEMES:
        return _socket_urls(parts)
    if parts.scheme in NETWORK_SCHEMES and parts.hostname:
        base = f"{parts.scheme}://{parts.netloc}"
        return RedisUrls(
            celery=f"{base}/{CELERY_DATABASE}",
            own=f"{base}/{OWN_DATABASE}",
            limiter=f"{base}/{LIMITER_DATABASE}",
        )
    reason = "a Redis address starts with unix://, redis:// or rediss://"
    raise ValueError(reason)


def redis_is_open(url: str) -> bool:
    """Whether others on the network can use this Redis: beyond loopback and without a password."""
    parts = urlsplit(url)
    if parts.scheme in SOCKET_SCHEMES:
        return False
    return parts.hostname not in LOOPBACK_HOSTS and not parts.password


def _socket_urls(parts: SplitResult) -> RedisUrls:
    if not parts.path.startswith("/"):
        reason = "a Redis socket needs an absolute path"
        raise ValueError(reason)
    place = f"{parts.netloc}{parts.path}"
    return RedisUrls(
        celery=f"redis+socket://{place}?virtual_host={CELERY_DATABASE}",
        own=f"unix://{place}?db={OWN_DATABASE}",
        limiter=f"redis+unix://{place}?db={LIMITER_DATABASE}",
    )
