"""Tables of plain text, as wide as what stands in them."""

from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Set rows of text in columns, two spaces apart.

    Args:
        rows: The heading and the rows, all of one length.
        right: Which columns are set to the right, by number: figures.

    Example:
    >>> print(columns([["kernel", "zeros"], ["a/kernel", "8"]], right=[1]))
    kernel    zeros
    a/kernel      8
    """
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]

    def cell(number: int, text: str) -> str:
        return text.rjust(widths[number]) if number in right else text.ljust(widths[number])

    return "\n".join(
        "  ".join(cell(number, text) for number, text in enumerate(row)).rstrip() for row in rows
    )
