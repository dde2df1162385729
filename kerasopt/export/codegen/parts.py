"""What the code for every platform is made of."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kerasopt._core.checks import bad_value
from kerasopt.export.report.report import Port
from kerasopt.export.runtime.interpreter import Call, unique


@dataclass(frozen=True)
class Source:
    """What the code is written for.

    Attributes:
        file: Name of the file.
        call: How it is called.
        labels: Names of the numbers of its output; empty if there are none.
    """

    file: str
    call: Call
    labels: tuple[str, ...] = ()

    @property
    def batch(self) -> str:
        """The size of a batch: the file's, or 1 if any will do."""
        sizes = [one.shape[0] for one in self.call.inputs if one.shape]
        return str((sizes[0] if sizes else None) or 1)

    @property
    def name(self) -> str:
        """A name for the class.

        Example:
        >>> call = Call("serving_default", (), ())
        >>> [Source(one, call).name for one in ("digits-int8.tflite", "model.tflite")]
        ['DigitsInt8Model', 'Model']
        """
        words = re.findall(r"[A-Za-z0-9]+", Path(self.file).stem)
        plain = "".join(word[0].upper() + word[1:] for word in words).removesuffix("Model")
        return f"{'N' if plain[:1].isdigit() else ''}{plain}Model"


@dataclass(frozen=True)
class Value:
    """An input or output as the code has it.

    Attributes:
        port: What the file has.
        name: An identifier.
        kind: Type of its entries in the file: `"int8"`, or `"quantized int8"` with a scale.
    """

    port: Port
    name: str
    kind: str

    @property
    def constants(self) -> list[str]:
        """Names of the sizes that can be changed: of all axes of any size but the batch's."""
        return [self._size(axis) for axis, size in self._axes() if size is None and axis]

    @property
    def sizes(self) -> list[str]:
        """For each axis a number or the name of a constant; the batch is 1 if the file allows."""
        return [self._size(axis) if size is None else str(size) for axis, size in self._axes()]

    def _axes(self) -> list[tuple[int, int | None]]:
        return list(enumerate(self.port.shape))

    def _size(self, axis: int) -> str:
        return f"{self.name}Axis{axis}" if axis else "1"

    @property
    def scale(self) -> str:
        """The scale as the shortest number that is the same in float32."""
        return str(np.float32(self.port.scale))

    def filled(self, template: str, **parts: str) -> str:
        """Fill a template of a conversion."""
        numbers: dict[str, object] = {}
        if self.port.scale is not None:
            limits = np.iinfo(self.port.dtype)
            numbers = {"scale": self.scale, "zero": self.port.zero_point}
            numbers |= {"least": limits.min, "most": limits.max}
        return template.format(x=self.name, **numbers, **parts)

    @property
    def about(self) -> str:
        """What the file has, in words."""
        sizes = " x ".join("any" if one is None else str(one) for one in self.port.shape)
        shape = f"{sizes} {self.port.dtype}" if sizes else f"one {self.port.dtype}"
        if self.port.scale is None:
            return shape
        return f"{shape}, scale {self.scale}, zero point {self.port.zero_point}"


def values(
    ports: Iterable[Port], reserved: Iterable[str], kinds: Mapping[str, object]
) -> list[Value]:
    """Give names to inputs or outputs that are no words of the language or of the code.

    Args:
        ports: The inputs or outputs.
        reserved: Words that are taken.
        kinds: The types that the code knows.

    Raises:
        ValueError: If one has another type, such as strings.
    """
    taken, found = list(reserved), list(ports)
    names = list(unique([*taken, *(one.name for one in found)]))[len(taken) :]
    result = []
    for one, name in zip(found, names, strict=True):
        kind = one.dtype if one.scale is None else f"quantized {one.dtype}"
        if kind not in kinds:
            known = ", ".join(kinds)
            raise bad_value(
                "file", f"a file with inputs and outputs of {known}", f"{one.name}: {kind}"
            )
        result.append(Value(one, name, kind))
    return result


def block(template: str, **parts: str | Sequence[str]) -> str:
    r"""Fill a template; a part that is a list stands on lines of its own, and may be empty.

    Example:
    >>> print(block("a %(x)s\n%(y)s\n%(z)s\nb", x="1", y=[], z=["2", "3"]))
    a 1
    2
    3
    b
    """

    def filled(match: re.Match[str]) -> str:
        part, end = parts[match[1]], match[2]
        return part + end if isinstance(part, str) else "".join(f"{line}\n" for line in part)

    # In one pass, as a label may look like a part.
    return re.sub(r"%\((\w+)\)s(\n?)", filled, template)


def quoted(text: str, unicode: str, escaped: str = "") -> str:
    r"""Write a string as a literal.

    Args:
        text: The string.
        unicode: How a character is written by its number, such as `"\\u{%x}"`.
        escaped: Further characters that need a backslash. Defaults to none.

    Example:
    >>> print(quoted('5 "$"\n', "\\u%04x", "$"))
    "5 \"\$\"\u000a"
    """
    special = '\\"' + escaped
    letters = (
        f"\\{one}" if one in special else one if _plain(one) else unicode % ord(one) for one in text
    )
    return f'"{"".join(letters)}"'


def _plain(character: str) -> bool:
    return character.isprintable() or ord(character) > 0xFFFF
