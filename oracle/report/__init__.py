"""Showing it: tables, plots, the report."""
