"""The ways out of the house, against real receivers on the loopback address."""
