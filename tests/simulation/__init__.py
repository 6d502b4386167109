"""The deterministic simulation: real services and the real executor, one step at a time from a seed."""
