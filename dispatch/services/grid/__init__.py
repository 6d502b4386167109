"""The grid: places, the registers of people and establishments, posts."""

from dispatch.services.grid.place import Place, PlaceCandidate, home_stairwell, resolve_place

__all__ = ["Place", "PlaceCandidate", "home_stairwell", "resolve_place"]
