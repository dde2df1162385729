from types import SimpleNamespace

import pytest

from kerasopt.export import latency
from kerasopt.export.latency import time_calls


class Clock:
    """A clock that moves only when the timed call says so."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now

    def call(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(latency, "time", SimpleNamespace(perf_counter=clock.perf_counter))
    return clock


def test_runs_are_bounded_by_number(clock):
    calls = []

    def call():
        calls.append(1)
        clock.call(0.001)

    assert time_calls(call, seconds=0.05, runs=17).runs == 17
    assert len(calls) > 17  # the warm-up


def test_runs_are_bounded_by_time(clock):
    found = time_calls(lambda: clock.call(0.015625), seconds=0.125, runs=10_000)
    assert found.runs == 8  # 8 / 64 s
    assert found.median_ms == found.p95_ms == 15.625


def test_a_slow_call_is_run_five_times(clock):
    assert time_calls(lambda: clock.call(0.5), seconds=0.001).runs == 5


def test_the_median_and_the_95th_percentile(clock):
    taken = iter([1.0] * 3 + [float(ms) for ms in range(101)])
    found = time_calls(lambda: clock.call(next(taken)), seconds=1e-9, runs=101)
    assert found.runs == 5
    assert (found.median_ms, found.p95_ms) == (2000.0, 3800.0)


def test_plain_data(clock):
    plain = time_calls(lambda: clock.call(0.25), runs=5, threads=3, batch=2).to_dict()
    assert plain == {"median_ms": 250.0, "p95_ms": 250.0, "runs": 5, "threads": 3, "batch": 2}
