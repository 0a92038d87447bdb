"""What the records say: intervals, policies, costs, claims."""
