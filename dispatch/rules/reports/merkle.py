"""A Merkle tree over the lines of gifts: a donor proves that a line is inside while nobody is named.

Source: rules.md §6 (逐笔登记造册, 每季度向居民公开一次); the shape of the tree: RFC 6962 §2.1. Leaves and nodes are
hashed with different first bytes, so that no node can be passed off as a leaf. The salt of a line is the secret that
stands on its receipt: without it nobody can find a line by trying amounts and days.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256

from dispatch.rules.access.chain import canonical

LEAF = b"\x00"
NODE = b"\x01"
EMPTY = sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class GiftLeaf:
    """What of a gift's line is proved: its receipt, how much of what, the day of the journal, the receipt's secret."""

    receipt: str
    commodity: str
    amount: int
    day: date
    salt: str

    @property
    def digest(self) -> bytes:
        """The leaf of the tree."""
        line = sha256(canonical(asdict(self))).digest()
        return sha256(LEAF + line).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The digest over two digests."""
    return sha256(NODE + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves in their order; it keeps one digest for each power of two, however many there are."""
    return climb(leaves, -1)[0]


def proof_of(leaves: Iterable[bytes], index: int) -> list[bytes]:
    """The digests beside the way from a leaf to the root, from below; the leaves are read once and not kept."""
    return climb(leaves, index)[1]


def climb(leaves: Iterable[bytes], index: int) -> tuple[bytes, list[bytes]]:
    """The root, and what stood beside the leaf at this place whenever two digests became one."""
    stack: list[tuple[int, int, bytes]] = []
    beside: list[bytes] = []

    def join(right: tuple[int, int, bytes]) -> tuple[int, int, bytes]:
        first, size, left = stack.pop()
        if first <= index < first + size:
            beside.append(right[2])
        elif right[0] <= index < right[0] + right[1]:
            beside.append(left)
        return first, size + right[1], node(left, right[2])

    for place, leaf in enumerate(leaves):
        newest = (place, 1, leaf)
        while stack and stack[-1][1] == newest[1]:
            newest = join(newest)
        stack.append(newest)
    if not stack:
        return EMPTY, []
    top = stack.pop()
    while stack:
        top = join(top)
    return top[2], beside


def proves(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the digests lead from the leaf at this place among so many to the root."""
    if not 0 <= index < size:
        return False
    digest, place, last = leaf, index, size - 1
    for beside in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            digest = node(beside, digest)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            digest = node(digest, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and digest == root
