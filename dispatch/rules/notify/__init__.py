"""Notices: their texts, their signature, and when one may be sent again."""
