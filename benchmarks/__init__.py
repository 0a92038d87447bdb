"""Experiment files, and benchmarks of the suite itself."""

import oracle.report.figures  # noqa: F401 (before matplotlib: it says that only files are drawn)
