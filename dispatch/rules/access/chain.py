"""Hash chains: every line carries the digest of all before it, so that one changed byte is found.

Rule: sha256(previous digest as 32 bytes || canonical JSON); canonical = UTF-8, keys sorted, no spaces;
the line before the first has 32 zero bytes.
"""

import json
from collections.abc import Mapping
from hashlib import sha256

GENESIS = bytes(32)


def canonical(line: Mapping[str, object]) -> bytes:
    """The one byte form of a line: JSON in UTF-8, keys sorted, no spaces."""
    return json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()


def link(previous: bytes, line: Mapping[str, object]) -> bytes:
    """The digest of `line` after `previous` (32 bytes each)."""
    return sha256(previous + canonical(line)).digest()
