"""How long a sweep will take on this machine: measured for some seconds, then played."""
