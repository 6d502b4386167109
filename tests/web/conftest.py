"""A real server on a database that really commits, and a real browser for the pages."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from dispatch.gateways.limits import limiter
from tests.conftest import Database, the_app

BROWSERS = ("chromium-headless-shell", "chromium")
"""The first one that is there: without the parts that draw windows a page costs half of the time."""
BROWSER_OPTIONS = ("--no-sandbox", "--headless=new", "--disable-gpu", "--disable-dev-shm-usage")


@dataclass(frozen=True, slots=True)
class Site:
    """The running application: its address, the application, its database."""

    url: str
    app: Flask
    database: Database


@pytest.fixture
def site(committed: Database) -> Iterator[Site]:
    """The application in a server of its own on a database of its own."""
    app = the_app()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="site", daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", app, committed)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def fresh_limits(site: Site) -> Iterator[None]:
    """Nobody has asked too often before this test, nor does its asking count in the next one."""
    with site.app.app_context():
        limiter.reset()
    yield
    with site.app.app_context():
        limiter.reset()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium without a window."""
    path = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if path is None:
        pytest.skip("no chromium on this machine: apt-get install chromium-headless-shell")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(BROWSER_OPTIONS))
        yield opened
        opened.close()
