"""Ctrl-C and SIGTERM end a command within about two seconds, whatever library is at work when they come.

A KeyboardInterrupt alone doesn't: raised in a destructor, or in a function that a C++ library calls back, it is lost, becomes
another error or aborts the process. Nothing is lost by an end at once: what a command writes takes its place whole.
"""

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130  # exit code
GRACE = 1.5  # seconds in which a command may end by the exception
MESSAGE = "interrupted; what is recorded stays: run again to go on"
IMPORT = "<frozen importlib._bootstrap>"  # the file of a frame that imports


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let Ctrl-C, and SIGTERM, which is the end of a batch job, end this process with exit code 130.

    The first in the block raises KeyboardInterrupt there, once no module is being imported, so that what it made beside is
    removed; whatever the block makes of that, the process ends. So it does at once by a second one, or by one after the block.
    """
    came, raised = threading.Event(), threading.Event()

    def end(_: int, frame: FrameType | None) -> None:
        if raised.is_set():
            _exit()
        if not came.is_set():
            came.set()
            warnings.simplefilter("ignore")  # of a library that makes one of the exception
            # no threading.Thread: this may have interrupted the start of one
            _thread.start_new_thread(_exit_later, ())
            _thread.start_new_thread(_interrupt_after_imports, (threading.get_ident(), raised))
        if _is_importing(frame):  # which may make another error of it, or abort
            return
        raised.set()
        sys.unraisablehook = lambda _: None  # the exception lost in a destructor: no traceback of it
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        yield
    finally:
        raised.set()
        if came.is_set():
            with contextlib.suppress(OSError):
                sys.stdout.flush()
            _exit()


def _interrupt_after_imports(thread: int, raised: threading.Event) -> None:
    """Signal again, as long as that is only waited for."""
    while not raised.wait(0.02):
        if not _is_importing(sys._current_frames().get(thread)):
            signal.pthread_kill(thread, signal.SIGINT)  # which wakes it, where it waits


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename != IMPORT:
        frame = frame.f_back
    return frame is not None


def _exit_later() -> NoReturn:
    time.sleep(GRACE)
    _exit()


def _exit() -> NoReturn:
    """End this process without what an interpreter does at its end: that could be interrupted, too."""
    with contextlib.suppress(OSError):
        os.write(2, f"{MESSAGE}\n".encode())  # no print, which this may have interrupted
    os._exit(INTERRUPTED)
