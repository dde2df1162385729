from types import SimpleNamespace

import pytest

from kerasopt.export.runtime import latency
from kerasopt.export.runtime.latency import pace, time_calls, time_in_turn


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
    assert plain == {
        "median_ms": 250.0,
        "p95_ms": 250.0,
        "runs": 5,
        "threads": 3,
        "batch": 2,
        "low_ms": 250.0,
        "high_ms": 250.0,
    }


def test_several_calls_run_in_turn_and_every_other_round_backwards(clock):
    order = []

    def call(name, seconds):
        order.append(name)
        clock.call(seconds)

    calls = [lambda: call("a", 0.25), lambda: call("b", 0.5)]
    found = time_in_turn(calls, seconds=1.0, runs=6, threads=2, batch=3)
    assert "".join(order[-10:]) == "abbaabbaab"
    assert [one.median_ms for one in found.latencies] == [250.0, 500.0]
    assert {(one.runs, one.threads, one.batch) for one in found.latencies} == {(5, 2, 3)}
    assert found.rounds == ((250.0,) * 5, (500.0,) * 5)
    assert found.pace(1, 0).verdict == "slower"
    assert found.pace(0, 1).verdict == "faster"


def test_short_calls_run_in_bursts(clock):
    order = []

    def call(name, seconds):
        order.append(name)
        clock.call(seconds)

    calls = [lambda: call("a", 1 / 2048), lambda: call("b", 1.0)]
    found = time_in_turn(calls, seconds=0.0, runs=100)
    assert "".join(order).endswith("aaaabbaaaa" * 2 + "aaaab")
    assert [one.runs for one in found.latencies] == [20, 5]


@pytest.mark.parametrize(
    ("mine", "other", "verdict"),
    [
        ([2.0] * 9, [1.0] * 9, "slower"),
        ([1.0] * 9, [2.0] * 9, "faster"),
        ([1.05] * 9, [1.0] * 9, "alike"),
        ([0.003] * 9, [0.001] * 9, "alike"),  # microseconds
        # What slows the machine slows both.
        ([1.0, 1.0, 4.0, 5.0, 1.0, 9.0], [1.0, 1.0, 4.0, 5.0, 1.0, 9.0], "alike"),
        ([2.0, 2.0, 8.0, 9.0, 2.0, 18.0], [1.0, 1.0, 4.0, 5.0, 1.0, 9.0], "slower"),
        # A single round tells nothing, though its mean would.
        ([1.0, 1.0, 1.0, 1.0, 1.0, 60.0], [1.0] * 6, "alike"),
        ([4.0, 0.5, 4.0, 0.6, 4.0, 0.5], [1.0] * 6, "unclear"),
        ([4.0] * 4, [1.0] * 4, "unclear"),  # too few
        ([1.2, 6.0, 2.0, 9.0, 1.3, 4.0], [1.0] * 6, "slower"),  # by how much, is another matter
    ],
)
def test_which_is_slower(mine, other, verdict):
    assert pace(mine, other).verdict == verdict
