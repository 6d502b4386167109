"""The reverse proxies that may say for whom they ask, as networks."""

from ipaddress import IPv4Network, IPv6Network, ip_network

Networks = tuple[IPv4Network | IPv6Network, ...]


def proxy_networks(text: str) -> Networks:
    """Read addresses and networks, separated by commas; raises ValueError with the reason.

    A network with host bits (10.0.0.5/8) is most likely a slip, and one that holds every address would let
    everybody forge: both are refused.
    """
    return tuple(_network(part.strip()) for part in text.split(",") if part.strip())


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        reason = f"{text} is neither an address nor a network such as 10.0.0.0/24 or fd00::/64"
        raise ValueError(reason) from error
    if network.prefixlen == 0:
        reason = f"{text} is everybody: name the proxy's own address or network"
        raise ValueError(reason)
    return network
