"""The buffers of a TFLite file, which hold its weights: inside the flatbuffer or behind it.

A buffer behind the flatbuffer is known by its offset from the beginning of the file. Files over
2 GB have such, as a flatbuffer cannot be larger, and so have files of ai-edge-quantizer, of any
size; many programs that read TFLite files take the weights for missing.
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasopt.export._litert import table_of
from kerasopt.export.errors import ExportError

LARGEST = 2**31 - 1
"""Most bytes of a flatbuffer, whose offsets have 32 bits and a sign."""

# Positions of fields in the schema's table Model; all but the first hold offsets.
_VERSION, _BUFFERS, _METADATA = 0, 4, 6
_ALIGNMENT = 64
_TOO_LARGE = (
    "it would take {size:,} bytes, and a TFLite file that every runtime can read takes at most "
    f"{LARGEST:,}"
)


def data_of(file: bytes, buffer: Any) -> NDArray[np.uint8]:
    """Give the bytes of a buffer, wherever they stand.

    Args:
        file: Bytes of the file.
        buffer: A `Buffer` of the schema in it.
    """
    if buffer.DataLength():
        found: NDArray[np.uint8] = buffer.DataAsNumpy()
        return found
    if not _is_outside(buffer):
        return np.empty(0, np.uint8)
    begin, size = int(buffer.Offset()), int(buffer.Size())
    if begin + size > len(file):
        raise IndexError(f"a buffer at {begin} of {size} bytes, in a file of {len(file)}")
    return np.frombuffer(file, np.uint8, size, begin)


def inside(file: bytes) -> bytes:
    """Bring buffers that stand behind the flatbuffer into it; a file without such is given back.

    Args:
        file: Bytes of a file that LiteRT can load.

    Raises:
        ExportError: If it is too large for that.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(file, 0)
    return rewritten(file) if _outside(model) else file


def rewritten(file: bytes, name: str | None = None, content: bytes = b"") -> bytes:
    """Set a new head before a file, and leave all else in it as it is, byte for byte.

    In the new head are all buffers that stood behind the flatbuffer, and, if wanted, an entry in
    the metadata table. The schema's objects, packed anew, would lose the alignment of the weights,
    and copy them one by one.

    Args:
        file: Its bytes.
        name: Name of the entry; one that has it already is replaced. Defaults to `None`: none.
        content: What it says.

    Raises:
        ExportError: If the file is too large.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(file, 0)
    outside = _outside(model)
    _refuse_options(model)
    end = min((begin for begin, _ in outside.values()), default=len(file))
    whole = file[:end] + bytes(-end % _ALIGNMENT)
    regions = dict.fromkeys(outside.values())
    room = len(content) + sum(size + 2 * _ALIGNMENT for _, size in regions)
    room += 4 * (model.BuffersLength() + model.MetadataLength()) + 32 * len(outside) + 1024
    if len(whole) + room > LARGEST:
        raise ExportError(
            f"The file cannot be written: {_TOO_LARGE.format(size=len(whole) + room)}."
        )
    builder: Any = flatbuffers.Builder(0)
    builder.Bytes = bytearray(room) + whole
    builder.head = room
    builder.minalign = _ALIGNMENT  # so that the old file moves by a multiple of it

    def old(position: int) -> int:
        return len(whole) - position  # a builder counts from the end

    fields = {slot: place for slot, place in _fields(file, model) if slot != _VERSION}
    places = {slot: old(place) for slot, place in fields.items()}
    buffers = [old(place) for place in _elements(file, fields[_BUFFERS])]
    vectors = {
        (begin, size): _bytes(builder, memoryview(file)[begin : begin + size])
        for begin, size in regions
    }
    for number, region in outside.items():
        buffers[number] = _buffer(builder, schema, vectors[region])
    if name is not None:
        kept = [
            old(place)
            for number, place in enumerate(_elements(file, fields.get(_METADATA)))
            if model.Metadata(number).Name() != name.encode()
        ]
        buffers.append(_buffer(builder, schema, _bytes(builder, memoryview(content))))
        text = builder.CreateString(name)
        schema.MetadataStart(builder)
        schema.MetadataAddName(builder, text)
        schema.MetadataAddBuffer(builder, len(buffers) - 1)
        places[_METADATA] = _vector(builder, [*kept, schema.MetadataEnd(builder)])
    places[_BUFFERS] = _vector(builder, buffers)
    builder.StartObject(max(places) + 1)
    builder.PrependUint32Slot(_VERSION, model.Version(), 0)
    for slot, place in places.items():
        builder.PrependUOffsetTRelativeSlot(slot, place, 0)
    builder.Finish(builder.EndObject(), b"TFL3")
    return bytes(builder.Output())


def refuse_too_large(weights: int, mode: str, bytes_each: float) -> None:
    """Refuse a file that cannot be, before hours are spent on it.

    Args:
        weights: Number of the model's weights.
        mode: Its mode.
        bytes_each: What one takes in it.

    Raises:
        ExportError: If so.

    Example:
    >>> refuse_too_large(500_000_000, "float32", 4)
    >>> refuse_too_large(600_000_000, "float32", 4)
    Traceback (most recent call last):
    ...
    kerasopt.export.errors.ExportError: The model has 600,000,000 weights. As a float32 file it
    would take 2,400,000,000 bytes, and a TFLite file that every runtime can read takes at most
    2,147,483,647. Export parts of it, or a smaller model.
    """
    size = int(weights * bytes_each)
    if size > LARGEST:
        raise ExportError(
            f"The model has {weights:,} weights. As a {mode} file {_TOO_LARGE.format(size=size)}. "
            "Export parts of it, or a smaller model."
        )


def _is_outside(buffer: Any) -> bool:
    # One is what a writer sets for a place that it does not know yet.
    return buffer.Offset() > 1 and not buffer.DataLength()


def _outside(model: Any) -> dict[int, tuple[int, int]]:
    """Give offset and size of the buffers behind the flatbuffer, by number."""
    found = {}
    for number in range(model.BuffersLength()):
        buffer = model.Buffers(number)
        if _is_outside(buffer):
            found[number] = (int(buffer.Offset()), int(buffer.Size()))
    return found


def _refuse_options(model: Any) -> None:
    """Refuse operations of others that keep their options behind the flatbuffer."""
    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for operator in map(graph.Operators, range(graph.OperatorsLength())):
            if operator.LargeCustomOptionsOffset() > 1:
                raise ExportError(
                    "The file has a custom operation whose options stand behind the flatbuffer, "
                    "which would be lost when it is written anew."
                )


def _bytes(builder: Any, content: memoryview) -> int:
    builder.StartVector(1, len(content), 16)
    builder.head -= len(content)
    builder.Bytes[builder.head : builder.head + len(content)] = content
    return int(builder.EndVector())


def _buffer(builder: Any, schema: Any, data: int) -> int:
    schema.BufferStart(builder)
    schema.BufferAddData(builder, data)
    return int(schema.BufferEnd(builder))


def _fields(file: bytes, model: Any) -> list[tuple[int, int]]:
    """Give the fields that a file's root has, by position in the schema, and where they point."""
    table = table_of(model)
    start = table.Pos - struct.unpack_from("<i", file, table.Pos)[0]
    slots = (struct.unpack_from("<H", file, start)[0] - 4) // 2
    found = [(slot, table.Offset(4 + 2 * slot)) for slot in range(slots)]
    return [(slot, table.Indirect(table.Pos + offset)) for slot, offset in found if offset]


def _elements(file: bytes, vector: int | None) -> list[int]:
    """Give the places to which a vector of offsets points."""
    if vector is None:
        return []
    length = struct.unpack_from("<I", file, vector)[0]
    offsets = struct.unpack_from(f"<{length}I", file, vector + 4)
    return [vector + 4 + 4 * number + offset for number, offset in enumerate(offsets)]


def _vector(builder: Any, places: list[int]) -> int:
    builder.StartVector(4, len(places), 4)
    for place in reversed(places):
        builder.PrependUOffsetTRelative(place)
    return int(builder.EndVector())
