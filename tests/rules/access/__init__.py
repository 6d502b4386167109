"""Tests of the pure rules of access."""
