"""The interface for Python and notebooks: a study's results as DataFrames, and as plots into matplotlib axes."""
