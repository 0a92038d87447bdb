"""Experiment files, and benchmarks of the suite itself."""

import os

os.environ["MPLBACKEND"] = (
    "agg"  # only files are drawn; oracle.report.figures says so, too, which not all of these import
)
