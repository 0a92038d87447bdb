"""A patch of Ray's private RayActorManager: a worker that Ray ends for lack of memory is a lost worker.

Tune hears of it by an error of Ray that is neither a task's nor an actor's; its actor manager raises "Caught unexpected
exception" then (ray 2.60), and the whole run would end. Of a Ray without that manager nothing is patched.
tests/oracle/run/test_ray_private.py says when this module can be deleted.
"""

import functools
from typing import Any


def patch_actor_manager() -> bool:
    """Make Tune treat every system error of a call to a worker as the loss of that worker.

    Returns:
        Whether that is patched now, by this call or an earlier one; False where this version of Ray has no such method.
    """
    try:
        from ray.air.execution._internal import RayActorManager
        from ray.exceptions import RayActorError, RayError, RayTaskError

        original = RayActorManager._actor_task_failed
    except (ImportError, AttributeError):
        return False
    if getattr(original, "patched_by", None) == __name__:
        return True

    @functools.wraps(original)
    def actor_task_failed(self: Any, tracked_actor_task: Any, exception: Exception) -> None:
        if isinstance(exception, RayError) and not isinstance(exception, RayTaskError | RayActorError):
            exception = RayActorError(error_msg=str(exception))
        original(self, tracked_actor_task, exception)

    actor_task_failed.patched_by = __name__
    RayActorManager._actor_task_failed = actor_task_failed
    return True
