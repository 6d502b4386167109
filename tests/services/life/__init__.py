"""Services of life: a death, a move, and taking back what was wrong."""
