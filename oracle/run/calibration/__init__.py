"""How long a run will take on this machine: measured for some seconds, then simulated."""
