"""Tests of what jobs do."""
