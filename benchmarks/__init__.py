"""Experiment files, and benchmarks of the suite itself."""

import os

# Only files are drawn, whatever backend a notebook's terminal names: one that matplotlib doesn't know would end its import.
os.environ["MPLBACKEND"] = "agg"
