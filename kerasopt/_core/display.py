"""How results are shown: tables of plain text, a line as `repr`, tables in notebooks."""

import html
import inspect
from collections.abc import Sequence
from typing import Any


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


Part = str | Sequence[Sequence[str]]
"""A paragraph, or the rows of a table, the heading first."""


class Shown:
    """Mixin of results: `brief` is their `repr`, and `parts` what notebooks and Markdown show.

    A class that has no `parts` shows the text that it prints.
    """

    def brief(self) -> str:
        """Give what matters most, in a few words."""
        return ""

    def parts(self) -> Sequence[Part]:
        """Give the paragraphs and tables."""
        return [str(self)]

    def __repr__(self) -> str:
        brief = self.brief()
        return f"<{type(self).__name__}{brief and f': {brief}'}>"

    def _repr_html_(self) -> str:
        return "\n".join(
            f"<pre>{html.escape(part)}</pre>" if isinstance(part, str) else _html(part)
            for part in self.parts()
        )

    def _repr_markdown_(self) -> str:
        return "\n\n".join(
            f"```text\n{part}\n```" if isinstance(part, str) else markdown(part)
            for part in self.parts()
        )


class Named:
    """Mixin of callbacks: shown by those of their arguments that are not the defaults."""

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self)).parameters
        config = self.get_config() if hasattr(self, "get_config") else {}
        given = (
            f"{name}={_short(value)}"
            for name, value in config.items()
            if name in parameters and not _same(parameters[name].default, value)
        )
        return f"{type(self).__name__}({', '.join(given)})"


def text_of(parts: Sequence[Part], right: Sequence[int] = ()) -> str:
    """Give paragraphs and tables as plain text, one under the other."""
    return "\n\n".join(
        part if isinstance(part, str) else columns(part, right=right) for part in parts
    )


def markdown(rows: Sequence[Sequence[str]]) -> str:
    r"""Give a table in Markdown.

    Example:
    >>> print(markdown([["mode", "bytes"], ["int8", "9,216"]]))
    | mode | bytes |
    |---|---|
    | int8 | 9,216 |
    """
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _html(rows: Sequence[Sequence[str]]) -> str:
    def line(row: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"

    body = "".join(line(row, "td") for row in rows[1:])
    return f"<table><thead>{line(rows[0], 'th')}</thead><tbody>{body}</tbody></table>"


def _same(default: Any, value: Any) -> bool:
    try:
        return bool(default == value)
    except (TypeError, ValueError):  # of arrays
        return False


def _short(value: Any) -> str:
    """Give a value of a configuration: an object in it by its class and arguments."""
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        inside = ", ".join(f"{name}={_short(one)}" for name, one in value["config"].items())
        return f"{value.get('class_name', value.get('class', ''))}({inside})"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
