"""What pruning does to each layer, for TensorBoard."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def rows(
    before: Mapping[str, NDArray[np.bool_]],
    now: Mapping[str, NDArray[np.bool_]],
    weights: Mapping[str, NDArray[Any]],
) -> dict[str, float]:
    """Give what is shown of each kernel, and of all together, by the name of the curve.

    Args:
        before: Masks by path, before a choice.
        now: Masks by path, after it.
        weights: The weights by path, pruned.

    Returns:
        `sparsity/<path>`, the share of weights that are masked; `threshold/<path>`, the smallest
        magnitude that is left; `churn/<path>`, the share of weights whose mask has changed.

    Example:
    >>> kept = {"a": np.array([True, True])}, {"a": np.array([True, False])}
    >>> rows(*kept, {"a": np.array([-2.0, 0.0])})
    {'sparsity/a': 0.5, 'threshold/a': 2.0, 'churn/a': 0.5, 'sparsity': 0.5}
    """
    found: dict[str, float] = {}
    gone = total = 0
    for path, kept in now.items():
        size = max(kept.size, 1)
        zeros = kept.size - int(np.count_nonzero(kept))
        gone, total = gone + zeros, total + kept.size
        left = np.abs(weights[path][kept])
        found[f"sparsity/{path}"] = zeros / size
        found[f"threshold/{path}"] = float(left.min()) if left.size else 0.0
        found[f"churn/{path}"] = int(np.count_nonzero(kept != before[path])) / size
    found["sparsity"] = gone / max(total, 1)
    return found


class Board:
    """Writes scalars for TensorBoard.

    Args:
        log_dir: Folder for its event files.
    """

    def __init__(self, log_dir: str | os.PathLike[str]):
        self._log_dir = os.fspath(log_dir)
        self._writer: Any = None

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write values of one step, each a scalar `pruning/<name>`."""
        import tensorflow as tf

        if self._writer is None:
            self._writer = tf.summary.create_file_writer(self._log_dir)
        # `tf.summary.scalar` wants TensorBoard to be installed; what it writes needs none.
        metadata = tf.compat.v1.SummaryMetadata(data_class="DATA_CLASS_SCALAR")
        metadata.plugin_data.plugin_name = "scalars"
        with self._writer.as_default():
            for name, value in values.items():
                tensor = tf.constant(value, tf.float32)
                tf.summary.write(f"pruning/{name}", tensor, step=step, metadata=metadata)

    @contextlib.contextmanager
    def watching(self, step: int, masks: Any) -> Iterator[None]:
        """Write what a choice of masks within the context changes.

        Args:
            step: Its step.
            masks: The `Masks`.
        """
        before = masks.to_arrays()
        yield
        self.write(step, rows(before, masks.to_arrays(), masks.weights()))

    def close(self) -> None:
        """Write what is waiting, and close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
