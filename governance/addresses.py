"""Which IP addresses are on the public internet. Pure."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: The part of IPv6 that is given out to the public (RFC 4291, IANA's registry); everything else is refused.
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
#: Within it: ways to carry IPv4 (6to4, Teredo) that could lead inside, and documentation (RFC 9637).
_NOT_PUBLIC_V6 = tuple(
    map(ipaddress.IPv6Network, ("2002::/16", "2001::/23", "2001:db8::/32", "3fff::/20", "2620:4f:8000::/48"))
)
#: What a network with DNS64 puts before the address of a public IPv4 host (RFC 6052).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Protocol assignments, Azure's metadata and health server, the 6to4 relays, and AS112: public by number only.
_NOT_PUBLIC_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        ("192.0.0.0/24", "168.63.129.16/32", "192.88.99.0/24", "192.31.196.0/24", "192.175.48.0/24"),
    )
)


def is_public(address: Address) -> bool:
    """True for what anybody can reach: not private, loopback, link-local, multicast, reserved or shared.

    An IPv6 address that carries an IPv4 one (mapped, NAT64) is as good as what it carries.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return _is_public_v4(address)
    carried = address.ipv4_mapped or _behind_nat64(address)
    if carried is not None:
        return _is_public_v4(carried)
    outside = any(address in network for network in _NOT_PUBLIC_V6)
    return address in _PUBLIC_V6 and address.is_global and not outside


def _is_public_v4(address: ipaddress.IPv4Address) -> bool:
    special = address.is_multicast or address.is_reserved or any(address in each for each in _NOT_PUBLIC_V4)
    return address.is_global and not special


def _behind_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None
