"""A line that shows how far long work is."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.progress import track


def steps(work: Sequence[str], title: str) -> Iterator[str]:
    """Go through work with a line on standard error, at a terminal, that is gone at the end.

    Args:
        work: Its parts.
        title: What is done.
    """
    console = Console(stderr=True)
    yield from track(work, title, console=console, transient=True, disable=not console.is_terminal)
