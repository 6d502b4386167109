"""docker-compose.yml is held to the code: the same commands, the same settings, the same roles."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings import Settings, read_settings
from dispatch.cli import COMMANDS
from dispatch.servers.postgres import DATABASE_STATEMENTS, INSIDE_STATEMENTS, ROLE_STATEMENTS

ROOT = Path(__file__).parent.parent.parent
OPTIONAL = re.compile(r"\$\{\w+:-([^}]*)\}")
"""A variable that need not be given, with what stands for it then."""
SERVERS = {"postgres", "redis"}
HOUSE = {"init", "web", "worker", "sweep", "beat", "alarm"}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_the_services_are_the_processes_of_dispatch_up_and_one_init() -> None:
    assert set(SERVICES) == SERVERS | HOUSE


@pytest.mark.parametrize("name", sorted(HOUSE))
def test_a_service_runs_the_dispatch_command_of_its_name(name: str) -> None:
    assert SERVICES[name]["command"] == ["dispatch", name]
    assert name in COMMANDS


@pytest.mark.parametrize("name", sorted(HOUSE))
def test_every_variable_of_a_service_is_a_setting(name: str) -> None:
    known = {f"DISPATCH_{field.name.upper()}" for field in fields(Settings)}
    assert set(SERVICES[name]["environment"]) <= known


@pytest.mark.parametrize("name", sorted(HOUSE))
def test_with_its_secrets_given_a_service_has_nothing_to_refuse(name: str) -> None:
    given = {"DISPATCH_SECRET": bytes(range(32)).hex(), "DISPATCH_FIELD_KEYS": f"k1:{bytes(range(32)).hex()}"}
    named = SERVICES[name]["environment"].items()
    environment = {key: OPTIONAL.sub(r"\1", str(value)) for key, value in named} | given
    environment["DISPATCH_REDIS_URL"] = "redis://:password@redis:6379"
    settings = read_settings(environment)
    assert settings.problems() == []
    assert not settings.demo


@pytest.mark.parametrize("name", sorted(SERVERS | (HOUSE - {"init"})))
def test_every_lasting_service_has_a_health_check_and_starts_again(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_two_workers_run() -> None:
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


def test_only_init_knows_the_owner_role() -> None:
    knowing = [name for name in HOUSE if "DISPATCH_OWNER_DATABASE_URL" in SERVICES[name]["environment"]]
    assert knowing == ["init"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_secret_has_a_default(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if any(word in key for word in ("PASSWORD", "SECRET", "KEYS", "DATABASE_URL", "REDIS_URL")):
            assert ":?" in value, key
            assert ":-" not in value, key


def test_every_volume_that_is_mounted_is_named() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"])


def test_both_servers_keep_their_data_in_a_volume() -> None:
    assert all(SERVICES[name]["volumes"] for name in SERVERS)


def test_the_container_makes_the_same_roles_and_rights_as_the_embedded_server() -> None:
    script = COMPOSE["configs"]["roles"]["content"]
    for statement in (*ROLE_STATEMENTS, *DATABASE_STATEMENTS, *INSIDE_STATEMENTS):
        assert statement in script


def test_the_image_installs_the_run_lock_by_its_hashes() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes -r requirements.lock" in text
    assert "requirements-test" not in text
