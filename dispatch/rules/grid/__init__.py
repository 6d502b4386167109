"""Rules about places and persons of the grid: addresses, identity numbers, telephone numbers."""
