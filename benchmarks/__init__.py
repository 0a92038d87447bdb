"""Experiment files, and benchmarks of the suite itself."""

import os

# Only files are drawn. oracle.report.figures says so, too, but not all of these import it before matplotlib.
os.environ["MPLBACKEND"] = "agg"
