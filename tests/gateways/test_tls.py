"""Webhooks under TLS, and the hard limit on a conversation."""

import os
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dispatch.errors import Unavailable
from dispatch.gateways.messages import send
from dispatch.gateways.messages.limit import cut_after
from tests.gateways.receivers import HttpReceiver, http_receiver
from tests.gateways.test_webhook import MESSAGE


def make_certificate(folder: Path, address: str) -> Path:
    """A certificate for an address, signed by itself, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = folder / f"{address}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path


@pytest.fixture
def trusted(tmp_path: Path) -> Iterator[Path]:
    """A certificate for 127.0.0.1 that this process trusts."""
    path = make_certificate(tmp_path, "127.0.0.1")
    os.environ["SSL_CERT_FILE"] = str(path)
    yield path
    del os.environ["SSL_CERT_FILE"]


def under_tls(certificate: Path) -> Iterator[HttpReceiver]:
    """A receiver that speaks TLS with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with http_receiver(context) as running:
        yield running


def address(receiver: HttpReceiver) -> str:
    return receiver.url().replace("http://", "https://")


def test_a_receiver_with_a_good_certificate_is_told_under_tls(trusted: Path) -> None:
    for receiver in under_tls(trusted):
        assert send(replace(MESSAGE, address=address(receiver))) == "200"
        assert [one.body for one in receiver.arrived] == [MESSAGE.body]


def test_a_certificate_that_nobody_vouches_for_is_not_spoken_to(tmp_path: Path) -> None:
    for receiver in under_tls(make_certificate(tmp_path, "127.0.0.1")):
        with pytest.raises(Unavailable):
            send(replace(MESSAGE, address=address(receiver)))
        assert receiver.arrived == []


def test_a_trusted_certificate_of_another_host_is_not_spoken_to(trusted: Path) -> None:
    other = make_certificate(trusted.parent, "127.0.0.2")
    os.environ["SSL_CERT_FILE"] = str(other)
    for receiver in under_tls(other):
        with pytest.raises(Unavailable):
            send(replace(MESSAGE, address=address(receiver)))
        assert receiver.arrived == []


def test_a_peer_that_never_ends_is_cut_off() -> None:
    ours, theirs = socket.socketpair()
    began = time.monotonic()
    with ours, theirs, cut_after(ours, 0.05):
        assert ours.recv(1) == b""
    assert time.monotonic() - began < 5
