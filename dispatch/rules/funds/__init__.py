"""Rules of the journal: what an entry may look like, what money of abroad is worth, what may be spent for what."""
