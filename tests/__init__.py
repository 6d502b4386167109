"""The tests: rules without a database, everything else on real servers of its own."""
