"""Settings: read once, refused when they cannot be used, and dangerous ones named."""

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.redis_urls import redis_is_open, redis_urls
from config.settings import CIPHERS, DIGESTS, BadSetting, parse_field_keys, read_settings, socket_folder
from dispatch.rules.access.ciphers import Cipher, Digest

RANDOM = bytes(range(32)).hex()
SAFE = {"DISPATCH_HOME": "/srv/dispatch", "DISPATCH_SECRET": RANDOM, "DISPATCH_FIELD_KEYS": f"k1:{RANDOM}"}


def test_without_variables_everything_points_to_the_embedded_servers_of_var() -> None:
    settings = read_settings({})
    assert settings.home == Path("var").absolute()
    assert settings.port == 8096
    assert settings.host == "127.0.0.1"
    assert settings.base_url == "http://127.0.0.1:8096"
    assert settings.database_url.startswith("postgresql://dispatch_app@/dispatch?host=")
    assert settings.owner_database_url.startswith("postgresql://dispatch_owner@/dispatch?host=")
    assert not settings.demo


def test_a_named_database_never_gets_the_embedded_owner() -> None:
    settings = read_settings({**SAFE, "DISPATCH_DATABASE_URL": "postgresql://dispatch_app@elsewhere/dispatch"})
    assert settings.owner_database_url == ""


def test_settings_cannot_be_changed() -> None:
    settings = read_settings(SAFE)
    with pytest.raises(FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = read_settings({**SAFE, "DISPATCH_SMTP_URL": "smtp://user:hidden@mail"})
    assert RANDOM not in repr(settings)
    assert "hidden" not in repr(settings)


def test_a_safe_installation_has_no_problems() -> None:
    assert read_settings(SAFE).problems() == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"DISPATCH_SECRET": ""}, "DISPATCH_SECRET"),
        ({"DISPATCH_SECRET": "short"}, "DISPATCH_SECRET"),
        ({"DISPATCH_SECRET": "a" * 64}, "not a random value"),
        ({"DISPATCH_FIELD_KEYS": ""}, "DISPATCH_FIELD_KEYS"),
        ({"DISPATCH_DEBUG": "1"}, "DISPATCH_DEBUG"),
        ({"DISPATCH_REDIS_URL": "redis://10.0.0.5:6379"}, "Redis"),
    ],
)
def test_each_danger_is_named(change: dict[str, str], word: str) -> None:
    problems = read_settings({**SAFE, **change}).problems()
    assert [reason for reason in problems if word in reason]


@pytest.mark.parametrize(
    "wrong",
    [
        {"DISPATCH_PORT": "0"},
        {"DISPATCH_PORT": "65536"},
        {"DISPATCH_PORT": "80a"},
        {"DISPATCH_PORT": "٨٠"},
        {"DISPATCH_DEMO": "perhaps"},
        {"DISPATCH_REDIS_URL": "http://127.0.0.1"},
        {"DISPATCH_REDIS_URL": "unix://relative"},
        {"DISPATCH_FIELD_KEYS": "k1"},
        {"DISPATCH_FIELD_KEYS": "k1:00"},
        {"DISPATCH_FIELD_KEYS": f":{RANDOM}"},
        {"DISPATCH_FIELD_KEYS": f"k1:{RANDOM},k1:{RANDOM}"},
        {"DISPATCH_CIPHER": "sm4"},
        {"DISPATCH_DIGEST": "md5"},
        {"DISPATCH_TRUSTED_PROXIES": "proxy.example"},
        {"DISPATCH_TRUSTED_PROXIES": "10.0.0.5/8"},
        {"DISPATCH_TRUSTED_PROXIES": "10.0.0.0/33"},
        {"DISPATCH_TRUSTED_PROXIES": "10.0.0.1 10.0.0.2"},
        {"DISPATCH_TRUSTED_PROXIES": "*"},
        {"DISPATCH_TRUSTED_PROXIES": "0.0.0.0/0"},
        {"DISPATCH_TRUSTED_PROXIES": "10.0.0.1,::/0"},
    ],
)
def test_a_value_that_cannot_be_used_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(BadSetting, match="DISPATCH_"):
        read_settings({**SAFE, **wrong})


def test_the_first_field_key_is_current_and_the_others_stay() -> None:
    keys = parse_field_keys(f"k2:{RANDOM}, k1:{RANDOM}")
    assert [key.key_id for key in keys] == ["k2", "k1"]
    assert keys[0].secret == bytes(range(32))


def test_the_secrets_that_up_has_made_are_read_from_the_home(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(RANDOM, encoding="ascii")
    (tmp_path / "keys").write_text(f"k1:{RANDOM}", encoding="ascii")
    settings = read_settings({"DISPATCH_HOME": str(tmp_path)})
    assert settings.secret == RANDOM
    assert settings.problems() == []


def test_cipher_and_digest_are_chosen_by_name_and_each_name_is_known_to_the_rules() -> None:
    assert (read_settings(SAFE).cipher, read_settings(SAFE).digest) == ("aes-256-gcm", "sha256")
    chosen = read_settings({**SAFE, "DISPATCH_CIPHER": "SM4-GCM", "DISPATCH_DIGEST": "sm3"})
    assert (chosen.cipher, chosen.digest) == ("sm4-gcm", "sm3")
    assert tuple(cipher.label for cipher in Cipher) == CIPHERS
    assert tuple(Digest) == DIGESTS


def test_trusted_proxies_are_addresses_and_networks_and_by_default_none() -> None:
    assert read_settings(SAFE).trusted_proxies == ()
    named = read_settings({**SAFE, "DISPATCH_TRUSTED_PROXIES": "10.0.0.5, 192.168.0.0/16,fd00:1::/64,"})
    assert [str(one) for one in named.trusted_proxies] == ["10.0.0.5/32", "192.168.0.0/16", "fd00:1::/64"]


def test_one_redis_socket_has_three_spellings() -> None:
    for spelling in ("unix:///run/r.sock", "redis+socket:///run/r.sock", "redis+unix:///run/r.sock?db=9"):
        urls = redis_urls(spelling)
        assert urls.celery == "redis+socket:///run/r.sock?virtual_host=0"
        assert urls.own == "unix:///run/r.sock?db=2"
        assert urls.limiter == "redis+unix:///run/r.sock?db=3"


def test_one_redis_on_the_network_has_three_spellings() -> None:
    urls = redis_urls("rediss://:secret@redis:6379/7")
    assert urls.celery == "rediss://:secret@redis:6379/0"
    assert urls.own == "rediss://:secret@redis:6379/2"
    assert urls.limiter == "rediss://:secret@redis:6379/3"


def test_settings_give_the_spellings_of_their_own_redis() -> None:
    settings = read_settings({**SAFE, "DISPATCH_REDIS_URL": "redis://127.0.0.1:6390"})
    assert settings.redis_url == "redis://127.0.0.1:6390/2"
    assert settings.celery_broker_url == "redis://127.0.0.1:6390/0"
    assert settings.limiter_storage_url == "redis://127.0.0.1:6390/3"
    assert replace(settings, redis_url="unix:///r.sock").celery_broker_url.startswith("redis+socket://")


@pytest.mark.parametrize(
    ("url", "is_open"),
    [
        ("unix:///r.sock", False),
        ("redis://127.0.0.1:6379", False),
        ("redis://localhost", False),
        ("redis://[::1]:6379", False),
        ("redis://redis:6379", True),
        ("redis://0.0.0.0:6379", True),
        ("redis://:password@redis:6379", False),
    ],
)
def test_redis_is_open_beyond_this_machine_only_without_a_password(url: str, is_open: bool) -> None:  # noqa: FBT001
    assert redis_is_open(url) is is_open


@given(st.text("abc/", max_size=300).map(lambda tail: Path("/") / tail.strip("/")))
def test_a_socket_path_always_fits_and_homes_do_not_share_one(home: Path) -> None:
    folder = socket_folder(home)
    assert len(str(folder / ".s.PGSQL.5432.lock")) <= 107
    assert folder != socket_folder(home / "other")
