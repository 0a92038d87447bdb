"""How fast the suite trains, as ratios that are measured side by side; `python -m benchmarks.speed` measures them."""
