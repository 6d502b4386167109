"""The tree over the lines of gifts: known values of RFC 6962, and every line proved, nothing else."""

from datetime import date
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.reports.merkle import EMPTY, LEAF, GiftLeaf, node, proof_of, proves, root_of

digests = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70, unique=True)
PLAIN = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The roots over the first 1 to 8 of the plain leaves, as implementations of RFC 6962 test themselves."""


def test_the_roots_are_those_of_the_standard() -> None:
    leaves = [sha256(LEAF + bytes.fromhex(one)).digest() for one in PLAIN]
    assert tuple(root_of(leaves[:size]).hex() for size in range(1, 9)) == ROOTS
    assert root_of([]) == EMPTY


def test_a_line_without_its_secret_is_another_line() -> None:
    one = GiftLeaf("2026-000017", "fen", 50_000, date(2026, 11, 25), "K7MP-2QX4-9TRB")
    other = GiftLeaf("2026-000017", "fen", 50_000, date(2026, 11, 25), "K7MP-2QX4-9TRC")
    assert one.digest != other.digest
    line = b'{"amount":50000,"commodity":"fen","day":"2026-11-25","receipt":"2026-000017","salt":"K7MP-2QX4-9TRB"}'
    assert one.digest == sha256(LEAF + sha256(line).digest()).digest()


@given(digests)
def test_every_leaf_is_proved_at_its_own_place_only(leaves: list[bytes]) -> None:
    root, size = root_of(leaves), len(leaves)
    for index, leaf in enumerate(leaves):
        proof = proof_of(leaves, index)
        assert proves(leaf, index, size, proof, root)
        assert not proves(sha256(leaf).digest(), index, size, proof, root)
        assert not proves(leaf, index, size, [*proof, leaf], root)
        assert not proves(leaf, (index + 1) % size, size, proof, root) or size == 1


@given(digests)
def test_a_node_is_no_leaf(leaves: list[bytes]) -> None:
    if len(leaves) > 1:
        inner = node(leaves[0], leaves[1])
        assert not proves(inner, 0, len(leaves), proof_of(leaves, 0)[1:], root_of(leaves)) or len(leaves) == 1
