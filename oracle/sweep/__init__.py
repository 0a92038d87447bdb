"""Training what is asked: cells, chains, workers, Ray."""
