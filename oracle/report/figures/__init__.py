"""Figures as png and svg."""

import os

# Only files are drawn, whatever backend a notebook's terminal names: one that matplotlib doesn't know would end its import.
os.environ["MPLBACKEND"] = "agg"
