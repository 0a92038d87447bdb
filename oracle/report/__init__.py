"""Showing it: tables, figures, the page, publications and exports."""
