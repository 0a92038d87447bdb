"""How long a worker that has nothing to train waits before it asks again."""

SHORTEST_WAIT, LONGEST_WAIT = 0.05, 2.0  # seconds


def idle_wait(idle: float) -> float:
    """Return the seconds to wait before the next question: as long as the worker has been idle (seconds), within limits."""
    return min(max(idle, SHORTEST_WAIT), LONGEST_WAIT)
