"""Training what is asked: cells, chains, the run folder, Ray."""
