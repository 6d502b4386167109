"""Tests of the pages about orders."""
