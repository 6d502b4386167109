"""The digest of an installation is chosen once: a database that was begun with the other is refused at the start."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from config.settings import get_settings
from dispatch import clock
from dispatch.boot import database_problems
from dispatch.rules.access.ciphers import Digest
from dispatch.rules.access.roles import SYSTEM
from dispatch.services.access import audit, vault
from tests.conftest import ROOT, Database

CACHES = (get_settings, vault.derived_key, vault.chosen_digest)
PHONE = "+8613800005678"


@pytest.fixture
def digest() -> Iterator[Callable[[str], None]]:
    """Give this process another digest, as a restart would; the default comes back afterwards."""

    def choose(word: str) -> None:
        os.environ["DISPATCH_DIGEST"] = word
        for one in CACHES:
            one.cache_clear()

    yield choose
    del os.environ["DISPATCH_DIGEST"]
    for one in CACHES:
        one.cache_clear()


def seal_something(database: Database) -> None:
    """An entry of the audit trail, sealed."""
    with database.session() as session:
        audit.record(session, "access.test", "users", None, actor=SYSTEM)
        session.commit()
        assert audit.seal(session, now=clock.now(session)) == 1
        session.commit()


@pytest.mark.parametrize(("first", "second"), [("sha256", "sm3"), ("sm3", "sha256")])
def test_a_database_that_was_begun_with_the_other_digest_is_refused(
    committed: Database, digest: Callable[[str], None], first: str, second: str
) -> None:
    digest(first)
    assert database_problems(committed.engine) == [], "without seals anything may be chosen"
    seal_something(committed)
    assert database_problems(committed.engine) == []
    with committed.session() as session:
        assert audit.verify_chain(session) == []
        assert audit.digest_of_chain(session) is Digest(first)
    digest(second)
    (reason,) = database_problems(committed.engine)
    assert f"DISPATCH_DIGEST: this database was begun with {first}" in reason


def test_a_real_process_refuses_to_start_and_says_why(committed: Database) -> None:
    seal_something(committed)
    environment = {name: value for name, value in os.environ.items() if name != "DISPATCH_DEMO"}
    environment |= {"DISPATCH_DATABASE_URL": committed.url, "DISPATCH_DIGEST": "sm3"}
    command = [sys.executable, "-m", "dispatch.cli", "keys"]
    refused = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "begun with sha256" in refused.stderr
    environment["DISPATCH_DIGEST"] = "sha256"
    assert subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False).returncode == 0


def test_a_seal_that_nobody_signed_stops_no_start(committed: Database) -> None:
    seal_something(committed)
    with committed.session() as session:
        forged = text(
            "INSERT INTO audit_seals (made_at, entry_ids, previous, digest, signature) "
            "SELECT made_at, '{}', digest, '\\x01'::bytea, '\\x02'::bytea FROM audit_seals"
        )
        session.execute(forged)
        session.commit()
        assert audit.verify_chain(session) != []
    assert database_problems(committed.engine) == []


def test_with_the_other_digest_nothing_is_found_by_its_index(digest: Callable[[str], None]) -> None:
    made = {}
    for word in Digest:
        digest(word)
        made[word] = (vault.blind_index("phone", PHONE), vault.digest("phone", PHONE), vault.sign("csrf", b"visit"))
        assert vault.is_signed("csrf", b"visit", vault.sign("csrf", b"visit"))
    assert not set(made[Digest.SHA256]) & set(made[Digest.SM3])
