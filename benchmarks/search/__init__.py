"""What the adaptive Oracle and racing find, beside the exhaustive one, and at which share of its trainings."""
