"""Prices as people read them: 室内疏通 60–150 元/次; what a firm takes, from the least to the most."""

from collections.abc import Sequence

from flask_babel import gettext

from dispatch.rules.catalogue.prices import PriceLine, span_of, yuan_of


def amount_words(least: int, most: int) -> str:
    """An amount, or from and to."""
    return yuan_of(least) if least == most else f"{yuan_of(least)}–{yuan_of(most)}"


def line_words(line: PriceLine) -> str:
    """One line of a list."""
    amount = amount_words(line.from_fen, line.to_fen)
    return gettext("%(item)s %(amount)s 元/%(unit)s", item=line.item, amount=amount, unit=line.unit)


def span_words(lines: Sequence[PriceLine]) -> str:
    """About how much a firm takes, empty without a list."""
    span = span_of(lines)
    return "" if span is None else gettext("约 %(amount)s 元", amount=amount_words(*span))
