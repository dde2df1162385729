"""Plain data in one file: bit for bit, whole, and damage noticed."""

import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kerasopt._core import files

DTYPES = st.sampled_from(["bool", "int8", "uint32", "int64", "float16", "float32", "float64"])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, min_side=0, max_side=3)),
)
PLAIN = st.dictionaries(
    st.text(),
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    return type(one) is type(other) and (one == other or (one != one and other != other))


@given(PLAIN)
def test_everything_comes_back(tmp_path, data):
    files.save(tmp_path / "data.npz", data)
    assert same(data, files.load(tmp_path / "data.npz"))


def test_numbers_of_numpy_tuples_and_bfloat16(tmp_path):
    half = np.array([[1.5, -2.0]], ml_dtypes.bfloat16)
    data = {"a": np.float32(0.1), "b": (np.int64(3), np.True_), "c": half, "d": -0.0}
    files.save(tmp_path / "data.npz", data)
    found = files.load(tmp_path / "data.npz")
    assert found["a"] == float(np.float32(0.1))
    assert found["b"] == [3, True]
    assert found["c"].dtype == half.dtype
    assert found["c"].tobytes() == half.tobytes()
    assert math.copysign(1, found["d"]) == -1


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ({"a": {"b": [1, object()]}}, "At '/a/b/1' there is object"),
        ({"a": {3: 1}}, "At '/a' there is dict"),
        ({"a": {1, 2}}, "At '/a' there is set"),
    ],
)
def test_what_is_no_plain_data_is_refused_and_nothing_is_written(tmp_path, data, match):
    with pytest.raises(TypeError, match=match):
        files.save(tmp_path / "data.npz", data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["empty", "cut", "flipped", "text", "other npz", "pickle"])
def test_damage_is_noticed(tmp_path, kind):
    path = tmp_path / "data.npz"
    files.save(path, {"weights": [np.arange(1000.0)], "epoch": 3})
    content = bytearray(path.read_bytes())
    if kind == "flipped":
        content[len(content) // 3] ^= 1
    damaged = {"empty": b"", "cut": content[:-100], "text": b"hello", "flipped": content}
    if kind == "other npz":
        np.savez(path, a=np.ones(3))
    elif kind == "pickle":
        np.savez(path, tree=np.array([{}], dtype=object))
    else:
        path.write_bytes(damaged[kind])
    with pytest.raises(files.DamagedFileError, match=r"data.npz' is damaged"):
        files.load(path)


def test_any_byte_may_be_changed(tmp_path):
    path = tmp_path / "data.npz"
    data = {"weights": [np.arange(3.0)], "epoch": 3}
    files.save(path, data)
    content = path.read_bytes()
    noticed = 0
    for place in range(len(content)):
        for change in (1, 8, 255):
            changed = bytearray(content)
            changed[place] ^= change
            path.write_bytes(changed)
            try:
                # Not every byte of a zip archive matters; what comes back must then be right.
                assert same(files.load(path), data), (place, change)
            except files.DamagedFileError:
                noticed += 1
    assert noticed > len(content)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.load(tmp_path / "data.npz")
