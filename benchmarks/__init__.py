"""Benchmarks: ratios to plain `fit` and to peers. Run as `python -m benchmarks.pruning --quick`."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
