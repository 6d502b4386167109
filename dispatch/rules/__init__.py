"""What the mission and the standards fix: pure functions, without database, network, settings or clock."""
