"""Training on Ray Tune: the only place under oracle/ that imports ray."""
