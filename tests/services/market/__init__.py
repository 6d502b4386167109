"""Tests of what can be done in the love supermarket."""
