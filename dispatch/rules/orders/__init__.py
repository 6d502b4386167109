"""Orders: life cycle, numbers, routing, clocks, duplicates, callbacks and intake, as pure rules."""
