"""Limits hold while Redis is away: each process counts by itself."""

from dataclasses import replace

from flask import Flask
from flask_limiter import Limiter

from config.settings import get_settings
from dispatch.gateways import limits


def test_a_limit_holds_without_redis() -> None:
    app = Flask("probe")
    nowhere = replace(get_settings(), redis_url="unix:///nowhere/redis.sock?db=2")
    own = Limiter(limits.address, strategy="fixed-window")
    limits.configure(app, nowhere)
    own.init_app(app)

    @app.get("/probe")
    @own.limit("3 per minute")
    def probe() -> str:
        return "ok"

    client = app.test_client()
    assert [client.get("/probe").status_code for _ in range(5)] == [200, 200, 200, 429, 429]


def test_the_secret_of_a_caller_is_no_part_of_its_name() -> None:
    app = Flask("probe")
    with app.test_request_context(headers={"Authorization": "Bearer hq_secret"}):
        name = limits.caller()
        assert name.startswith("caller:")
        assert "secret" not in name
    with app.test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.1"}):
        assert limits.caller() == "address:192.0.2.1"
