"""A named reverse proxy is believed and nobody else: limits by address through the application and real gunicorn."""

import itertools
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from ipaddress import ip_network
from pathlib import Path

import pytest
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue

from config.settings import get_settings
from dispatch.app import create_app
from dispatch.gateways import proxy
from dispatch.gateways.limits import limiter
from dispatch.servers.process import wait_until
from dispatch.supervisor.run import answers_ready
from dispatch.web.access import open_to_all
from tests.conftest import ROOT, Database
from tests.processes import free_port

OURS = (ip_network("10.0.0.0/24"), ip_network("fd00:1::/64"))
PROXY, OTHER_PROXY, PROXY_6, STRANGER = "10.0.0.5", "10.0.0.6", "fd00:1::5", "192.0.2.66"
NAMES = (secrets.token_hex(8) for _ in itertools.count())
MOST = 20
"""Log-ins from one address in a minute."""


@open_to_all("a test looks at what the application sees")
def seen() -> ResponseReturnValue:
    """What the application knows of whoever asks."""
    headers = [name for name, _ in request.headers if name.startswith(("X-Forwarded", "Forwarded"))]
    return jsonify([request.remote_addr, request.scheme, request.host, headers])


@pytest.fixture
def client(committed: Database) -> FlaskClient:
    assert committed.url
    app = create_app(replace(get_settings(), trusted_proxies=OURS))
    app.add_url_rule("/probe/seen", view_func=seen)
    with app.app_context():
        limiter.reset()
    return app.test_client()


def look(client: FlaskClient, peer: str, **headers: str) -> list[object]:
    """What the application sees of one request."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.get("/probe/seen", environ_base={"REMOTE_ADDR": peer}, headers=names)
    found: list[object] = answer.get_json()
    return found


def log_in(client: FlaskClient, peer: str, said: str) -> int:
    """A log-in without a form's token, each with a name of its own: refused, and counted by address before that."""
    headers, form = {"X-Forwarded-For": said}, {"login": next(NAMES)}
    return client.post("/login", environ_base={"REMOTE_ADDR": peer}, headers=headers, data=form).status_code


def test_a_named_proxy_says_address_scheme_and_host(client: FlaskClient) -> None:
    said = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "desk.example"}
    assert look(client, PROXY, **said) == ["203.0.113.9", "https", "desk.example", []]
    assert look(client, PROXY_6, **said) == ["203.0.113.9", "https", "desk.example", []]


def test_the_same_words_of_anybody_else_change_nothing(client: FlaskClient) -> None:
    said = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "desk.example"}
    forwarded = {"Forwarded": "for=203.0.113.9;proto=https", "X_Forwarded_Prefix": "/x", "X_Forwarded_Port": "1"}
    assert look(client, STRANGER, **said, **forwarded) == [STRANGER, "http", "localhost", []]
    assert look(client, "2001:db8::66", **said) == ["2001:db8::66", "http", "localhost", []]
    assert look(client, PROXY, **forwarded) == [PROXY, "http", "localhost", []]


def test_what_a_named_proxy_hands_on_is_judged_too(client: FlaskClient) -> None:
    chain = f"1.1.1.1, 2001:db8::9, {OTHER_PROXY}, {PROXY_6}"
    assert look(client, PROXY, X_Forwarded_For=chain) == ["2001:db8::9", "http", "localhost", []]
    nonsense = {"X_Forwarded_For": "203.0.113.9, <script>", "X_Forwarded_Proto": "gopher", "X_Forwarded_Host": "a/b"}
    assert look(client, PROXY, **nonsense) == [PROXY, "http", "localhost", []]


def test_limits_count_the_address_behind_a_named_proxy(client: FlaskClient) -> None:
    one = [log_in(client, PROXY, f"198.51.100.{number}, 203.0.113.9") for number in range(MOST + 1)]
    assert one == [403] * MOST + [429]
    assert log_in(client, OTHER_PROXY, "203.0.113.9") == 429
    assert log_in(client, PROXY, "203.0.113.10") == 403
    assert log_in(client, PROXY_6, "2001:db8::10") == 403


def test_an_ipv6_client_cannot_leave_its_limit_by_the_addresses_of_its_own_network(client: FlaskClient) -> None:
    own = [log_in(client, PROXY, f"2001:db8:0:7::{number:x}") for number in range(MOST + 1)]
    assert own == [403] * MOST + [429]
    assert log_in(client, PROXY, "2001:db8:0:8::1") == 403


def test_a_stranger_cannot_leave_its_limit_by_forging_addresses(client: FlaskClient) -> None:
    forged = [log_in(client, STRANGER, f"203.0.113.{number}") for number in range(MOST + 1)]
    assert forged == [403] * MOST + [429]
    assert log_in(client, PROXY, "203.0.113.7") == 403, "nobody else's count was touched"


def test_nothing_is_believed_where_no_proxy_is_named() -> None:
    app = Flask("probe")
    proxy.install(app, replace(get_settings(), trusted_proxies=()))
    app.add_url_rule("/probe/seen", view_func=seen)
    assert look(app.test_client(), "127.0.0.1", X_Forwarded_For="203.0.113.9")[0] == "127.0.0.1"


@contextmanager
def web(database: Database, folder: Path, trusted: str = "", *, processes: int = 1) -> Iterator[int]:
    """A real `dispatch web` on a port of the loopback; ended in the end."""
    port = free_port()
    settings = get_settings()
    environment = os.environ | {
        "DISPATCH_HOME": str(folder),
        "DISPATCH_DATABASE_URL": database.url,
        "DISPATCH_REDIS_URL": settings.redis_url,
        "DISPATCH_PORT": str(port),
        "DISPATCH_WEB_WORKERS": str(processes),
        "DISPATCH_TRUSTED_PROXIES": trusted,
    }
    said = folder / "said"
    command = [sys.executable, "-m", "dispatch.cli", "web"]
    with said.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: answers_ready("127.0.0.1", port), process, "web", 60, said)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def knock(port: int, address: str) -> int:
    """One log-in over the network, as a proxy on the loopback would hand it on."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    form = "application/x-www-form-urlencoded"
    headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https", "Content-Type": form}
    connection.request("POST", "/login", f"login={next(NAMES)}", headers)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("trusted", ["127.0.0.1,::1", ""])
def test_real_gunicorn_believes_the_loopback_only_where_it_is_named(
    committed: Database, tmp_path: Path, trusted: str
) -> None:
    with web(committed, tmp_path, trusted) as port:
        unlike = [knock(port, f"2001:db8:{secrets.randbelow(65536):x}:{number:x}::1") for number in range(MOST + 1)]
    assert unlike == [403] * (MOST + 1) if trusted else unlike[-1] == 429
