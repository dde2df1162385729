"""Damaged files and odd data: an error that names the argument, and this process lives on."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export import ExportError, benchmark, inspect, to_tflite
from kerasopt.export import preparation as preparing
from kerasopt.export.data.calibration_data import read
from kerasopt.export.model.signature import Input
from tests.conftest import examples

FILES = 200


def complaint(call, *args, **kwargs):
    """Give the message of an error that is allowed, or the argument's name if there is none."""
    try:
        call(*args, **kwargs)
    except (TypeError, ValueError, ExportError) as error:
        return str(error)
    return "`file` `calibration` `validation_data`"


def damaged(sound: bytes, kind: str, rng: np.random.Generator) -> bytes:
    """Damage a sound file in one of six ways."""
    content = bytearray(sound)
    if kind == "cut":
        return bytes(content[: rng.integers(0, len(content))])
    if kind == "flip":
        for place in rng.integers(8, len(content), rng.integers(1, 30)):
            content[place] ^= int(rng.integers(1, 256))
    elif kind == "offset":  # of the root, or one that is followed early
        place = 4 * int(rng.choice([0, *range(2, 40)]))
        wild = [0, 1, 2**31 - 1, 2**32 - 1, len(sound), len(sound) - 4]
        content[place : place + 4] = struct.pack("<I", int(rng.choice(wild)))
    elif kind == "noise":
        content[8:] = rng.bytes(int(rng.integers(0, 600)))
    elif kind == "zeros":
        first, last = sorted(rng.integers(8, len(content), 2))
        content[first:last] = bytes(int(last - first))
    else:
        heads = [
            b"",
            b"PK\x03\x04",
            b"\x89HDF\r\n\x1a\n",
            b"\x93NUMPY",
            b"\x89PNG",
            b"{}",
            b"\0" * 8,
        ]
        return heads[rng.integers(len(heads))] + rng.bytes(int(rng.integers(0, 50)))
    return bytes(content)


@pytest.mark.parametrize("kind", ["cut", "flip", "offset", "noise", "zeros", "other"])
def test_damaged_files_end_in_an_error_or_a_result(kind, cnn, images, tmp_path):
    sound = to_tflite(cnn, mode="int8", calibration=images).bytes
    rng = np.random.default_rng(list(kind.encode()))
    for number in range(FILES // 6 + 1):
        content = damaged(sound, kind, rng)
        path = tmp_path / "model.tflite"
        path.write_bytes(content)
        given_as = content if number % 2 else path
        for ask in (inspect, lambda one: benchmark(one, seconds=1e-4)):
            said = complaint(ask, given_as)
            assert "`file`" in said
            assert "ends the process" not in said  # one that does is no test: leave it out
    assert inspect(sound).contents.ops["CONV_2D"] == 1


DTYPES = ["float32", "float64", "float16", "int8", "uint8", "int64", "bool", "complex64", "U3", "O",
          "S2", "datetime64[s]", "V4"]  # fmt: skip
ONE = (Input("x", "x", (None, 4), "float32"),)
TWO = (Input("zebra", "zebra", (None, 4), "float32"), Input("ant", "ant", (None, 2), "int32"))
THREE = (Input("image", "image", (None, None, None, 3), "float32"),)


@st.composite
def arrays(draw):
    """Arrays of any shape and type, some with numbers that are none."""
    shape = tuple(draw(st.lists(st.integers(0, 5), max_size=4)))
    kind = draw(st.sampled_from(DTYPES))
    array = np.zeros(shape, kind)
    if array.size and kind.startswith("float"):
        array.flat[0] = draw(st.sampled_from([0.0, np.nan, np.inf, -np.inf, 6e4]))
    if array.size and kind == "O":
        array.flat[0] = draw(st.sampled_from([None, "a", [1], {}, 10**400, 2.0]))
    return array


leaves = st.one_of(
    arrays(), st.none(), st.integers(), st.floats(), st.text(max_size=3), st.binary(max_size=3),
    st.booleans(), st.just(10**400), st.sampled_from([object(), Input, ONE[0], np.float32, ...]),
)  # fmt: skip
names = st.sampled_from(["x", "zebra", "ant", "image", "y", 3, None])
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(names, inner, max_size=3),
        st.lists(inner, max_size=3).map(iter),
        st.lists(inner, max_size=3).map(lambda one: lambda: iter(one)),
        inner.map(lambda one: lambda: one),
        st.sets(st.integers(), max_size=2),
    ),
    max_leaves=5,
)


@examples(600)
@given(values, st.sampled_from([ONE, TWO, THREE]))
def test_any_data_is_read_or_an_error_that_names_the_argument(value, inputs):
    found = []
    said = complaint(lambda: found.append(read("calibration", value, inputs)))
    assert "`calibration`" in said
    if not found:
        return
    samples = found[0]
    assert len(samples)
    for batch in samples.batches:
        for one in inputs:
            assert batch[one.name].dtype == one.dtype
            assert len(batch[one.name].shape) == len(one.shape)


class BeganError(ExportError):
    """The conversion began, so the data was taken."""


@examples(20)
@given(values, st.sampled_from(["calibration", "validation_data"]))
def test_any_data_is_checked_before_the_conversion(dense, value, argument):
    def began(*args):
        raise BeganError("`calibration` `validation_data`")

    if value is None:
        return
    mode = "int8" if argument == "calibration" else "float32"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparing, "Traced", began)
        assert f"`{argument}`" in complaint(to_tflite, dense, mode=mode, **{argument: value})
