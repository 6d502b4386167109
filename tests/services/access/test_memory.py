"""What a process remembers for a few seconds: of each database its own, also where one engine serves them in turn."""

from dispatch.services.access.memory import ShortMemory
from tests.conftest import Servers, database_of_its_own


def test_what_is_remembered_of_one_database_is_not_known_of_the_next(servers: Servers) -> None:
    memory: ShortMemory[int] = ShortMemory("test")
    with database_of_its_own(servers) as before, before.session() as session:
        memory.put(session, "key", 1)
        assert memory.get(session, "key") == 1
    with database_of_its_own(servers) as after, after.session() as session:
        assert memory.get(session, "key") is None


def test_who_has_changed_something_reads_the_database_alone(servers: Servers) -> None:
    memory: ShortMemory[int] = ShortMemory("test")
    with database_of_its_own(servers) as database, database.session() as session:
        memory.put(session, "key", 1)
        memory.forget(session)
        memory.put(session, "key", 2)
        assert memory.get(session, "key") is None
