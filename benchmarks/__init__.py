"""Experiment files, and benchmarks of the suite itself."""
