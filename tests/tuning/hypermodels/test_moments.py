"""What data are like feature by feature."""

import numpy as np
import pytest

from kerasopt.tuning.hypermodels import feature_statistics as module
from kerasopt.tuning.hypermodels.feature_statistics import moments, normalization


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


def test_one_hot_columns_and_mostly_zeros_keep_their_zeros():
    rare = np.zeros(30_000)
    rare[7] = 1.0
    coded = np.eye(3)[np.arange(30_000) % 3]
    counts = np.where(np.arange(30_000) % 100 == 0, 40.0, 0.0) * np.arange(30_000)
    plain = np.random.default_rng(0).normal(50.0, 10.0, 30_000)
    x = np.column_stack([rare, coded, counts, plain, np.ones(30_000)])
    found = moments("x", x)
    np.testing.assert_array_equal(found.sparse, [True] * 5 + [False] * 2)
    given = {name: np.array(values) for name, values in found.normalization.items()}
    scaled = (x - given["mean"]) / np.sqrt(given["variance"])
    np.testing.assert_allclose(scaled[:, :4], x[:, :4])
    np.testing.assert_allclose(scaled[:, 4] == 0.0, x[:, 4] == 0.0)
    assert np.sqrt((scaled[counts > 0, 4] ** 2).mean()) == pytest.approx(1.0)
    assert (scaled[:, 5].mean(), scaled[:, 5].std()) == pytest.approx((0.0, 1.0), abs=1e-9)
    np.testing.assert_array_equal(scaled[:, 6], 0.0)
    # What has to come back as it was is normalized as ever.
    back = normalization("denormalize", counts, 1)
    assert back["mean"][0] == pytest.approx(counts.mean())
    assert back["variance"][0] == pytest.approx(counts.var())
