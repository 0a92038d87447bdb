"""The run folder: what is recorded, kept and logged there, and how it is written so that nothing is lost."""
