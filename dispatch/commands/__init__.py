"""The doors of the `dispatch` command, one module for each sub-command."""
