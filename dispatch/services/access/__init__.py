"""Access: organisations' reach, log-in, keys, policies, audit, sealing, files and stored answers."""

from dispatch.services.access import audit, policies, reach, vault

__all__ = ["audit", "policies", "reach", "vault"]
