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
    stack: list[tuple[int, bytes]] = []
    for leaf in leaves:
        size, digest = 1, leaf
        while stack and stack[-1][0] == size:
            digest, size = node(stack.pop()[1], digest), size * 2
        stack.append((size, digest))
    if not stack:
        return EMPTY
    root = stack.pop()[1]
    while stack:
        root = node(stack.pop()[1], root)
    return root


def proof_of(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The digests beside the way from a leaf to the root, from below."""
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*proof_of(leaves[:split], index), root_of(leaves[split:])]
    return [*proof_of(leaves[split:], index - split), root_of(leaves[:split])]


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
