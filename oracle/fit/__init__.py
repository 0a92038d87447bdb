"""SILO's parameters from what an Oracle found, what such a fit is worth, and from the dense network alone."""
