"""The floor plan of `docs/architecture.md`, held: names, sizes, and which way imports point."""

import ast
from collections import defaultdict
from pathlib import Path

import kerasopt

PACKAGE = Path(kerasopt.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# From the bottom up; a room may import what stands in an earlier line.
FLOORS = (
    {"_version"},
    {"_core"},
    {"_keras", "_layers", "_kernels"},
    {"schedules", "selection"},
    {"_fit_steps", "graph"},
    {"dependency", "batch_norm", "stopping", "regularization", "distillation"},
    {"profile"},
    {"pruning"},
    {"structured", "backup"},
    {"layers", "callbacks", "models"},
    {"export"},
    {"migrate", "reporting"},
    {"tuning"},
    {"cli"},
    {"__main__"},
)
# One thing in several rooms.
SHARED = {
    "__init__", "__main__", "api", "callback", "errors", "iterative", "registry", "serialization",
    # What a room offers, and the command or the picture of it.
    "export", "search", "sensitivity", "sparsity", "shrink", "inspect",
    # A space of `kerasopt.tuning.space` and a room; a rule of channels or a layer and its kind.
    "dropout", "pruning", "regularization", "stopping",
}  # fmt: skip


def room(name):
    return name.split(".")[1] if "." in name else name


def imports_of(path):
    """Give what a module imports when it is imported: not inside functions, not for types alone."""
    found = []

    def walk(nodes):
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kerasopt"):
                for one in node.names:
                    deeper = f"{node.module}.{one.name}"
                    place = PACKAGE.parent / deeper.replace(".", "/")
                    is_module = place.with_suffix(".py").exists() or place.is_dir()
                    found.append(deeper if is_module else node.module)
            elif isinstance(node, ast.Import):
                found.extend(one.name for one in node.names if one.name.startswith("kerasopt"))
            elif isinstance(node, (ast.If, ast.Try)) and "TYPE_CHECKING" not in ast.dump(node):
                walk(node.body)
                walk(node.orelse)

    walk(ast.parse(path.read_text()).body)
    return found


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_module_is_named_by_a_gerund():
    assert not [
        path.name for path in FILES if path.stem.endswith("ing") and path.stem not in SHARED
    ]


def test_no_folder_is_crowded():
    folders = defaultdict(list)
    for path in FILES:
        if path.stem != "__init__":
            folders[path.parent].append(path.name)
    assert not {str(f.relative_to(PACKAGE)): len(n) for f, n in folders.items() if len(n) > 14}


def test_one_name_means_one_thing():
    places = defaultdict(list)
    for path in FILES:
        if path.stem not in SHARED and path.parent.name != "_keras":
            places[path.stem].append(str(path.relative_to(PACKAGE)))
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_imports_between_rooms_go_down():
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    wrong = []
    for path in FILES:
        mine = room(module_name(path))
        if mine == "kerasopt":
            continue
        for name in imports_of(path):
            theirs = room(name)
            if theirs not in ("kerasopt", mine) and floor[theirs] >= floor[mine]:
                wrong.append(f"{module_name(path)} -> {name}")
    assert not wrong


def test_files_are_of_a_size_to_read():
    sizes = {module_name(path): len(path.read_text().splitlines()) for path in FILES}
    assert not {name: lines for name, lines in sizes.items() if lines > 450}


def test_every_room_says_what_is_public():
    rooms = [getattr(kerasopt, name) for name in kerasopt._ROOMS]
    assert all(hasattr(one, "__all__") for one in rooms)
    for one in rooms:
        for name in one.__all__:
            assert getattr(one, name) is not None, f"{one.__name__}.{name}"
