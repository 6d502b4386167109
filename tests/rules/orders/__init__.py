"""Tests of the pure rules of orders."""
