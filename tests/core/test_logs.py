"""What a training reports, read as numbers: scalars, arrays, tensors."""

import keras
import numpy as np
import pytest

from kerasopt._core import logs as _logs


def test_numbers_of_every_kind_are_read():
    logs = {
        "a": 1, "b": np.float32(0.5), "c": keras.ops.convert_to_tensor(0.25),
        "d": keras.ops.convert_to_tensor([0.75]), "e": [[1.0, 2.0]], "note": "text", "f": None,
        "ragged": [[1.0], [1.0, 2.0]], "flag": True, "many": np.zeros(101),
    }  # fmt: skip
    assert _logs.scalars(logs) == {
        "a": 1.0, "b": 0.5, "c": 0.25, "d": 0.75, "e[0, 0]": 1.0, "e[0, 1]": 2.0
    }  # fmt: skip
    plain = _logs.plain(logs)
    assert repr(plain["c"]) == "0.25"
    np.testing.assert_array_equal(plain["e"], [[1.0, 2.0]])
    assert plain["note"] == "text"


def test_one_number_is_asked_for():
    vector = keras.ops.convert_to_tensor([0.2, 0.9])
    assert _logs.number_of({"f1": vector}, "f1[1]") == pytest.approx(0.9)
    assert _logs.number_of({"f1": vector}, "f1[2]") is None
    assert _logs.number_of({"f1": vector}, "f2") is None
    assert _logs.number_of({"loss": np.array([[0.5]])}, "loss") == 0.5
    with pytest.raises(ValueError, match=r"`monitor`.*f1 of shape \(2,\).*average="):
        _logs.number_of({"f1": vector}, "f1")
    with pytest.raises(TypeError, match="one number an epoch"):
        _logs.scalar("note", "text")


def test_what_is_not_finite_is_found_in_arrays():
    logs = {"loss": 1.0, "f1": np.array([0.0, np.inf, np.nan]), "note": "nan", "n": np.arange(3)}
    assert _logs.not_finite(logs) == {"f1[1]": np.inf}
