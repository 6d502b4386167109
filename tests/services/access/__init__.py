"""Tests of the services of access."""
