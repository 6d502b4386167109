"""A lived year of the care calendar, counted a second time by rules of its own."""
