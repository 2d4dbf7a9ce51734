"""What other processes run: apart from the tests, so that a spawned process imports torch and little else."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Dataset


class Predictions(Dataset[Tensor]):
    """A data set that holds a network, as one that extracts features on the way does."""

    def __init__(self, model: nn.Module, images: Tensor) -> None:
        self.model = model
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        with torch.no_grad():
            return self.model(self.images[index : index + 1])[0]


def average_gradients(rank: int, model: nn.Module, images: Tensor, folder: Path) -> None:
    """One step of one of two processes, each on its half of the images; leaves the gradients in `folder`."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    parallel = DistributedDataParallel(model.train())
    parallel(images.chunk(2)[rank]).square().mean().backward()
    torch.save({name: parameter.grad for name, parameter in model.named_parameters()}, folder / f"gradients{rank}.pt")
    torch.distributed.destroy_process_group()
