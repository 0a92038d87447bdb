"""Doing it: workers that train what is missing, in this process or on Ray."""
