"""Figures as png and svg."""
