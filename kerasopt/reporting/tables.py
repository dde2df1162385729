"""Tables for the terminal."""

from collections.abc import Mapping, Sequence

from rich.table import Table


def table(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> Table:
    """Make a table with a name and some figures a row, the figures to the right.

    Args:
        title: What the table shows.
        columns: Headings, the first one for the names.
        rows: Name -> its figures, as text.

    Returns:
        A `rich.table.Table`, for `rich.print` or a `rich.console.Console`.

    Example:
    >>> from rich.console import Console
    >>> Console(width=40).print(table("Files", ["mode", "bytes"], {"int8": ["9,216"]}))
          Files
    ┏━━━━━━┳━━━━━━━┓
    ┃ mode ┃ bytes ┃
    ┡━━━━━━╇━━━━━━━┩
    │ int8 │ 9,216 │
    └──────┴───────┘
    """
    result = Table(title=title)
    for index, column in enumerate(columns):
        result.add_column(column, justify="right" if index else "left", no_wrap=True)
    for name, figures in rows.items():
        result.add_row(name, *figures)
    return result
