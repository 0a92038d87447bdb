"""The command line: arguments, and the texts of plan, status and merge."""
