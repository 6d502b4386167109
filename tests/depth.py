"""How deep the attacks go: in `make test` each asks a part in turn, with DISPATCH_TEST_WHOLE=1 (`make attacks`) all."""

import os
from zlib import crc32

IS_WHOLE = os.environ.get("DISPATCH_TEST_WHOLE") == "1"


def is_turn(number: int, of: int, words: str) -> bool:
    """Whether number `number` of so many has its turn at what these words name; in the whole form everybody has."""
    return IS_WHOLE or (crc32(words.encode()) + number) % of == 0
