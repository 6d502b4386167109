"""Texts, signatures and repeats of notices, without a database."""
