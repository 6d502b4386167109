"""What the house costs, measured side by side with a bare INSERT and Celery's no-op; docs/performance.md has results."""
