"""The embedded PostgreSQL and Redis: found, started as our children, waited for, stopped.

Nothing heavy is imported here: `dispatch up` must be on its feet in a fraction of a second.
"""

from dispatch.servers.find import ServerMissing, find_postgres, find_redis
from dispatch.servers.postgres import WITHOUT_DURABILITY, PostgresServer
from dispatch.servers.process import ServerFailed
from dispatch.servers.redis import RedisServer

__all__ = [
    "WITHOUT_DURABILITY",
    "PostgresServer",
    "RedisServer",
    "ServerFailed",
    "ServerMissing",
    "find_postgres",
    "find_redis",
]
