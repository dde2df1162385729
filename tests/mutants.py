"""Whether the tests notice faults: puts those of `mutants.toml` into a copy, one at a time.

    python -m tests.mutants [--only NAME] [--tree PATH]

A mutant is a text that stands once in `kerasopt/`, what takes its place, and the tests that must
fail then. Neither names a file, so one list fits a tree before and after its files moved.
"""

import argparse
import compileall
import fnmatch
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

LIST = Path(__file__).with_suffix(".toml")
PACKAGE = "kerasopt"
COPIED = (PACKAGE, "tests", "pyproject.toml", "setup.cfg")
SECONDS = 300  # a mutant may make a loop that never ends
KILLED, SURVIVED, ANYWAY, ABSENT = "killed", "survived", "tests fail anyway", "no such text or test"


@dataclass(frozen=True)
class Mutant:
    """A fault: the text `old` becomes `new`, and one of `tests` fails.

    A test is the name of a function, or that and the id of a parameter: `test_norms[l1]`.
    """

    name: str
    old: str
    new: str
    tests: tuple[str, ...]


def read(path, only=("*",)):
    """Give the mutants of a list whose names match."""
    found = [
        Mutant(one["name"], one["old"], one["new"], tuple(one["tests"]))
        for one in tomllib.loads(path.read_text())["mutant"]
    ]
    twice = [name for name, count in Counter(one.name for one in found).items() if count > 1]
    if twice:
        raise ValueError(f"Names in {path} stand for one mutant each; received {twice} twice.")
    return [one for one in found if any(fnmatch.fnmatchcase(one.name, part) for part in only)]


def place_of(tree, text):
    """Give the file of the package in which a text stands, or None if that is not one place."""
    counts = {path: path.read_text().count(text) for path in sorted(tree.rglob("*.py"))}
    found = [path for path, count in counts.items() if count]
    return found[0] if len(found) == 1 and counts[found[0]] == 1 else None


def ids_of(tree, tests):
    """Give pytest's ids of test functions, or None if one is not there or in several files."""
    texts = {path: path.read_text() for path in sorted(tree.rglob("test_*.py"))}
    ids = []
    for test in tests:
        definition = re.compile(rf"^def {re.escape(test.partition('[')[0])}\(", re.MULTILINE)
        found = [path for path, text in texts.items() if definition.search(text)]
        if len(found) != 1:
            return None
        ids.append(f"{found[0].relative_to(tree.parent)}::{test}")
    return ids


class Chosen:
    """A plugin of pytest that runs the chosen tests of some files and notes what became of each."""

    def __init__(self, ids):
        self.ids, self.found = set(ids), {}

    def pytest_collection_modifyitems(self, items):
        items[:] = [one for one in items if {one.nodeid, one.nodeid.partition("[")[0]} & self.ids]

    def pytest_runtest_logreport(self, report):
        before = self.found.get(report.nodeid, "passed")
        if before == "passed" and (report.when == "call" or not report.passed):
            self.found[report.nodeid] = report.outcome


def _in_child(copy, ids, options, folder):
    import pytest

    with open(folder / "output.txt", "w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.chdir(copy)
    for name in [one for one in sys.modules if one.partition(".")[0] == "tests"]:
        del sys.modules[name]
    sys.path.insert(0, str(copy))  # before what an editable install adds
    files = dict.fromkeys(one.partition("::")[0] for one in ids)
    chosen = Chosen(ids)
    # A file that cannot be imported leaves the tests of the others.
    how = ["-q", "--no-header", "--tb=short", "-p", "no:cacheprovider"]
    how += ["--continue-on-collection-errors", *options]
    code = pytest.main([*how, *files], plugins=[chosen])
    (folder / "outcomes.json").write_text(json.dumps([int(code), chosen.found]))


def run(copy, ids, options=(), seconds=SECONDS):
    """Run tests of a copy in a process of its own; give pytest's exit code and all outcomes.

    The code is None where the process did not come to its end.
    """
    with tempfile.TemporaryDirectory(prefix="kerasopt-mutants-") as folder:
        # What this process has imported, TensorFlow above all, is there at once in the other one.
        child = multiprocessing.get_context("fork").Process(
            target=_in_child, args=(copy, ids, options, Path(folder))
        )
        child.start()
        child.join(seconds)
        if child.is_alive():
            child.kill()
            child.join()
        result = Path(folder, "outcomes.json")
        code, found = json.loads(result.read_text()) if result.exists() else (None, {})
        if code and "-x" not in options:
            sys.stdout.write(Path(folder, "output.txt").read_text()[-6000:] + "\n")
        return code, found


def passes(test, outcomes):
    """Say whether a test ran, with all its parameters, and passed."""
    mine = [what for one, what in outcomes.items() if one == test or one.startswith(f"{test}[")]
    return bool(mine) and set(mine) == {"passed"}


def copied(tree, folder):
    """Copy what the tests of a tree need, compiled so that a changed file is noticed at once."""
    copy = Path(folder).resolve() / "copy"
    copy.mkdir()
    for name in COPIED:
        if (tree / name).is_dir():
            shutil.copytree(tree / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(tree / name, copy / name)
    # By default a file counts as the same whose size and second of change are.
    how = PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(copy / PACKAGE, quiet=2, invalidation_mode=how)
    return copy


def judged(mutants, copy, tell):
    """Give what becomes of each mutant: first all tests without one, then the mutants in turn."""
    ids = {one: ids_of(copy / "tests", one.tests) for one in mutants}
    places = {one: place_of(copy / PACKAGE, one.old) for one in mutants}
    every = dict.fromkeys(test for some in ids.values() for test in some or ())
    _, sound = run(copy, list(every), seconds=SECONDS * 10)
    found = {}
    for one in mutants:
        begun, place = time.monotonic(), places[one]
        if place is None or ids[one] is None:
            found[one] = ABSENT
        elif not all(passes(test, sound) for test in ids[one]):
            found[one] = ANYWAY
        else:
            before = place.read_text()
            place.write_text(before.replace(one.old, one.new))
            code, _ = run(copy, ids[one], ["-x"])
            place.write_text(before)
            found[one] = SURVIVED if code == 0 else KILLED
        where = "?" if place is None else place.relative_to(copy / PACKAGE)
        spent = time.monotonic() - begun
        tell(f"{found[one]:<18} {spent:5.1f} s  {one.name:<38} {where}")
    return found


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="a name or a pattern")
    parser.add_argument("--tree", type=Path, default=LIST.parents[1], help="another checkout")
    parser.add_argument("--list", type=Path, default=LIST, help="another list")
    options = parser.parse_args()
    mutants = read(options.list, options.only or ("*",))
    if not mutants:
        parser.error(f"no mutant is named so: {options.only}")

    def tell(line):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    sys.dont_write_bytecode = True
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    with tempfile.TemporaryDirectory(prefix="kerasopt-mutants-") as folder:
        copy = copied(options.tree.resolve(), folder)
        # For the processes that tests start.
        os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        found = Counter(judged(mutants, copy, tell).values())
    tell(f"{len(mutants)} mutants: " + ", ".join(f"{n} {what}" for what, n in found.items()))
    return int(found[KILLED] < len(mutants))


if __name__ == "__main__":
    sys.exit(main())
