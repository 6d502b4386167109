"""`dispatch demo`: the demo community, loaded or lived in."""

import argparse
import sys

from config.settings import Settings, get_settings
from dispatch.boot import boot
from dispatch.demo.loading import Loaded, load
from dispatch.demo.sheet import inbox_url, write_sheet

EXIT_REFUSED = 2


def describe(parser: argparse.ArgumentParser) -> None:
    """Nothing to choose yet."""
    parser.epilog = "Works only where DISPATCH_DEMO is 1."


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001 - the shape of every command
    """Load the demo community (once; a second time changes nothing)."""
    settings = get_settings()
    if not settings.demo:
        print("dispatch demo: 只能在演示环境使用 · only where DISPATCH_DEMO is 1", file=sys.stderr)
        return EXIT_REFUSED
    return load_community(settings)


def load_community(settings: Settings) -> int:
    """Load what is missing, write the sheet, and say what was done."""
    boot()
    loaded = load(settings.home, settings.secret, inbox_url(settings.home, settings.port + 1))
    path = write_sheet(settings, loaded.community)
    tell(loaded)
    print(f"账号和密钥在 · log-ins and keys are in {path}")
    return 0


def tell(loaded: Loaded) -> None:
    """Say what a load has done."""
    if not loaded.is_new:
        print(f"演示社区已在库中,没有改动 · the demo community is there already ({loaded.seconds:.1f} s)")
        return
    for title, count in loaded.rows.items():
        print(f"  {title}: {count}")
    print(f"演示社区已载入 · the demo community is loaded ({loaded.seconds:.1f} s)")
