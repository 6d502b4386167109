"""Rules of the catalogue: finding a kind by its name, and working time."""
