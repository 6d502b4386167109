"""Where a webhook may go: resolved once, checked, and connected to exactly what was checked.

Source: promise.md, security 10 (https, private, loopback, link-local and mapped addresses refused).
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from dispatch.errors import Unavailable
from dispatch.gateways.messages.message import Refused

LONGEST_URL = 2_000
PORT_OF = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """A checked place: connect to `addresses` (any of them), ask for `host` and `path` there."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]

    @property
    def host_header(self) -> str:
        """The host as HTTP names it."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == PORT_OF[self.scheme] else f"{name}:{self.port}"


def find_target(url: str, *, demo: bool) -> Target:
    """Resolve and check a URL; raises Refused for one that may not be called, Unavailable if not resolved.

    Outside the demo: https and public addresses only. In the demo a loopback address may be called too,
    and by plain http. Every address that the name has must be allowed.
    """
    parts, port = parse(url)
    addresses = resolve(parts.hostname or "", port)
    is_public_https = parts.scheme == "https" and all(is_public(one) for one in addresses)
    on_loopback = all(ipaddress.ip_address(one).is_loopback for one in addresses)
    if not is_public_https and not (demo and on_loopback):
        raise Refused
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname or "", port, path, addresses)


def parse(url: str) -> tuple[SplitResult, int]:
    """The parts of a URL and its port; raises Refused for what is no plain http(s) address."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise Refused
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused from error
    if parts.scheme not in PORT_OF or not parts.hostname or "@" in parts.netloc or port == 0:
        raise Refused
    return parts, port or PORT_OF[parts.scheme]


def resolve(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host, in the resolver's order, each once; raises Unavailable, Refused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise Refused from error
    except OSError as error:
        raise Unavailable from error
    return tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def is_public(address: str) -> bool:
    """Whether an address is somebody's on the open internet, also behind an IPv6 disguise."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address) and hides_another(found):
        return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def hides_another(address: ipaddress.IPv6Address) -> bool:
    """Whether an IPv6 address carries an IPv4 one (mapped, compatible, 6to4, Teredo, NAT64)."""
    carried = (address.ipv4_mapped, address.sixtofour, address.teredo)
    return any(carried) or address in NAT64 or address in COMPATIBLE


NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
COMPATIBLE = ipaddress.IPv6Network("::/96")
