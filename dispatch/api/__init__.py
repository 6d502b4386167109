"""HTTP in JSON: what machines talk to."""
