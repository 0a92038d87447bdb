"""SILO's parameters: from an Oracle's intervals, or from the dense network alone."""
