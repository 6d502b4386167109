"""Marked data through the house: what leaves, to whom, and what never does."""
