"""Named entries in the metadata table of a TFLite file."""

from kerasopt.export.buffers import data_of, rewritten


def entry(file: bytes, name: str) -> bytes | None:
    """Read an entry of a file that LiteRT has loaded before: nothing is checked here.

    Args:
        file: Its bytes.
        name: Name of the entry.

    Returns:
        What was written, or `None` if there is no such entry.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(file, 0)
    for number in range(model.MetadataLength()):
        one = model.Metadata(number)
        if one.Name() == name.encode():
            return bytes(data_of(file, model.Buffers(one.Buffer())))
    return None


def with_entry(file: bytes, name: str, content: bytes) -> bytes:
    """Put an entry into a file, and leave all else in it as it is, byte for byte.

    Weights that stand behind the flatbuffer are brought into it.

    Args:
        file: Its bytes.
        name: Name of the entry; one that has it already is replaced.
        content: What to write.

    Raises:
        ExportError: If the file is too large for that.
    """
    return rewritten(file, name, content)
