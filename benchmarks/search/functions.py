"""Functions that stand for a training: what a search should find, without the training."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def network_space(hp: Any) -> None:
    """Declare what one tunes in a dense network: seven hyperparameters, one conditional."""
    hp.Choice("optimizer", ["adam", "rmsprop", "sgd"])
    hp.Float("learning_rate", 1e-5, 1.0, sampling="log")
    hp.Int("units", 8, 256, step=2, sampling="log")
    hp.Int("layers", 1, 4)
    hp.Float("dropout", 0.0, 0.5)
    hp.Int("batch_size", 16, 128, step=2, sampling="log")
    with hp.conditional_scope("optimizer", ["sgd"]):
        hp.Float("momentum", 0.0, 0.99)


def network(values: Mapping[str, Any]) -> float:
    """Give the error of a network that was never trained, 0.08 to 0.9.

    A valley in the learning rate whose place depends on optimizer, momentum and size; a best size;
    a dropout that grows with the size; 0.9 where it would diverge.
    """
    size = math.log2(values["units"]) + 0.7 * (values["layers"] - 1)
    best = {"adam": -3.0, "rmsprop": -3.2, "sgd": -1.6}[values["optimizer"]] - 0.12 * (size - 6)
    error = 0.08 + {"adam": 0.0, "rmsprop": 0.01, "sgd": 0.02}[values["optimizer"]]
    if values["optimizer"] == "sgd":
        best -= values["momentum"] - 0.5
        error += 1.2 * max(0.0, values["momentum"] - 0.95) - 0.03 * values["momentum"]
    off = math.log10(values["learning_rate"]) - best
    error += 0.05 * min(off**2, 4.0) * (1.6 if off > 0 else 1.0)
    error += 0.012 * (size - 7) ** 2 * (1.0 if size < 7 else 0.5)
    error += 0.4 * (values["dropout"] - min(0.5, max(0.0, 0.1 * (size - 4)))) ** 2
    error += 0.006 * abs(math.log2(values["batch_size"]) - 5)
    return min(error, 0.9)


def hartmann_space(hp: Any) -> None:
    """Declare six numbers from 0 to 1."""
    for number in range(6):
        hp.Float(f"x{number}", 0.0, 1.0)


def hartmann(values: Mapping[str, Any]) -> float:
    """Give the Hartmann function in six dimensions (Dixon and Szego, 1978); its least is -3.322."""
    x = np.array([values[f"x{number}"] for number in range(6)])
    return float(-(_ALPHA * np.exp(-(_A * (x - _P) ** 2).sum(axis=1))).sum())


@dataclass(frozen=True)
class Function:
    """A function and its space.

    Attributes:
        name: Name.
        what: In words.
        declare: Declares its space.
        value: What is to be small.
    """

    name: str
    what: str
    declare: Callable[[Any], None]
    value: Callable[[Mapping[str, Any]], float]


FUNCTIONS = {
    one.name: one
    for one in (
        Function(
            "network",
            "error of a made-up dense network: optimizer, learning rate (log), units, layers, "
            "dropout, batch size, and a momentum where the optimizer is SGD",
            network_space,
            network,
        ),
        Function("Hartmann-6", "six numbers, six local minima", hartmann_space, hartmann),
    )
}
