"""Services of the journal."""
