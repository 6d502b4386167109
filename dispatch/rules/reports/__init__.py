"""What reports are about: days and quarters."""
