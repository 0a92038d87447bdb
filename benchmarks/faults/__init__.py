"""Faults of machines: signals, full disks and damaged files, and what every command makes of them."""
