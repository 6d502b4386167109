"""The keeper's pages: what stands where, what comes in, rounds lot by lot, counts, disposals, recalls."""

from dispatch.web.stock import books, catalogue, counts, disposals, facilities, lots, opening, recalls, rounds, steps
from dispatch.web.stock.door import blueprint

__all__ = [
    "blueprint",
    "books",
    "catalogue",
    "counts",
    "disposals",
    "facilities",
    "lots",
    "opening",
    "recalls",
    "rounds",
    "steps",
]
