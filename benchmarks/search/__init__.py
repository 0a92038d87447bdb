"""What the Oracle's searches find, beside the exhaustive one, and at which share of its trainings."""
