"""Notices, alarms and inboxes on a real database."""
