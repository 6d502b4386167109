"""For whom a reverse proxy asks: the address, scheme and host that it forwards.

X-Forwarded-For is a list that every hop lengthens at its end, so only its right part was written by proxies
that we know; everything left of the first unknown address may have been made up by whoever asks. (The header
is a convention, see RFC 7239 section 1; what may be believed of such a list: RFC 7239 section 8.1.)
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

MOST_HOPS = 20
IPV6_BITS, HOST_BITS = 128, 64
SCHEMES = frozenset({"http", "https"})
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
WITH_PORT = re.compile(
    r"\[(?P<six>[0-9a-f:.]+)\](?::[0-9]{1,5})?|(?P<four>[0-9.]+):[0-9]{1,5}", re.ASCII | re.IGNORECASE
)

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]


def parse_address(text: str) -> Address | None:
    """An address as proxies write it, with or without a port; None for anything else.

    An IPv4 address inside IPv6 (::ffff:192.0.2.1) is the IPv4 address. Zones (fe80::1%eth0) are refused: they
    are free text.
    """
    stripped = text.strip()
    found = WITH_PORT.fullmatch(stripped)
    plain = stripped if found is None else found["six"] or found["four"]
    if "%" in plain:
        return None
    try:
        address = ip_address(plain)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def counted_as(text: str) -> str:
    """What a limit counts an address as: an IPv6 address as its /64, since whoever has one has all of them.

    Source: RFC 4291 section 2.5.1 (the lower 64 bits are the host's own), RFC 6177 (no site gets less than a /64).
    """
    address = parse_address(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), IPV6_BITS - HOST_BITS), strict=False))
    return text if address is None else str(address)


def is_within(address: Address, networks: Networks) -> bool:
    """Whether an address lies in one of the networks."""
    return any(address in network for network in networks)


def is_trusted(peer: str, trusted: Networks) -> bool:
    """Whether the other end of the connection is one of our reverse proxies."""
    address = parse_address(peer)
    return address is not None and is_within(address, trusted)


def client_of(peer: str, forwarded_for: str, trusted: Networks) -> str:
    """The right-most address of the chain that is not one of our proxies; the peer itself when it is none.

    A part that is no address ends the chain: the proxy that wrote it is then as far as we can see. So does
    its length: more than twenty hops are nobody's network.
    """
    here = parse_address(peer)
    if here is None:
        return peer
    for part in reversed(forwarded_for.split(",")[-MOST_HOPS:]):
        if not is_within(here, trusted):
            break
        there = parse_address(part)
        if there is None:
            break
        here = there
    return str(here)


def forwarded_scheme(text: str) -> str | None:
    """http or https as the nearest proxy says it, None for anything else."""
    scheme = text.rpartition(",")[2].strip().lower()
    return scheme if scheme in SCHEMES else None


def forwarded_host(text: str) -> str | None:
    """The host (and port) that the nearest proxy was asked for, None for anything that is no host."""
    host = text.rpartition(",")[2].strip()
    return host if HOST.fullmatch(host) else None
