"""Sizes and powers of every verdict, over simulated studies whose truth is known."""
