"""Tests of this floor and domain."""
