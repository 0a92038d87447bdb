"""The recorder of CUDA graphs on a pretended CUDA, which notes what is done on which stream: no kernel runs."""

from contextlib import contextmanager

import pytest
import torch

from silo.graph import WARM_UPS, CaptureError, CudaGraphs

CAPTURE_FAILED = "CUDA error: operation failed due to a previous error during capture"


class Stream:
    def __init__(self, cuda, name):
        self.cuda, self.name = cuda, name

    def wait_stream(self, other):
        self.cuda.log.append(f"{self.name} waits for {other.name}")


class PretendedGenerator:
    """A generator whose state is bound to a capture as one begins, and stays so where it fails."""

    def __init__(self, bound=False):
        self.bound = bound

    def clone_state(self):
        return PretendedGenerator()

    def graphsafe_set_state(self, state):
        self.bound = state.bound


class PretendedCuda:
    """Stands for what of torch.cuda the recorder uses.

    Attributes:
        log: what was done; steps add to it.
        fails_at_the_end: what a capture raises when it ends, as torch does of one that an error has made invalid.
        restores: whether torch then makes the stream from before the capture the current one: torch 2.11 doesn't.
        lost: whether the device answers no more.
    """

    def __init__(self):
        self.log, self.streams, self.pools, self.captured_on = [], 0, [], []
        self.current = self.default = Stream(self, "default")
        self.fails_at_the_end, self.restores, self.lost = None, True, False
        self.default_generators = (PretendedGenerator(),)

    def Stream(self):
        self.streams += 1
        return Stream(self, f"stream {self.streams - 1}")

    def current_stream(self):
        return self.current

    @contextmanager
    def stream(self, stream):
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before

    def synchronize(self):
        if self.lost:
            raise torch.AcceleratorError("CUDA error: unspecified launch failure")

    def current_device(self):
        return 0

    def empty_cache(self):
        self.log.append("empty")

    def CUDAGraph(self):
        return self

    def pool(self):
        return (1, 0)

    def replay(self):
        self.log.append("replay")

    @contextmanager
    def graph(self, graph, pool, stream, capture_error_mode):
        self.pools.append(pool)
        before, self.current = self.current, stream
        self.log.append("capture")
        self.default_generators[0].bound = True
        try:
            yield
        finally:
            if self.fails_at_the_end is not None:
                if self.restores:
                    self.current = before
                raise self.fails_at_the_end
            self.default_generators[0].bound = False
            self.current = before


@pytest.fixture
def cuda(monkeypatch):
    made = PretendedCuda()
    names = ("Stream", "current_stream", "stream", "synchronize", "empty_cache", "CUDAGraph", "graph")
    names += ("current_device", "default_generators")
    for name in names:
        monkeypatch.setattr(torch.cuda, name, getattr(made, name))
    return made


def steps_of(cuda, count):
    return [lambda number=number: cuda.log.append(f"{number} on {cuda.current.name}") for number in range(count)]


def done(log):
    """The log without waiting."""
    return [entry for entry in log if "waits" not in entry]


def test_lanes_warm_up_one_after_another_and_are_captured_side_by_side(cuda):
    """What a lane's warm-up cached on its stream is given back before the next one's, and before the capture."""
    replay = CudaGraphs()(steps_of(cuda, 2))
    alone = [[f"{lane} on stream {lane + 1}"] * WARM_UPS + ["empty"] for lane in range(2)]
    assert done(cuda.log) == [*alone[0], *alone[1], "capture", "0 on stream 1", "1 on stream 2"]
    replay()
    assert cuda.log[-1] == "replay"


def test_every_stream_is_forked_before_any_step_and_joined_after_the_last(cuda):
    CudaGraphs()(steps_of(cuda, 3))
    captured = cuda.log[cuda.log.index("capture") + 1 :]
    forks = [f"stream {lane} waits for stream 0" for lane in (1, 2, 3)]
    joins = [f"stream 0 waits for stream {lane}" for lane in (1, 2, 3)]
    assert captured == [*forks, "0 on stream 1", "1 on stream 2", "2 on stream 3", *joins]


def test_the_graphs_of_a_recorder_share_one_pool_and_each_lane_its_stream(cuda):
    record = CudaGraphs()
    for count in (3, 3, 1):
        record(steps_of(cuda, count))
    assert cuda.pools == [None, (1, 0), (1, 0)]
    assert {entry for entry in done(cuda.log) if entry.startswith("0 on")} == {"0 on stream 1"}


def test_more_lanes_than_streams_share_them(cuda):
    CudaGraphs()(steps_of(cuda, 20))
    assert {"0 on stream 1", "16 on stream 1", "19 on stream 4"} <= {*cuda.log}
    assert cuda.current is cuda.default


def raises(error):
    def step():
        raise error

    return step


def raises_in_a_capture(cuda, error):
    def step():
        if "capture" in cuda.log:
            raise error

    return step


@pytest.mark.parametrize("restores", [True, False], ids=["torch 2.15", "torch 2.11"])
@pytest.mark.parametrize("fails_at_the_end", [None, torch.AcceleratorError(CAPTURE_FAILED)])
def test_a_capture_that_fails_says_what_began_it_and_leaves_the_stream_that_was(cuda, restores, fails_at_the_end):
    cuda.restores, cuda.fails_at_the_end = restores, fails_at_the_end
    step = raises_in_a_capture(cuda, RuntimeError("Cannot copy between CPU and CUDA tensors\nduring a capture"))
    with pytest.raises(CaptureError) as raised:
        CudaGraphs()([step])
    assert str(raised.value) == "RuntimeError: Cannot copy between CPU and CUDA tensors"
    assert cuda.current is cuda.default
    assert not cuda.default_generators[0].bound


def test_a_capture_that_fails_only_at_its_end_is_no_lost_device(cuda):
    cuda.fails_at_the_end = torch.AcceleratorError(CAPTURE_FAILED)
    with pytest.raises(CaptureError, match=f"^AcceleratorError: {CAPTURE_FAILED}$"):
        CudaGraphs()(steps_of(cuda, 1))


@pytest.mark.parametrize("fails_at_the_end", [None, torch.AcceleratorError(CAPTURE_FAILED)])
def test_memory_that_runs_out_is_said_whatever_the_capture_s_end_raises(cuda, fails_at_the_end):
    cuda.fails_at_the_end = fails_at_the_end
    with pytest.raises(torch.OutOfMemoryError, match="3 GiB"):
        CudaGraphs()([raises_in_a_capture(cuda, torch.OutOfMemoryError("Tried to allocate 3 GiB"))])
    assert cuda.current is cuda.default


def test_a_device_that_is_lost_is_an_error_of_its_own(cuda):
    cuda.lost = True
    with pytest.raises(torch.AcceleratorError):
        CudaGraphs()([raises(torch.AcceleratorError("CUDA error: an illegal memory access was encountered"))])
