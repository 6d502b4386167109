"""The executor and what it does: jobs, periods, deliveries."""
