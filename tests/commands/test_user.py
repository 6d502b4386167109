"""`dispatch user`: accounts and keys from the terminal, with the password never on the command line."""

import subprocess
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
from sqlalchemy import select

from dispatch import clock
from dispatch.cli import main
from dispatch.models.access import ApiKey, Membership, User
from dispatch.services.access import keys, sign_in
from dispatch.services.access.sign_in import Outcome
from tests.conftest import Database
from tests.factories.access import make_organisation

PASSWORD = "correct horse battery"


@pytest.fixture
def place(committed: Database) -> str:
    with committed.session() as session:
        centre = make_organisation(session, "centre")
        session.commit()
        return centre.code


def test_a_user_made_given_a_role_and_disabled_from_the_terminal(
    committed: Database, place: str, stdin: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin.write(PASSWORD + "\n")
    stdin.seek(0)
    assert main(["user", "add", "linfang", "--name", "林芳", "--stdin"]) == 0
    assert main(["user", "role", "linfang", "operator", "--at", place]) == 0
    with committed.session() as session:
        assert session.scalars(select(Membership.role)).all() == ["operator"]
        assert sign_in.log_in(session, "linfang", PASSWORD, now=clock.now(session)).outcome is Outcome.DONE
    assert main(["user", "disable", "linfang"]) == 0
    with committed.session() as session:
        assert session.scalars(select(User)).one().disabled_at is not None
    assert PASSWORD not in capsys.readouterr().out


def test_a_key_is_shown_once_works_and_is_revoked(
    committed: Database, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["user", "key", "热线", "--at", place, "--scope", "orders.place", "--scope", "orders.read"]) == 0
    plain = capsys.readouterr().out.strip().splitlines()[-1]
    with committed.session() as session:
        assert keys.authenticate_key(session, plain) is not None
        key_id = session.scalars(select(ApiKey.id)).one()
    assert main(["user", "revoke", str(key_id)]) == 0
    with committed.session() as session:
        assert keys.authenticate_key(session, plain) is None


@pytest.mark.usefixtures("committed")
def test_a_refusal_is_told_on_the_error_stream_with_its_field(
    place: str, stdin: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin.write("short\n")
    stdin.seek(0)
    assert main(["user", "add", "linfang", "--name", "林芳", "--stdin"]) == 1
    assert "password: 密码需要 12 到 128 个字符" in capsys.readouterr().err
    assert main(["user", "role", "nobody", "operator", "--at", place]) == 1
    assert main(["user", "disable", "nobody"]) == 1


def test_help_tells_every_verb_and_gives_examples() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "dispatch.cli", "user", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for word in ("add", "role", "disable", "password", "second-factor", "key", "revoke", "examples:"):
        assert word in said


@pytest.fixture
def stdin() -> Iterator[StringIO]:
    before, given = sys.stdin, StringIO()
    sys.stdin = given
    yield given
    sys.stdin = before
