"""What reports are about: days and quarters, what is counted, and the figures made of it."""
