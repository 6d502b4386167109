"""Tests of the sub-commands, run as functions on a real database."""
