"""The folder of one installation: its lock, its secrets, and who runs in it."""

import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

FIELD_KEY_BYTES = 32


class AlreadyRunning(RuntimeError):
    """Another `dispatch up` holds this home."""


def lock_home(home: Path) -> TextIO:
    """Hold the home for this process's life and write its number; raises AlreadyRunning with the other's."""
    home.mkdir(parents=True, exist_ok=True)
    holder = (home / "lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder.seek(0)
        other = holder.read().strip()
        holder.close()
        raise AlreadyRunning(other) from error
    holder.truncate(0)
    holder.write(str(os.getpid()))
    holder.flush()
    return holder


def make_secrets(home: Path) -> None:
    """Make the secret of this installation and its first field key, once; only their owner can read them."""
    _write_once(home / "secret", secrets.token_hex(32))
    _write_once(home / "keys", f"k1:{secrets.token_hex(FIELD_KEY_BYTES)}")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file in one step: a reader sees the old or the new content, never half of it."""
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        json.dump(content, file, ensure_ascii=False, indent=1)
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty when there is no such file."""
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write_once(path: Path, content: str) -> None:
    if path.exists():
        return
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(content)
        os.fsync(descriptor)
    fresh.replace(path)
