"""What has to be installed for some modes."""

from importlib.util import find_spec

from kerasopt.export.modes import MODES


def require_quantizer(mode: str) -> None:
    """Say before anything is converted that a mode needs a package that is not there.

    Raises:
        ImportError: If so.
    """
    if MODES[mode].quantizer and find_spec("ai_edge_quantizer") is None:
        raise ImportError(f"mode={mode!r} needs ai-edge-quantizer: pip install 'kerasopt[int4]'.")
