"""A busy week through the real processes: every side path, books that balance, figures counted a second time."""
