"""On what `shrink.py` was measured. Runs in `search_child.py`: it imports TensorFlow."""

from importlib.metadata import version


def about() -> str:
    """Give date, cores and versions."""
    from measured import measured_on

    return f"{measured_on()}, LiteRT {version('ai-edge-litert')}"
