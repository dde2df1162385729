"""A TFLite file as C source, for TFLite Micro."""

import re
import textwrap
from typing import TYPE_CHECKING

from kerasopt._core.checks import bad_type, bad_value, warn
from kerasopt.export.file.flatbuffer import Graph, from_plain, operators, structure
from kerasopt.export.file.micro import KERNELS, Obstacle, obstacles, resolver_name
from kerasopt.export.report.inspection import asked, content_of

if TYPE_CHECKING:
    import os

    from kerasopt.export.file.tflite_model import TFLiteModel

# Of C23 and C++23, and names that <cstddef>, <cstdint> and every program have.
_TAKEN = frozenset(
    re.findall(
        r"\w+",
        """alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t
        char32_t char8_t class co_await co_return co_yield compl concept const
        const_cast consteval constexpr constinit continue decltype default delete do
        double dynamic_cast else enum explicit export extern false float for friend goto
        if inline int long mutable namespace new noexcept not not_eq nullptr operator or
        or_eq private protected public register reinterpret_cast requires restrict
        return short signed sizeof static static_assert static_cast struct switch
        template this thread_local throw true try typedef typeid typename typeof
        typeof_unqual union unsigned using virtual void volatile wchar_t while xor
        xor_eq NULL main max_align_t nullptr_t offsetof ptrdiff_t size_t std tflite""",
    )
)
_OF_STDINT = r"u?int(_least|_fast)?(8|16|32|64)_t|u?int(max|ptr)_t"


def to_c_array(file: "TFLiteModel | str | os.PathLike[str] | bytes", name: str = "model") -> str:
    """Write a file as an array of C, aligned as TFLite Micro wants it.

    The comment above it has the lines that a resolver for this very file needs. What TFLite Micro
    cannot run is warned about and stands in the comment too, with the layers' names where they are
    known.

    Args:
        file: What `to_tflite` gave, or the path of a `.tflite` file, or its bytes.
        name: Name of the array, an identifier of C and C++. Defaults to `"model"`.

    Returns:
        C++ source: `<name>` and `<name>_length`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If `name` is no identifier, or one that is reserved; or there is no such file,
            or LiteRT cannot load it.

    Example:
    >>> import keras
    >>> from kerasopt.export import to_tflite
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> text = to_c_array(to_tflite(model))
    >>> "resolver.AddFullyConnected();" in text
    True
    """
    check_identifier(name)
    content = content_of(file)
    known: tuple[tuple[str, ...], ...] = ()
    graphs: tuple[Graph, ...]
    if hasattr(file, "report"):  # it has been loaded and run
        graphs = structure(content)
        known = tuple(one.layers for one in file.report.operations)
    else:
        graphs = from_plain(asked("load", file, content)["graphs"])
    hindering = obstacles(graphs, known)
    if hindering:
        listed = "".join(f"\n  {one}" for one in hindering)
        warn(f"TFLite Micro cannot run this file:{listed}")
    found = sorted({operator.name for _, operator in operators(graphs)} & KERNELS)
    numbers = textwrap.fill(", ".join(f"0x{byte:02x}" for byte in content), 100,
                            initial_indent="  ", subsequent_indent="  ")  # fmt: skip
    lines = [
        *_remarks(hindering),
        "// tflite::MicroMutableOpResolver<" + str(len(found)) + "> resolver;",
        *(f"// resolver.{resolver_name(one)}();" for one in found),
        "#include <cstddef>",
        "#include <cstdint>",
        "",
        f"alignas(16) extern const uint8_t {name}[] = {{",
        numbers,
        "};",
        f"extern const size_t {name}_length = {len(content)};",
    ]
    return "\n".join(lines) + "\n"


def check_identifier(name: object) -> None:
    """Check that an array of C and C++ can have a name.

    Raises:
        TypeError: If it is no string.
        ValueError: If it is no identifier, or one that the languages reserve.
    """
    expected = "an identifier of C and C++"
    if not isinstance(name, str):
        raise bad_type("name", expected, name)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise bad_value("name", expected, name)
    if name in _TAKEN or re.fullmatch(_OF_STDINT, name):
        raise bad_value("name", expected, name, "It is a word of the language or its library.")
    if name.startswith("_") or "__" in name:
        raise bad_value(
            "name", expected, name,
            "Names that begin with `_` or have `__` in them are reserved for the compiler.",
        )  # fmt: skip


def identifier(text: str) -> str:
    """Make a name for an array of any text, such as the stem of a file.

    Example:
    >>> identifier("my-model.v2"), identifier("7seg"), identifier("int"), identifier("---")
    ('my_model_v2', 'model_7seg', 'int_model', 'model')
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or "model"
    if plain[0].isdigit():
        plain = f"model_{plain}"
    return f"{plain}_model" if plain in _TAKEN or re.fullmatch(_OF_STDINT, plain) else plain


def _remarks(hindering: list[Obstacle]) -> list[str]:
    if not hindering:
        return []
    listed = [textwrap.wrap(f"{one}", 96, subsequent_indent="  ") for one in hindering]
    return [
        "// TFLite Micro cannot run this file:",
        *(f"//   {line.encode('ascii', 'replace').decode()}" for one in listed for line in one),
    ]
