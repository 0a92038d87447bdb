"""The run folder: records, states, checkpoints, lock, environments; written so that nothing is lost."""
