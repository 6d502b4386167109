"""Tests of the rules of care."""
