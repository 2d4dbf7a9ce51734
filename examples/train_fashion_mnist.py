"""Trains the network of a spec on Fashion-MNIST or on scikit-learn's digits: a plain PyTorch loop.

python examples/train_fashion_mnist.py                                  # a small residual network, digits: seconds
python examples/train_fashion_mnist.py --data fashion-mnist --epochs 4  # apt-get install dataset-fashion-mnist: minutes
python examples/train_fashion_mnist.py cifar_resnet20 --data ~/folder   # any spec, any folder with the four IDX files
"""

from __future__ import annotations

import argparse
import gzip
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn

import archbuilder

HERE = Path(__file__).parent
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def read_idx(folder: Path, name: str) -> Tensor:
    """One IDX file, zipped or not: a magic number, the shape, then bytes."""
    path = next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
    if path is None:
        raise SystemExit(
            f"{folder / name}[.gz] is not there.\n"
            "Fashion-MNIST comes with `apt-get install dataset-fashion-mnist` or from its authors on GitHub;\n"
            "--data FOLDER names a folder with its four IDX files, --data digits needs none."
        )
    raw = bytearray(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    start = 4 + 4 * raw[3]
    shape = [int.from_bytes(raw[i : i + 4], "big") for i in range(4, start, 4)]
    return torch.frombuffer(raw, dtype=torch.uint8, offset=start).reshape(shape)


def load_data(data: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pictures and labels to train on, then those to test on; each picture is (1, height, width)."""
    if data == "digits":
        from sklearn.datasets import load_digits

        pictures, labels = load_digits(return_X_y=True)
        x, y = torch.from_numpy(pictures).view(-1, 1, 8, 8).float(), torch.from_numpy(labels).long()
        x_train, y_train, x_test, y_test = x[:1438], y[:1438], x[1438:], y[1438:]
    else:
        folder = DEBIAN if data == "fashion-mnist" else Path(data).expanduser()
        x_train, x_test = (read_idx(folder, f"{part}-images-idx3-ubyte")[:, None].float() for part in ("train", "t10k"))
        y_train, y_test = (read_idx(folder, f"{part}-labels-idx1-ubyte").long() for part in ("train", "t10k"))
    mean, std = x_train.mean(), x_train.std()
    return (x_train - mean) / std, y_train, (x_test - mean) / std, y_test


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """The share of pictures that the network names rightly."""
    model.eval()
    right = sum(int((model(a).argmax(1) == b).sum()) for a, b in zip(x.split(500), y.split(500), strict=True))
    return right / len(y)


def main() -> None:
    """Reads the command line, trains, and prints the accuracy after each epoch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", default=str(HERE / "fashion_resnet.yaml"), help="name in the zoo, or a file")
    parser.add_argument("--data", default="digits", help="digits, fashion-mnist, or a folder with the four IDX files")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    x_train, y_train, x_test, y_test = load_data(args.data)
    model = archbuilder.build(args.spec, classes=10, channels=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.learning_rate, momentum=0.9, weight_decay=1e-4)
    milestones = [args.epochs // 2, args.epochs * 3 // 4]  # as in He et al.: at half and three quarters
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, gamma=0.1)
    console = Console()
    started = time.perf_counter()
    for epoch in range(1, args.epochs + 1):
        model.train()
        batches = torch.randperm(len(x_train)).split(args.batch_size)
        for batch in track(batches, f"epoch {epoch}", console=console, transient=True, disable=not console.is_terminal):
            optimizer.zero_grad()
            F.cross_entropy(model(x_train[batch]), y_train[batch]).backward()
            optimizer.step()
        schedule.step()
        test, seconds = accuracy(model, x_test, y_test), time.perf_counter() - started
        print(f"epoch {epoch}: test accuracy {test:.2%}, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
