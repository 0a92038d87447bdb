"""The scheduler in Lightning, as silo's page shows it, and after a stop."""

import pytest
import torch
from pages import CYCLE, EPOCHS, RATES, SCHEDULE, SHAPE, block

from silo import PruningCycleLR

lightning = pytest.importorskip("lightning")

NAMES = {"torch": torch, "PruningCycleLR": PruningCycleLR, "schedule": SCHEDULE, "shape": SHAPE}
exec(block("lightning"), NAMES)


class Network(lightning.LightningModule):
    """It remembers the rate of every step."""

    cycle = CYCLE
    configure_optimizers = NAMES["configure_optimizers"]

    def __init__(self):
        super().__init__()
        self.layer, self.rates = torch.nn.Linear(8, 4), []

    def training_step(self, batch, _):
        self.rates.append(self.optimizers().param_groups[0]["lr"])
        images, labels = batch
        return torch.nn.functional.cross_entropy(self.layer(images), labels)


def fit(folder, epochs, checkpoint=None):
    data = torch.utils.data.TensorDataset(torch.randn(80, 8), torch.randint(4, (80,)))
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", default_root_dir=folder, logger=False, enable_progress_bar=False
    )
    network = Network()
    trainer.fit(network, torch.utils.data.DataLoader(data, batch_size=8), ckpt_path=checkpoint)
    trainer.save_checkpoint(folder / "last.ckpt")
    return network.rates


def test_every_step_has_its_rate(tmp_path):
    assert fit(tmp_path, EPOCHS) == RATES


def test_it_goes_on_from_lightning_s_checkpoint(tmp_path):
    first = fit(tmp_path, 4)
    rest = fit(tmp_path, EPOCHS, tmp_path / "last.ckpt")
    assert first + rest == RATES and len(first) == 40
