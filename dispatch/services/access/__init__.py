"""Access: organisations' reach, log-in, keys, policies, audit, sealing, files and stored answers."""

from dispatch.services.access import (
    audit,
    files,
    idempotency,
    keys,
    policies,
    reach,
    reseal,
    sealed,
    sessions,
    sign_in,
    users,
    vault,
)

__all__ = [
    "audit",
    "files",
    "idempotency",
    "keys",
    "policies",
    "reach",
    "reseal",
    "sealed",
    "sessions",
    "sign_in",
    "users",
    "vault",
]
