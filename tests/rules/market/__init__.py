"""Tests of the rules of the love supermarket."""
