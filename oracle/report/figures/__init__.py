"""Figures as png and svg."""

import os

# Only files are drawn, whatever backend a notebook's terminal names; matplotlib refuses to be imported where it knows none so called.
os.environ["MPLBACKEND"] = "agg"
