"""Whole lives through the real processes: HTTP in, webhooks and mail out, the demo's clock between."""
