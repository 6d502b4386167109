"""Where things run: settings, the clock's page and the logs."""
