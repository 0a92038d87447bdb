"""The verdicts: one module for each claim."""
