"""A TFLite file as C source, for TFLite Micro."""

import re
import textwrap

from kerasopt._checks import bad_value
from kerasopt.export.structure import operators, structure

# As `MicroMutableOpResolver` spells them; all others by their words.
_NAMES = {
    "BATCH_MATMUL": "BatchMatMul",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}


def resolver_name(operator: str) -> str:
    """Give the method of `MicroMutableOpResolver` that adds an operator.

    Example:
    >>> [resolver_name(one) for one in ("CONV_2D", "FULLY_CONNECTED", "RELU6")]
    ['AddConv2D', 'AddFullyConnected', 'AddRelu6']
    """
    words = operator.split("_")
    plain = "".join(word.upper() if re.match(r"\d", word) else word.capitalize() for word in words)
    return f"Add{_NAMES.get(operator, plain)}"


def to_c_array(file: bytes, name: str = "model") -> str:
    """Write a file as an array of C, aligned as TFLite Micro wants it.

    The comment above it has the lines that a resolver for this very file needs.

    Args:
        file: Bytes of a TFLite file.
        name: Name of the array, an identifier of C. Defaults to `"model"`.

    Returns:
        C++ source: `<name>` and `<name>_length`.

    Raises:
        ValueError: If `name` is no identifier.

    Example:
    >>> import keras
    >>> from kerasopt.export import to_tflite
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> text = to_c_array(to_tflite(model).bytes)
    >>> "resolver.AddFullyConnected();" in text
    True
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise bad_value("name", "an identifier of C", name)
    found = sorted({operator.name for _, operator in operators(structure(file))})
    numbers = textwrap.fill(", ".join(f"0x{byte:02x}" for byte in file), 100, initial_indent="  ",
                            subsequent_indent="  ")  # fmt: skip
    lines = [
        "// tflite::MicroMutableOpResolver<" + str(len(found)) + "> resolver;",
        *(f"// resolver.{resolver_name(one)}();" for one in found),
        "#include <cstddef>",
        "#include <cstdint>",
        "",
        f"alignas(16) extern const uint8_t {name}[] = {{",
        numbers,
        "};",
        f"extern const size_t {name}_length = {len(file)};",
    ]
    return "\n".join(lines) + "\n"
