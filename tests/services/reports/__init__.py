"""Figures, statements and the checks of the promise on a real database."""
