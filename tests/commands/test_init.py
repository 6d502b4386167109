"""`dispatch init` on an installation of an older release: the structure stays, what the release added is there."""

import os
import subprocess
import sys

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from config.seed import policies as seed_policies
from dispatch.services.access import policies
from tests.conftest import Database
from tests.factories.world import make_world


def test_an_upgrade_adds_the_starting_values_that_the_installation_lacks(committed: Database) -> None:
    with committed.session() as session:
        world = make_world(session)
        session.commit()
    key = seed_policies()[0].key
    with create_engine(committed.owner_url, poolclass=NullPool).begin() as owner:
        owner.execute(text("DELETE FROM policies WHERE key = :key"), {"key": key})
    environment = {
        **os.environ,
        "DISPATCH_DATABASE_URL": committed.url,
        "DISPATCH_OWNER_DATABASE_URL": committed.owner_url,
    }
    for said in ("1 starting values added", ""):
        words = [sys.executable, "-m", "dispatch.cli", "init"]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=True)
        assert said in done.stdout
    with committed.session() as session:
        assert policies.policy(session, world.community.id, key) == seed_policies()[0].value
