"""Tests of the rules about places and persons."""
