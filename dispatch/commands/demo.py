"""`dispatch demo`: the demo community, loaded or lived in."""

import argparse

from dispatch import demo


def describe(parser: argparse.ArgumentParser) -> None:
    """Say whether the community is only loaded, or a day is played in it."""
    parser.add_argument("--day", action="store_true", help="play a day of 300 calls in accelerated time")


def run(arguments: argparse.Namespace) -> int:
    """Load the demo community (once; a second time changes nothing), or play a day in it."""
    return demo.main(["--day"] if arguments.day else [])
