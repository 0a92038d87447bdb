"""The training engine against loops written by hand, and its promises: exact masks, exact repeats, an honest choice."""

import math
from dataclasses import dataclass, replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from silo.data.augment import Augment, Augmented
from silo.data.images import Images
from silo.data.split import Split
from silo.engine import train
from silo.evaluation import accuracy
from silo.mask import Mask, prunable_weights
from silo.precision import computing
from silo.randomness import Purpose, generator, seeded
from silo.recipe import Recipe
from silo.shape import Constant, WarmupStep

RECIPE = Recipe(epochs=2, batch_size=64, momentum=0.9, weight_decay=5e-4, shape=Constant())
MODELS = ["mlp", "small-cnn"]


def dense(model):
    return Mask.dense(prunable_weights(model, norm=True, first=True, head=True))


def run(model, data, recipe=RECIPE, max_lr=0.1, mask=None, seed=0, cycle=0, **options):
    return train(model, data, recipe, max_lr, mask or dense(model), seed=seed, cycle=cycle, **options)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def parameters(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def dropout_net():
    with seeded(0, Purpose.INITIALIZATION):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 40), nn.ReLU(), nn.Dropout(0.5), nn.Linear(40, 10))


@dataclass(frozen=True)
class Window:
    """A shape that trains at max_lr from iteration ``after`` + 1 to ``until``, and at 0 elsewhere."""

    after: int = 0
    until: float = math.inf

    def factor(self, t, steps_per_epoch, epochs):
        return float(self.after < t <= self.until)


def by_hand(model, data, recipe, max_lr, mask, masking, seed, cycle):
    """SGD written out: masks either zero the gradients, as in the released code, or the weights after each step."""
    named = dict(model.named_parameters())
    masks = {
        name: mask.layers[name].float() if name in mask.layers else torch.ones_like(p) for name, p in named.items()
    }
    buffers = {name: torch.zeros_like(p) for name, p in named.items()}
    augmented = Augmented(data.train.pixels, data.train.labels, recipe.augment)
    steps = -(-len(data.train) // recipe.batch_size)
    with torch.no_grad():
        for name, p in named.items():
            p *= masks[name]
    for epoch in range(recipe.epochs):
        model.train()
        order = torch.randperm(len(data.train), generator=generator(seed, Purpose.ORDER, cycle, epoch))
        random = generator(seed, Purpose.AUGMENTATION, cycle, epoch)
        for step, (pixels, labels) in enumerate(augmented.batches(recipe.batch_size, order, random)):
            assert torch.equal(labels, data.train.labels[order[step * recipe.batch_size :][: recipe.batch_size]])
            images = (pixels.float() - data.mean) / data.std
            loss = functional.cross_entropy(model(images), labels)
            gradients = torch.autograd.grad(loss, list(named.values()))
            lr = max_lr * recipe.shape.factor(epoch * steps + step + 1, steps, recipe.epochs)
            with torch.no_grad():
                for (name, p), gradient in zip(named.items(), gradients, strict=True):
                    if masking == "gradients":
                        gradient = gradient * masks[name]
                    buffers[name] = recipe.momentum * buffers[name] + gradient + recipe.weight_decay * p
                    p -= lr * buffers[name]
                    if masking == "weights":
                        p *= masks[name]
    return parameters(model)


RECIPES = {
    "plain": RECIPE,
    "no momentum, much decay": replace(RECIPE, momentum=0.0, weight_decay=0.1),
    "stepped rate": replace(RECIPE, shape=WarmupStep("4it", {"1ep": 0.1})),
    "augmented": replace(RECIPE, augment=Augment(crop=1, flip=True)),
    "whole batch": replace(RECIPE, epochs=5, batch_size=1000),
}


@pytest.mark.parametrize("masking", ["gradients", "weights"])
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_training_is_sgd_by_hand(build, half, few_digits, recipe, masking):
    model = build()
    mask = half(model)
    expected = by_hand(build(), few_digits, recipe, 0.05, mask, masking, seed=3, cycle=2)
    run(model, few_digits, recipe, 0.05, mask, seed=3, cycle=2)
    for name, weight in parameters(model).items():
        torch.testing.assert_close(weight, expected[name], rtol=0, atol=1e-6)


def test_one_step_of_a_convolutional_network_is_sgd_by_hand(build, half, few_digits):
    recipe = replace(RECIPE, epochs=1, batch_size=1000)
    model = build("small-cnn")
    mask = half(model)
    expected = by_hand(build("small-cnn"), few_digits, recipe, 0.05, mask, "gradients", seed=0, cycle=0)
    run(model, few_digits, recipe, 0.05, mask)
    for name, weight in parameters(model).items():
        torch.testing.assert_close(weight, expected[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_a_pruned_weight_is_zero_and_no_other_is_held(build, half, few_digits, name):
    model = build(name)
    mask, before = half(model), parameters(model)
    trained = run(model, few_digits, mask=mask)
    for layer, alive in mask.layers.items():
        for weights in (trained.final[layer], trained.epoch_before[layer], model.get_parameter(layer)):
            assert (weights[~alive] == 0).all()
        assert (trained.final[layer] != before[layer])[alive].all()
    # a bias that starts at 0 may rest there: a channel whose batch-norm weight is pruned is dead
    for bias in before.keys() - mask.layers.keys():
        assert (trained.final[bias] != before[bias])[before[bias] != 0].all()


def test_pruned_weights_are_zero_after_every_step(build, half, few_digits):
    model = build()
    mask = half(model)
    for step in range(1, 7):
        remembered = run(build(), few_digits, mask=mask, remember_at=step).remembered
        assert all((remembered[name][~alive] == 0).all() for name, alive in mask.layers.items())


class Recorder(nn.Module):
    """A network that keeps what it is shown in training."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)
        self.shown = []

    def forward(self, x):
        if self.training:
            self.shown.append(x.clone())
        return self.head(x.flatten(1))


def shown(data, max_lr=0.1, recipe=RECIPE, **options):
    model = Recorder()
    run(model, data, recipe, max_lr, **options)
    return model.shown


def test_each_epoch_shows_every_training_image_once_and_keeps_the_short_last_batch(few_digits):
    batches = shown(few_digits)
    assert [len(batch) for batch in batches] == [64, 64, 22] * 2
    normalized = (few_digits.train.pixels.float() - few_digits.mean) / few_digits.std
    expected = sorted(image.flatten().tolist() for image in normalized)
    for epoch in (batches[:3], batches[3:]):
        assert sorted(image.flatten().tolist() for image in torch.cat(epoch)) == expected
    assert not torch.equal(torch.cat(batches[:3]), torch.cat(batches[3:]))


AUGMENTED = replace(RECIPE, augment=Augment(crop=1, flip=True))


@pytest.mark.parametrize("recipe", [RECIPE, AUGMENTED], ids=["order", "augmentation"])
def test_all_candidates_of_a_seed_and_cycle_see_the_same_batches(few_digits, recipe):
    first = torch.cat(shown(few_digits, 0.1, recipe))
    assert torch.equal(first, torch.cat(shown(few_digits, 0.001, recipe)))
    assert not torch.equal(first, torch.cat(shown(few_digits, 0.1, recipe, seed=1)))
    assert not torch.equal(first, torch.cat(shown(few_digits, 0.1, recipe, cycle=1)))


# ---- exact repeats


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


# ---- what is chosen and reported


@pytest.fixture(scope="module")
def tied(build, few_digits):
    """A training whose best validation accuracy is reached by several epochs, and by the last not."""
    for seed in range(20):
        trained = run(build(), few_digits, replace(RECIPE, epochs=12), 0.3, seed=seed)
        curve = [epoch.validation for epoch in trained.outcome.curve]
        if curve.count(max(curve)) > 1 and curve[-1] != max(curve) and curve[0] != max(curve):
            return seed, trained.outcome
    raise AssertionError("no seed gave a tie")


def test_the_first_best_epoch_is_chosen(tied):
    _, outcome = tied
    curve = [epoch.validation for epoch in outcome.curve]
    assert len(curve) == 12 and outcome.steps == 36
    assert outcome.chosen_epoch == curve.index(max(curve)) + 1
    assert (outcome.validation, outcome.final_validation) == (max(curve), curve[-1])
    assert outcome.validation > outcome.final_validation
    assert (outcome.test, outcome.final_test) == (outcome.curve[outcome.chosen_epoch - 1].test, outcome.curve[-1].test)


def percent_right(model, images, data):
    with torch.no_grad():
        output = model.eval()((images.pixels.float() - data.mean) / data.std)
    return (
        100 * sum(a == b for a, b in zip(output.argmax(1).tolist(), images.labels.tolist(), strict=True)) / len(images)
    )


@pytest.mark.parametrize("which", ["chosen", "final"])
def test_accuracies_are_those_of_the_weights_at_that_epoch(build, few_digits, tied, which):
    """At a constant rate the first k epochs of 12 are a training of k epochs."""
    seed, outcome = tied
    epochs = outcome.chosen_epoch if which == "chosen" else 12
    model = build()
    run(model, few_digits, replace(RECIPE, epochs=epochs), 0.3, seed=seed)
    measured = [percent_right(model, images, few_digits) for images in (few_digits.validation, few_digits.test)]
    chosen, final = (outcome.validation, outcome.test), (outcome.final_validation, outcome.final_test)
    assert measured == pytest.approx(chosen if which == "chosen" else final)


def test_the_test_set_is_looked_at_where_validation_rose_and_at_the_end(tied):
    curve, best = tied[1].curve, -1.0
    for number, epoch in enumerate(curve, 1):
        assert (epoch.test is not None) == (epoch.validation > best or number == len(curve))
        best = max(best, epoch.validation)


def test_validation_and_test_images_are_never_augmented(build, few_digits):
    model = build()
    outcome = run(model, few_digits, replace(RECIPE, augment=Augment(crop=3, flip=True))).outcome
    assert outcome.final_validation == pytest.approx(percent_right(model, few_digits.validation, few_digits))
    assert outcome.final_test == pytest.approx(percent_right(model, few_digits.test, few_digits))


EVALUATED = replace(RECIPE, epochs=3, augment=Augment(crop=3, flip=True, evaluation=True))


def test_as_released_validation_and_test_images_are_augmented_where_the_recipe_says_so(build, few_digits):
    """By draws of their own at each epoch; the training is the same to the bit."""
    model = build()
    trained = run(model, few_digits, EVALUATED, seed=3, cycle=2)
    outcome = trained.outcome
    assert run(build(), few_digits, EVALUATED, seed=3, cycle=2).outcome == outcome
    off = run(build(), few_digits, replace(EVALUATED, augment=Augment(crop=3, flip=True)), seed=3, cycle=2)
    assert same(off.final, trained.final)
    assert [epoch.loss for epoch in off.outcome.curve] == [epoch.loss for epoch in outcome.curve]
    assert [epoch.validation for epoch in off.outcome.curve] != [epoch.validation for epoch in outcome.curve]
    for name, measured in (("validation", outcome.final_validation), ("test", outcome.final_test)):
        images = getattr(few_digits, name)
        with images.augmented(EVALUATED.augment) as augmented:
            random = generator(3, Purpose(f"augmentation {name}"), 2, 2)
            ((pixels, labels),) = augmented.batches(len(images), random=random)
        assert measured == pytest.approx(percent_right(model, Images(pixels, labels), few_digits))


def test_the_loss_is_the_mean_over_images(build, few_digits):
    """At rate 0 every batch meets the first weights, and the short one counts by its images."""
    model = build()
    with torch.no_grad():
        output = model((few_digits.train.pixels.float() - few_digits.mean) / few_digits.std)
        expected = functional.cross_entropy(output, few_digits.train.labels).item()
    outcome = run(model, few_digits, replace(RECIPE, shape=Window(until=0))).outcome
    assert [epoch.loss for epoch in outcome.curve] == pytest.approx([expected] * 2, rel=1e-6)


class Bright(nn.Module):
    """Says 1 where an image is brighter than the mean, else 0."""

    def forward(self, x):
        brightness = x.mean((1, 2, 3))
        return torch.stack([-brightness, brightness], 1)


@pytest.mark.parametrize(
    ("n", "wrong"), [(70, range(64, 70)), (70, range(6)), (64, [0]), (1, []), (129, [128]), (3, [0, 1, 2])]
)
def test_every_image_counts_once_in_a_short_last_batch_too(n, wrong):
    labels = torch.arange(n) % 2
    pixels = (labels * 255).to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 32, 32)
    labels[list(wrong)] = 1 - labels[list(wrong)]
    images = Images(pixels, labels)
    data = Split(images, images, images, torch.full((3, 1, 1), 127.5), torch.ones(3, 1, 1))
    assert accuracy(Bright(), images, data) == pytest.approx(100 * (n - len(list(wrong))) / n)


def test_accuracy_is_measured_without_dropout(few_digits):
    model = dropout_net().train()
    assert len({accuracy(model, few_digits.test, few_digits) for _ in range(5)}) == 1
    assert accuracy(model.train(), few_digits.test, few_digits) == pytest.approx(
        percent_right(model, few_digits.test, few_digits)
    )


def test_digits_are_learnt(build, digits_split):
    """The whole path on the whole data: far above chance (10%), and validation speaks for test."""
    outcome = run(build(), digits_split, replace(RECIPE, epochs=5), 0.1).outcome
    assert outcome.test > 85 and abs(outcome.test - outcome.validation) < 8
    losses = [epoch.loss for epoch in outcome.curve]
    assert losses[-1] < losses[0] / 3


@pytest.mark.parametrize("recipe", [RECIPE, AUGMENTED, EVALUATED], ids=["plain", "augmented", "evaluation, too"])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_normalized_ahead_changes_no_bit(build, few_digits, monkeypatch, name, recipe):
    first = run(build(name), few_digits, recipe)
    monkeypatch.setattr("silo.data.split.NORMALIZED_AHEAD", 0)
    second = run(build(name), few_digits, recipe)
    assert same(first.final, second.final) and first.outcome == second.outcome


# ---- what is left behind


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("step", [1, 2, 3, 5, 6])
def test_remembered_are_the_weights_after_that_step(build, few_digits, name, step):
    """A training whose rate is 0 from then on ends with the same parameters, to the bit."""
    remembered = run(build(name), few_digits, remember_at=step).remembered
    stopped = build(name)
    run(stopped, few_digits, replace(RECIPE, shape=Window(until=step)))
    assert all(torch.equal(remembered[n], p) for n, p in stopped.named_parameters())


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_epoch_before_is_one_epoch_before_the_end(build, half, few_digits, name, epochs):
    """Batch-norm statistics included; of a single epoch it is the start under the mask."""
    model, mask = build(name), half(build(name))
    trained = run(model, few_digits, replace(RECIPE, epochs=epochs), mask=mask)
    if epochs > 1:
        before = run(build(name), few_digits, replace(RECIPE, epochs=epochs - 1), mask=mask).final
    else:
        before = build(name).state_dict()
        before |= {n: before[n] * alive for n, alive in mask.layers.items()}
    assert same(trained.epoch_before, before)
    assert same(trained.final, model.state_dict())


def test_what_is_left_behind_is_a_copy(build, few_digits):
    model = build()
    trained = run(model, few_digits, remember_at=1)
    kept = {part: {n: w.clone() for n, w in getattr(trained, part).items()} for part in ("final", "remembered")}
    run(model, few_digits)
    assert same(trained.final, kept["final"]) and same(trained.remembered, kept["remembered"])


@pytest.mark.parametrize("step", [7, 100])
def test_nothing_can_be_remembered_beyond_the_end(build, few_digits, step):
    with pytest.raises(ValueError, match=f"^remember_at must be at most 6, .*, got {step}$"):
        run(build(), few_digits, remember_at=step)


def test_nothing_is_remembered_by_default(build, few_digits):
    assert run(build(), few_digits).remembered is None


# ---- divergence


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("good_epochs", [0, 1])
def test_divergence_is_an_outcome(build, few_digits, name, good_epochs):
    recipe = replace(RECIPE, epochs=4, shape=Window(after=3 * good_epochs))
    trained = run(build(name), few_digits, recipe, 1e6)
    outcome = trained.outcome
    assert outcome.diverged and outcome.chosen_epoch is None
    assert {outcome.validation, outcome.test, outcome.final_validation, outcome.final_test} == {None}
    assert good_epochs <= len(outcome.curve) < 4 and outcome.steps == 3 * (len(outcome.curve) + 1)
    assert all(math.isfinite(epoch.loss) for epoch in outcome.curve)
    assert trained.remembered is None


def test_weights_that_are_not_finite_are_a_divergence_though_the_loss_is(build, few_digits):
    """One step of the whole set: its loss is that of the start, its weights are those of a rate without bound."""
    recipe = replace(RECIPE, epochs=1, batch_size=1000)
    outcome = run(build(), few_digits, recipe, 1e39).outcome
    assert outcome.diverged and outcome.curve == ()


class Excludes(nn.Module):
    """A network by which one class is impossible: its loss is infinite, its gradients are not."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(x.flatten(1)) + torch.tensor([-math.inf] + [0.0] * 9)


def test_a_loss_that_is_not_finite_is_a_divergence_though_the_weights_are(few_digits):
    trained = run(Excludes(), few_digits)
    assert trained.outcome.diverged and trained.outcome.curve == ()
    assert all(weight.isfinite().all() for weight in trained.final.values())


def test_a_high_but_bearable_rate_is_no_divergence(build, few_digits):
    assert not run(build("small-cnn"), few_digits, max_lr=0.5).outcome.diverged
