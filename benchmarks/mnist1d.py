"""Whether MNIST-1D and its networks are the paper's: its accuracies, by its training, on its samples.

    python benchmarks/mnist1d.py [--to results/mnist1d]      # three minutes of one core

The package's default data (seed 42: 4,000 training and 1,000 test samples, standardized), Adam at 1e-2, batches of 100 in
order, 6,000 steps, torch's initialization; accuracy of the last weights, on those 1,000 and on the source's own test set of
10,000 (seed 1,000,000). The package's perceptron adds a shortcut around its second layer, and its notebook makes it 256 wide:
"mlp 256 with shortcut", which is no part of the suite.

Source: Greydanus and Kobak, ICML 2024, arXiv 2011.14439: 68% and 94%.
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from oracle.report.tables.markdown import markdown
from silo.data.mnist1d import mnist1d
from silo.model.cnn_1d import cnn_1d
from silo.model.mlp import mlp

SEEDS, STEPS, BATCH, TRAINING = 5, 6000, 100, 4000
PAPER = {"mlp": 68, "mlp 256": 68, "mlp 256 with shortcut": 68, "cnn-1d": 94}


class Shortcut(nn.Module):
    """The package's perceptron."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(40, 256), nn.Linear(256, 256), nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x.flatten(1)).relu()
        return self.head(hidden + self.second(hidden).relu())


NETWORKS = {
    "mlp": lambda: mlp(1, (40,), 10),
    "mlp 256": lambda: mlp(1, (40,), 10, hidden=(256, 256)),
    "mlp 256 with shortcut": Shortcut,
    "cnn-1d": lambda: cnn_1d(1, (40,), 10),
}


def main() -> None:
    """Train, and write mnist1d.csv and README.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("results/mnist1d"), metavar="FOLDER")
    folder = parser.parse_args().to
    torch.set_num_threads(1)
    began = time.monotonic()
    table = pd.DataFrame([_trained(network, seed) for network in NETWORKS for seed in range(SEEDS)])
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "mnist1d.csv", index=False, lineterminator="\n")
    (folder / "README.md").write_text(_page(table, time.monotonic() - began), encoding="utf-8")
    print(f"{folder}/README.md")


def _trained(network: str, seed: int) -> dict[str, float | str]:
    data = mnist1d(train=5000, test=10_000)
    mean, std = data.train.values.mean(), data.train.values.std(correction=0)
    (x, own), y = ((part.values - mean) / std for part in (data.train, data.test)), data.train.labels
    torch.manual_seed(seed)
    model = NETWORKS[network]()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(STEPS):
        at = step * BATCH % TRAINING
        optimizer.zero_grad()
        functional.cross_entropy(model(x[at : at + BATCH]), y[at : at + BATCH]).backward()
        optimizer.step()
    return {
        "network": network,
        "parameters": sum(p.numel() for p in model.parameters()),
        "seed": seed,
        "training": _percent(model, x[:TRAINING], y[:TRAINING]),
        "test_1000": _percent(model, x[TRAINING:], y[TRAINING:]),
        "test_10000": _percent(model, own, data.test.labels),
    }


@torch.no_grad()
def _percent(model: nn.Module, x: Tensor, y: Tensor) -> float:
    return round(100 * (model(x).argmax(1) == y).double().mean().item(), 2)


def _page(table: pd.DataFrame, seconds: float) -> str:
    rows = []
    for network, of_network in table.groupby("network", sort=False):
        row = {"Network": network, "Parameters": of_network.parameters.iloc[0]}
        for name, title in (("training", "Training"), ("test_1000", "Test, 1,000"), ("test_10000", "Test, 10,000")):
            row[f"{title} (%)"] = f"{of_network[name].mean():.1f} ± {of_network[name].std():.1f}"
        rows.append(row | {"The paper's (%)": PAPER[network]})
    intro = __doc__.split("\n\n")[2]
    return (
        f"# MNIST-1D: the paper's accuracies\n\n{intro}\n\n{markdown(pd.DataFrame(rows).astype(str)).rstrip()}\n\n"
        f"Mean ± standard deviation of {SEEDS} seeds of the network (0 to {SEEDS - 1}); each is a row of "
        f"[mnist1d.csv](mnist1d.csv). The paper: Greydanus and Kobak, ICML 2024, arXiv 2011.14439, 68% and 94%.\n\n"
        f"Made by `python benchmarks/mnist1d.py` in {seconds:.0f} s on one core of {platform.machine()}, "
        f"torch {torch.__version__}, numpy {np.__version__}, Python {platform.python_version()}.\n"
    )


if __name__ == "__main__":
    main()
