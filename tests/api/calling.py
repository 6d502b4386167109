"""Calling the API in tests: an application on a database of its own, with a key."""

from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dispatch.rules.access.roles import SYSTEM, Right
from dispatch.services.access import keys
from tests.conftest import Database, the_app
from tests.factories.grid import NOW


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls the API with a key."""

    client: FlaskClient
    key: str

    def get(self, path: str, **query: Any) -> TestResponse:
        """GET a path with a query."""
        return self.client.get(path, query_string=query, headers={"Authorization": f"Bearer {self.key}"})


def caller(database: Database, organisation_id: int, *rights: Right) -> Caller:
    """A caller with a key at an organisation."""
    with database.session() as session:
        _, key = keys.create_key(
            session, name="test", organisation_id=organisation_id, scopes=rights, actor=SYSTEM, now=NOW
        )
        session.commit()
    return Caller(the_app().test_client(), key)
