"""The released code's way of training, written anew from its description; none of its code is here.

Described: images go one by one through PIL and torchvision's transforms into a DataLoader, in training and in evaluation alike;
after every backward pass each weight and its gradient go to numpy, where the gradients of pruned weights (those that are 0)
become 0, and back; plain SGD; before an epoch the test accuracy is measured (the short last batch dropped), after it that of
the whole training set. Not described, and so as torch has it by default: the loader works in the training process, SGD's
implementation, the memory format, the number of threads.
"""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.speed.task import BATCH, LR, MOMENTUM, WEIGHT_DECAY
from silo.data.images import Images
from silo.data.split import Split


class PilImages(Dataset):
    """Images that lie in memory as arrays, each made a PIL image and transformed when it is read."""

    def __init__(self, images: Images, transform: Callable[[Image.Image], Tensor]) -> None:
        self.arrays = images.pixels.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels, self.transform = images.labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


class ReleasedTraining:
    """One cycle's training of a network, on the device that it is on, under the mask that its zeros are."""

    def __init__(self, model: nn.Module, data: Split) -> None:
        augment = transforms.Compose(
            [
                transforms.RandomCrop(data.train.size, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize((data.mean / 255).flatten().tolist(), (data.std / 255).flatten().tolist()),
            ]
        )
        self.train = DataLoader(PilImages(data.train, augment), BATCH, shuffle=True)
        self.test = DataLoader(PilImages(data.test, augment), BATCH, shuffle=False, drop_last=True)
        self.model, self.device = model, next(model.parameters()).device
        self.loss = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(model.parameters(), LR, MOMENTUM, weight_decay=WEIGHT_DECAY)

    def epoch(self) -> float:
        """Do the steps and the evaluations of one epoch; returns the mean training loss."""
        self.accuracy(self.test)
        mean = self.steps()
        self.accuracy(self.train)
        return mean

    def steps(self) -> float:
        """Do one pass over the training images; returns the mean of the batches' losses."""
        self.model.train()
        losses = []
        for images, labels in self.train:
            images, labels = images.to(self.device), labels.to(self.device)
            self.optimizer.zero_grad()
            loss = self.loss(self.model(images), labels)
            loss.backward()
            self._hold_pruned()
            self.optimizer.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)

    @torch.no_grad()
    def accuracy(self, loader: DataLoader) -> float:
        """Percent of all the loader's images that are classified as labelled; dropped ones count as wrong, as released."""
        self.model.eval()
        correct = 0
        for images, labels in loader:
            images, labels = images.to(self.device), labels.to(self.device)
            correct += (self.model(images).argmax(1) == labels).sum().item()
        return 100 * correct / len(loader.dataset)

    def _hold_pruned(self) -> None:
        for name, parameter in self.model.named_parameters():
            if "weight" in name:
                weight, gradient = parameter.data.cpu().numpy(), parameter.grad.data.cpu().numpy()
                parameter.grad.data = torch.from_numpy(np.where(weight == 0, 0, gradient)).to(self.device)
