"""Whether the code in a document fits the library: what it names and passes exists."""

import ast
import importlib
import inspect
import re
import typing
from collections.abc import Iterator
from typing import Any

_OURS = "kerasopt"


class Unknown:
    """What a name stands for when it cannot be told."""


class Instance:
    """An object of a class that the document makes."""

    def __init__(self, cls: type):
        self.cls = cls


def blocks(text: str, language: str = "python") -> list[str]:
    """Give the code blocks of a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def dotted(text: str) -> list[str]:
    """Give the dotted names of ours that stand in backticks, less modules run as programs."""
    return sorted(set(re.findall(rf"`({_OURS}(?:\.\w+)+)(?:\(|`)", text)))


def found(name: str) -> Any:
    """Give what a dotted name stands for.

    Raises:
        AttributeError: If there is no such thing.
    """
    parts = name.split(".")
    thing: Any = importlib.import_module(parts[0])
    for number, part in enumerate(parts[1:], 2):
        try:
            thing = getattr(thing, part)
        except AttributeError:
            try:
                thing = importlib.import_module(".".join(parts[:number]))
            except ImportError:
                raise AttributeError(f"{name}: no {part!r}") from None
    return thing


def faults(code: str, known: dict[str, Any] | None = None) -> list[str]:
    """Say what is wrong with one block.

    Args:
        code: The block.
        known: What earlier blocks of the document have made; brought up to date.
    """
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        return [f"line {error.lineno}: {error.msg}"]
    reader = _Reader({} if known is None else known)
    reader.visit(tree)
    return reader.faults


class _Reader(ast.NodeVisitor):
    def __init__(self, known: dict[str, Any]):
        self.known = known
        self.faults: list[str] = []

    def _say(self, node: ast.AST, what: str) -> None:
        self.faults.append(f"line {getattr(node, 'lineno', '?')}: {what}")

    # What names stand for.

    def visit_Import(self, node: ast.Import) -> None:
        for one in node.names:
            name = one.name if one.asname else one.name.split(".")[0]
            self._learn(node, one.asname or name, name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for one in node.names:
            self._learn(node, one.asname or one.name, f"{node.module}.{one.name}")

    def _learn(self, node: ast.AST, name: str, path: str) -> None:
        self.known[name] = Unknown
        if path.split(".")[0] == _OURS:
            try:
                self.known[name] = found(path)
            except AttributeError as error:
                self._say(node, str(error))

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        value = self._value(node.value)
        for target in node.targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name):
                    self.known[name.id] = value if name is target else Unknown

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._define(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._define(node)

    def _define(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        self.known[node.name] = Unknown
        arguments = getattr(node, "args", None)
        inside = dict(self.known)
        for one in ast.walk(arguments) if arguments else ():
            if isinstance(one, ast.arg):
                inside[one.arg] = Unknown
        reader = _Reader(inside)
        reader.generic_visit(node)
        self.faults += reader.faults

    def _value(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Name):
            return self.known.get(node.id, Unknown)
        if isinstance(node, ast.Attribute):
            return self._attribute(self._value(node.value), node.attr)
        if isinstance(node, ast.Call):
            return _made(self._value(node.func))
        return Unknown

    @staticmethod
    def _attribute(thing: Any, name: str) -> Any:
        if isinstance(thing, Instance):
            value = inspect.getattr_static(thing.cls, name, Unknown)
            if isinstance(value, property):
                return _of_type(_hint(value.fget))
            return getattr(thing.cls, name, Unknown) if callable(value) else Unknown
        return Unknown if thing is Unknown else getattr(thing, name, Unknown)

    # Whether it fits.

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        thing = self._value(node.value)
        if isinstance(thing, Instance):
            if not _has(thing.cls, node.attr):
                self._say(node, f"{thing.cls.__name__} has no {node.attr!r}")
        elif inspect.ismodule(thing) and thing.__name__.startswith(_OURS):
            try:
                found(f"{thing.__name__}.{node.attr}")
            except AttributeError as error:
                self._say(node, str(error))

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        thing = self._value(node.func)
        if thing is Unknown or not callable(thing) or not _is_ours(thing):
            return
        signature = inspect.signature(thing)
        parameters = list(signature.parameters.values())
        if isinstance(node.func, ast.Attribute) and isinstance(
            self._value(node.func.value), Instance
        ):
            parameters = parameters[1:]  # self
        kinds = {one.kind for one in parameters}
        name = getattr(thing, "__name__", str(thing))
        taken = {one.name for one in parameters if one.kind is not one.POSITIONAL_ONLY}
        for keyword in node.keywords if inspect.Parameter.VAR_KEYWORD not in kinds else ():
            if keyword.arg and keyword.arg not in taken:
                self._say(node, f"{name} takes no {keyword.arg!r}")
        places = [one for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
        starred = any(isinstance(one, ast.Starred) for one in node.args)
        if inspect.Parameter.VAR_POSITIONAL in kinds or starred:
            return
        if len(node.args) > len(places):
            self._say(node, f"{name} takes {len(places)} arguments by place, not {len(node.args)}")
        given = {one.name for one in places[: len(node.args)]}
        if twice := given & {one.arg for one in node.keywords}:
            self._say(node, f"{name} is given {sorted(twice)} twice")
        if any(one.arg is None for one in node.keywords):
            return
        given |= {one.arg for one in node.keywords}
        lacking = [
            one.name
            for one in parameters
            if one.default is one.empty
            and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
            and one.name not in given
        ]
        if lacking:
            self._say(node, f"{name} lacks {lacking}")


def _is_ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).split(".")[0] == _OURS


def _made(thing: Any) -> Any:
    """Give what a call of a thing returns."""
    if thing is Unknown or not _is_ours(thing):
        return Unknown
    return Instance(thing) if inspect.isclass(thing) else _of_type(_hint(thing))


def _hint(function: Any) -> Any:
    try:
        return typing.get_type_hints(function).get("return")
    except (NameError, TypeError):
        return None


def _of_type(hint: Any) -> Any:
    return Instance(hint) if inspect.isclass(hint) and _is_ours(hint) else Unknown


def _has(cls: type, name: str) -> bool:
    """Tell whether instances of a class have an attribute, one that its methods set included."""
    return hasattr(cls, name) or any(name in names for names in _set_by(cls))


def _set_by(cls: type) -> Iterator[set[str]]:
    for one in cls.__mro__:
        yield set(getattr(one, "__annotations__", {}))
        if one.__module__ != "builtins":
            yield set(re.findall(r"self\.(\w+)\b[^=\n]*=(?!=)", inspect.getsource(one)))
