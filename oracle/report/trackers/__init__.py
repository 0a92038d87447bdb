"""A study and its trainings in others' experiment trackers, which must be installed beside."""
