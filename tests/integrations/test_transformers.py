"""The scheduler in Hugging Face's Trainer, as silo's page shows it, and after a stop."""

import pytest
import torch
from pages import CYCLE, RATES, SCHEDULE, SHAPE, block

from silo import PruningCycleLR

transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(8, 4)

    def forward(self, images, labels):
        scores = self.layer(images)
        return {"loss": torch.nn.functional.cross_entropy(scores, labels), "logits": scores}


class Rates(transformers.TrainerCallback):
    """The rate of every step."""

    def __init__(self):
        self.seen = []

    def on_step_begin(self, args, state, control, optimizer, **_):
        self.seen.append(optimizer.param_groups[0]["lr"])


def trained(folder, steps, checkpoint=None):
    arguments = transformers.TrainingArguments(
        str(folder), max_steps=steps, per_device_train_batch_size=8, save_steps=40, report_to=[], use_cpu=True,
        disable_tqdm=True,
    )  # fmt: skip
    images, labels = torch.randn(80, 8), torch.randint(4, (80,))
    dataset = [{"images": image, "labels": label} for image, label in zip(images, labels, strict=True)]
    names = {"torch": torch, "PruningCycleLR": PruningCycleLR, "schedule": SCHEDULE, "shape": SHAPE, "cycle": CYCLE}
    names |= {"model": Network(), "arguments": arguments, "dataset": dataset, "Trainer": transformers.Trainer}
    exec(block("transformers"), names)
    rates = Rates()
    names["trainer"].add_callback(rates)
    names["trainer"].train(resume_from_checkpoint=checkpoint)
    return rates.seen


def test_every_step_has_its_rate(tmp_path):
    assert trained(tmp_path, 100) == pytest.approx(RATES, rel=1e-12)


def test_it_goes_on_from_the_trainer_s_checkpoint(tmp_path):
    first = trained(tmp_path, 40)
    rest = trained(tmp_path, 100, str(tmp_path / "checkpoint-40"))
    assert first + rest == pytest.approx(RATES, rel=1e-12)
