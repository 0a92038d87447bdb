"""Figures as png and svg (plot_NAME), and what they are made of: drawings into given axes (draw_NAME)."""
