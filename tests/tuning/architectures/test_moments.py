"""What data are like feature by feature."""

import numpy as np
import pytest

from kerasopt.tuning.architectures import moments as module
from kerasopt.tuning.architectures.moments import moments


@pytest.mark.parametrize("chunk", [1, 7, 100, 1 << 20])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_as_numpy(monkeypatch, chunk, dtype):
    monkeypatch.setattr(module, "CHUNK", chunk)
    x = np.random.default_rng(0).normal([1e3, 0, -5], [1, 20, 3], (50, 4, 3)).astype(dtype)
    found, flat = moments("x", x), x.astype("float64").reshape(-1, 3)
    np.testing.assert_allclose(found.mean, flat.mean(axis=0))
    np.testing.assert_allclose(found.variance, flat.var(axis=0))
    np.testing.assert_array_equal(found.minimum, flat.min(axis=0))
    np.testing.assert_array_equal(found.maximum, flat.max(axis=0))


@pytest.mark.parametrize("chunk", [1, 30, 1 << 20])
def test_the_wrong_sample_is_named(monkeypatch, chunk):
    monkeypatch.setattr(module, "CHUNK", chunk)
    x = np.zeros((50, 4, 3))
    x[31, 2, 1] = np.nan
    with pytest.raises(ValueError, match=r"NaN or infinity in x\[31\]"):
        moments("x", x)
