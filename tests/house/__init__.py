"""The house tests itself: layout, settings, processes, compose file."""
