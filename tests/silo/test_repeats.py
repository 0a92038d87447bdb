"""Trainings repeat to the bit, whatever the caller has set; and the arithmetic that they are computed in."""

from dataclasses import replace

import pytest
import torch
from engine_runs import AUGMENTED, RECIPE, Recorder, dropout_net, run, same
from torch import nn

from silo.precision import computing

NETWORKS = {
    "mlp": lambda build: build("mlp"),
    "small-cnn": lambda build: build("small-cnn"),
    "dropout": lambda build: dropout_net(),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_two_runs_are_bitwise_equal_whatever_came_before(build, half, few_digits, network):
    mask = half(network(build))
    torch.manual_seed(1)
    first = run(network(build), few_digits, AUGMENTED, mask=mask)
    torch.manual_seed(99)
    torch.set_num_threads(4)
    second = run(network(build), few_digits, AUGMENTED, mask=mask)
    assert same(first.final, second.final) and same(first.epoch_before, second.epoch_before)
    assert first.outcome == second.outcome


class Draws(Recorder):
    """A network that draws from torch's global generator, as dropout does, and keeps what it drew."""

    def forward(self, x):
        if self.training:
            self.shown.append(torch.rand(()).item())
        return self.head(x.flatten(1))


def test_dropout_is_the_cell_s_own(few_digits):
    """Every seed, cycle, epoch and batch has draws of its own; all candidates share them."""

    def drawn(max_lr=0.1, **options):
        model = Draws()
        run(model, few_digits, RECIPE, max_lr, **options)
        return model.shown

    first = drawn()
    assert drawn(max_lr=0.001) == first
    assert len({*first, *drawn(seed=1), *drawn(cycle=1)}) == 3 * 6


def test_the_callers_random_state_and_threads_are_untouched(few_digits):
    torch.manual_seed(5)
    torch.set_num_threads(3)
    expected = torch.random.get_rng_state()
    run(dropout_net(), few_digits)
    assert torch.equal(torch.random.get_rng_state(), expected)
    assert torch.get_num_threads() == 3


def test_they_are_untouched_by_a_training_that_fails(few_digits):
    class Fails(nn.Linear):
        def forward(self, x):
            torch.rand(3)
            raise KeyError

    model = Fails(2, 2)
    torch.set_num_threads(3)
    expected = torch.random.get_rng_state()
    with pytest.raises(KeyError):
        run(model, few_digits)
    assert torch.equal(torch.random.get_rng_state(), expected)
    assert torch.get_num_threads() == 3


@pytest.fixture
def precision():
    yield
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("setting", ["highest", "high", "medium"])
def test_kernels_are_full_precision_whatever_the_caller_set(build, few_digits, precision, setting):
    """On a CPU that knows bf16, "medium" would change the numbers; the caller's setting is back afterwards."""
    expected = run(build(), few_digits).final
    torch.set_float32_matmul_precision(setting)
    assert same(run(build(), few_digits).final, expected)
    assert torch.get_float32_matmul_precision() == setting


def test_a_caller_of_torch_s_newer_precision_settings_can_train(build, few_digits, precision):
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    run(build(), few_digits)
    assert torch.backends.cuda.matmul.fp32_precision == "tf32"


class Looks(Recorder):
    """A network that keeps by which arithmetic it was computed, in training and in evaluation."""

    def forward(self, x):
        output = super().forward(x)
        self.shown.append((output.dtype, torch.backends.cuda.matmul.fp32_precision, torch.is_autocast_enabled("cpu")))
        return output


@pytest.mark.parametrize(
    ("precision", "seen"),
    [
        ("fp32", (torch.float32, "ieee", False)),
        ("tf32", (torch.float32, "tf32", False)),
        ("bf16", (torch.bfloat16, "ieee", True)),
    ],
)
def test_the_precision_is_the_recipe_s_in_training_and_evaluation(few_digits, precision, seen):
    """And not the caller's; the weights are in single precision always."""
    model = Looks()
    with torch.autocast("cpu", torch.bfloat16):
        trained = run(model, few_digits, replace(RECIPE, precision=precision))
    assert {shown for shown in model.shown if isinstance(shown, tuple)} == {seen}
    assert {weight.dtype for weight in trained.final.values()} == {torch.float32}


@pytest.mark.parametrize(("device", "fused"), [("cpu", True), ("cuda", False)])
def test_attention_s_fused_kernels_are_not_used_on_a_gpu(device, fused):
    """Their gradients differ from run to run there."""
    with computing("fp32", torch.device(device)):
        assert torch.backends.cuda.flash_sdp_enabled() is torch.backends.cuda.mem_efficient_sdp_enabled() is fused
    assert torch.backends.cuda.flash_sdp_enabled()


def test_bf16_changes_the_numbers_and_learns_all_the_same(build, digits_split):
    single, half = (
        run(build(), digits_split, replace(RECIPE, epochs=5, precision=precision), 0.1).outcome
        for precision in ("fp32", "bf16")
    )
    assert single.curve != half.curve
    assert abs(single.test - half.test) < 5
