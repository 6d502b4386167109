"""The order core on a real PostgreSQL."""
