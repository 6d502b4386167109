"""SIA DC-09: frames of alarm devices read and written; nothing here knows a socket, a device or a database."""

from dispatch.gateways.dc09.content import KEY_BYTES, Content, seal, unseal
from dispatch.gateways.dc09.frame import LONGEST_BYTES, BadFrame, Envelope, Fault, checksum, read, write
from dispatch.gateways.dc09.replies import ACK, DUH, NAK, acknowledge, cannot, refuse
from dispatch.gateways.dc09.stream import Splitter

__all__ = [
    "ACK",
    "DUH",
    "KEY_BYTES",
    "LONGEST_BYTES",
    "NAK",
    "BadFrame",
    "Content",
    "Envelope",
    "Fault",
    "Splitter",
    "acknowledge",
    "cannot",
    "checksum",
    "read",
    "refuse",
    "seal",
    "unseal",
    "write",
]
