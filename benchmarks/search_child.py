"""The process in which `search.py` measures: calls one function of one of its parts.

    python benchmarks/search_child.py module:function < arguments.json

The arguments are a JSON object; the answer is the last line of the output.
"""

import importlib
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> None:
    """Call the function, and keep from the output what others print."""
    module, name = sys.argv[1].split(":")
    arguments = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer = getattr(importlib.import_module(module), name)(**arguments)
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
