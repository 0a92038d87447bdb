"""What the records say: intervals, policies, verdicts."""
