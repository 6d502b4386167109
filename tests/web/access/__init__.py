"""Tests of log-in and account."""
