"""For whom a proxy asks: the right-most address that is not ours, whatever stands to its left."""

from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dispatch.rules.access.forwarded import (
    client_of,
    counted_as,
    forwarded_host,
    forwarded_scheme,
    is_trusted,
    is_within,
    parse_address,
)

OURS = (ip_network("10.0.0.0/24"), ip_network("fd00:1::/64"))
OUR_ADDRESSES = st.sampled_from(
    ["10.0.0.5", "10.0.0.9", "fd00:1::7", "::ffff:10.0.0.8", "10.0.0.5:4711", "[fd00:1::7]:80"]
)
STRANGERS = st.ip_addresses().filter(lambda one: getattr(one, "ipv4_mapped", None) is None and not is_within(one, OURS))
GARBAGE = st.text(max_size=30).filter(lambda text: parse_address(text.rpartition(",")[2]) is None)


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "1.1.1.1, 203.0.113.9, 10.0.0.9", "203.0.113.9"),
        ("10.0.0.5", "203.0.113.9, 10.0.0.9, fd00:1::7", "203.0.113.9"),
        ("fd00:1::1", "2001:db8::1", "2001:db8::1"),
        ("fd00:1::1", "2001:DB8:0::1", "2001:db8::1"),
        ("fd00:1::1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.5", "203.0.113.9:51112", "203.0.113.9"),
        ("::ffff:10.0.0.5", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "unknown", "10.0.0.5"),
        ("10.0.0.5", "203.0.113.9, _hidden", "10.0.0.5"),
        ("10.0.0.5", "203.0.113.9, garbage, 10.0.0.9", "10.0.0.9"),
        ("10.0.0.5", "fe80::1%eth0", "10.0.0.5"),
        ("10.0.0.5", "10.0.0.9", "10.0.0.9"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.1.5", "203.0.113.9", "10.0.1.5"),
        ("", "203.0.113.9", ""),
    ],
)
def test_the_client_is_the_right_most_address_that_is_not_ours(peer: str, said: str, client: str) -> None:
    assert client_of(peer, said, OURS) == client


@given(st.text(max_size=60), STRANGERS, st.lists(OUR_ADDRESSES, max_size=5), OUR_ADDRESSES)
def test_what_a_client_made_up_is_never_believed(made_up: str, client: object, hops: list[str], peer: str) -> None:
    assert client_of(peer, ",".join([made_up, str(client), *hops]), OURS) == str(client)


@given(st.text(max_size=60), STRANGERS)
def test_a_stranger_who_connects_is_itself_whatever_it_says(said: str, peer: object) -> None:
    assert client_of(str(peer), said, OURS) == str(peer)
    assert not is_trusted(str(peer), OURS)


@given(st.text(max_size=60), OUR_ADDRESSES)
def test_without_a_named_proxy_nothing_is_believed(said: str, peer: str) -> None:
    assert client_of(peer, said, ()) == str(parse_address(peer))
    assert not is_trusted(peer, ())


@given(st.text(max_size=60), GARBAGE, OUR_ADDRESSES)
def test_garbage_ends_the_chain_at_the_proxy_that_wrote_it(left: str, garbage: str, peer: str) -> None:
    assert client_of(peer, f"{left},{garbage}", OURS) == str(parse_address(peer))


@given(st.integers(21, 60))
def test_a_chain_without_end_is_not_followed(hops: int) -> None:
    assert client_of("10.0.0.5", ",".join(["203.0.113.9", *["10.0.0.9"] * hops]), OURS) == "10.0.0.9"


@given(st.ip_addresses(), st.integers(0, 65535))
def test_an_address_is_read_with_and_without_a_port(address: object, port: int) -> None:
    plain = ip_address(str(address))
    assume(plain.version == 4 or (plain.ipv4_mapped is None and plain.scope_id is None))
    spelled = f"[{plain}]" if plain.version == 6 else str(plain)
    assert parse_address(str(plain)) == parse_address(f"{spelled}:{port}") == plain


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:0:1::9", "2001:db8:0:1::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_address_is_counted_as_what_one_client_has(address: str, counted: str) -> None:
    assert counted_as(address) == counted


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_host_part_of_an_ipv6_address_leaves_no_limit(network: int, one: int, other: int) -> None:
    assume(network != 0)
    addresses = [str(IPv6Address((network << 64) + host)) for host in (one, other)]
    assert counted_as(addresses[0]) == counted_as(addresses[1])


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_ipv4_addresses_are_counted_each_by_itself(one: object, other: object) -> None:
    assert (counted_as(str(one)) == counted_as(str(other))) is (one == other)


@given(st.text(max_size=80))
def test_no_text_breaks_the_reading(text: str) -> None:
    parse_address(text)
    assert forwarded_scheme(text) in {None, "http", "https"}
    host = forwarded_host(text)
    assert host is None or not set(host) & set(" /\\@?#,\r\n\x00<>\"'")


@pytest.mark.parametrize(
    ("said", "scheme"),
    [
        ("https", "https"),
        ("http, HTTPS ", "https"),
        ("https,http", "http"),
        ("wss", None),
        ("", None),
        ("https;x", None),
    ],
)
def test_the_nearest_proxy_says_the_scheme(said: str, scheme: str | None) -> None:
    assert forwarded_scheme(said) == scheme


@pytest.mark.parametrize(
    ("said", "host"),
    [
        ("desk.example", "desk.example"),
        ("evil.example, desk.example:8443", "desk.example:8443"),
        ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ("desk.example/path", None),
        ("user@desk.example", None),
        ("desk.example\r\nX: y", None),
        ("", None),
        ("a" * 300, None),
    ],
)
def test_the_nearest_proxy_says_the_host(said: str, host: str | None) -> None:
    assert forwarded_host(said) == host
