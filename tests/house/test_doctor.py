"""`dispatch doctor` sees what is well and names what is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from config.settings import Settings, embedded_database_url, embedded_redis_url
from dispatch.commands.doctor import examine
from dispatch.supervisor.home import write_json
from tests.conftest import Database, Servers
from tests.factories.alarms import watched
from tests.factories.world import make_world
from tests.processes import free_port


def test_a_running_home_is_well(servers: Servers, settings: Settings) -> None:
    assert servers.redis.is_ready()
    findings = list(examine(settings))
    assert not [finding.sentence for finding in findings if not finding.well]
    assert [finding for finding in findings if "migration" in finding.sentence]


def test_servers_that_do_not_answer_are_named(settings: Settings, tmp_path: Path) -> None:
    empty = tmp_path / "h"
    alone = replace(
        settings,
        database_url=embedded_database_url(empty, "dispatch_app"),
        redis_url=embedded_redis_url(empty),
    )
    wrong = [finding.sentence for finding in examine(alone) if not finding.well]
    assert len(wrong) == 2
    assert wrong[0].startswith("Redis does not answer")
    assert wrong[1].startswith("the database does not answer")


def test_a_process_that_has_gone_is_named(servers: Servers, settings: Settings, tmp_path: Path) -> None:
    assert servers.postgres.is_ready()
    write_json(tmp_path / "processes.json", {"web": 2**22 + 1})
    wrong = [finding.sentence for finding in examine(replace(settings, home=tmp_path)) if not finding.well]
    assert wrong == [f"web ({2**22 + 1}) has gone"]


def test_devices_without_a_receiver_are_named(committed: Database, settings: Settings) -> None:
    with committed.session() as session:
        watched(session, make_world(session))
        session.commit()
    here = replace(settings, database_url=committed.url, alarm_port=free_port())
    told = [one for one in examine(here) if one.sentence.startswith("alarm devices:")]
    assert [one.well for one in told] == [False, True]
    assert "1 in homes, 0 silent, none was ever heard" in told[1].sentence


@pytest.mark.parametrize("demo", [True, False])
def test_an_unsafe_setting_is_wrong_only_outside_the_demo(
    servers: Servers,
    settings: Settings,
    demo: bool,  # noqa: FBT001
) -> None:
    assert servers.postgres.is_ready()
    findings = list(examine(replace(settings, secret="short", demo=demo)))
    assert [finding.well for finding in findings if "DISPATCH_SECRET" in finding.sentence] == [demo, demo]
