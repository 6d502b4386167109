"""What the house costs beside a bare INSERT and Celery's no-op, in one run; results: docs/performance.md."""
