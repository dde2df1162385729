import keras_tuner
import pytest

from kerasopt.tuning.space import quantization
from tests.tuning.space.sampling import again, samples


def test_every_configuration_is_a_mode():
    drawn = samples(quantization)
    assert {found["mode"] for _, found in drawn} == {"float32", "float16", "dynamic", "int8"}
    for values, found in drawn:
        assert found == {"mode": values["quantization/mode"]}
        assert again(quantization, values) == found


def test_a_single_mode_is_fixed():
    hp = keras_tuner.HyperParameters()
    assert quantization(hp, modes=["int8"]) == {"mode": "int8"}
    assert type(hp.space[0]).__name__ == "Fixed"


@pytest.mark.parametrize(
    ("modes", "error"), [(["int9"], ValueError), ("int8", TypeError), ([], ValueError)]
)
def test_wrong_modes_are_named(modes, error):
    with pytest.raises(error, match="`modes`"):
        quantization(keras_tuner.HyperParameters(), modes=modes)
