"""Tests of the rules of the catalogue."""
