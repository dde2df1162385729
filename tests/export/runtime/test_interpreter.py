import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export import Port
from kerasopt.export.runtime.interpreter import Runner, from_file, time_file, to_file


@given(
    st.lists(st.floats(-3, 3, width=32), min_size=1),
    st.sampled_from([("int8", 5), ("uint8", 130)]),
)
def test_quantizing_there_and_back(values, kind):
    port = Port("x", (None,), kind[0], scale=0.05, zero_point=kind[1])
    numbers = np.array(values, "float32")
    back = from_file(port, to_file(port, numbers))
    assert np.abs(back - numbers).max() <= 0.025 + 1e-6


def test_what_is_out_of_range_is_clipped():
    port = Port("x", (None,), "int8", scale=1.0, zero_point=0)
    assert to_file(port, np.array([1e9, -1e9])).tolist() == [127, -128]


def test_a_port_that_is_not_quantized_casts_only():
    port = Port("x", (None,), "int32")
    assert to_file(port, np.array([1, 2], "int64")).dtype == np.int32
    values = np.ones(2)
    assert from_file(port, values) is values


def test_a_damaged_file_does_not_load():
    with pytest.raises(ValueError, match=r"."):
        Runner(b"no file at all")


def test_threads_and_batch_are_told(dense):
    from kerasopt.export import to_tflite

    latency = time_file(to_tflite(dense).bytes, {"x": np.ones((3, 4), "float32")}, 2, 0.05, 20)
    assert (latency.threads, latency.batch, latency.runs) == (2, 3, 20)
