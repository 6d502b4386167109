"""The keeper's pages: what stands where, what comes in, rounds lot by lot, counts, disposals, recalls."""

from dispatch.web.stock import counts, disposals, facilities, lots, recalls, rounds
from dispatch.web.stock.door import blueprint

__all__ = ["blueprint", "counts", "disposals", "facilities", "lots", "recalls", "rounds"]
