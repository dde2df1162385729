"""Layers whose Keras 2 configuration Keras 3 does not take as it is."""

from typing import Any

import keras

# Layer -> arguments that Keras 2 wrote into the config and Keras 3 refuses, with their only value.
_GONE: dict[str, dict[str, Any]] = {
    "DepthwiseConv1D": {"groups": 1},
    "DepthwiseConv2D": {"groups": 1},
    "GRU": {"implementation": None, "time_major": False},
    "LSTM": {"implementation": None, "time_major": False},
    "SimpleRNN": {"time_major": False},
    "RNN": {"time_major": False},
    "SeparableConv1D": {"groups": 1},
    "SeparableConv2D": {"groups": 1},
    "Conv1DTranspose": {"groups": 1},
    "Conv2DTranspose": {"groups": 1},
    "Conv3DTranspose": {"groups": 1},
}


def _finding(name: str) -> type:
    """Make a class that gives the plain Keras 3 layer for a Keras 2 config."""
    cls = getattr(keras.layers, name)
    gone = _GONE[name]

    def from_config(_: type, config: dict[str, Any]) -> Any:
        for argument, only in gone.items():
            if only is not None and config.get(argument, only) != only:
                raise ValueError(f"{name} with {argument}={config[argument]!r} is gone in Keras 3")
        return cls.from_config({k: v for k, v in config.items() if k not in gone})

    return type(name, (), {"from_config": classmethod(from_config)})


LEGACY: dict[str, Any] = {name: _finding(name) for name in _GONE}
