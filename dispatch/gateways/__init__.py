"""The network: the broker, messages to performers and users; each with a twin in memory for tests."""
