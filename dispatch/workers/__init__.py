"""What jobs do: a file a domain, one executor, one sweeper."""
