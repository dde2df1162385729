import time

import pytest

from kerasopt.export.latency import time_calls


def test_runs_are_bounded_by_number():
    calls = []
    assert time_calls(lambda: calls.append(1), seconds=0.05, runs=17).runs == 17
    assert len(calls) > 17  # the warm-up


def test_runs_are_bounded_by_time():
    latency = time_calls(lambda: time.sleep(0.01), seconds=0.1, runs=10_000)
    assert 5 <= latency.runs <= 10
    assert 10 <= latency.median_ms <= latency.p95_ms


def test_a_slow_call_is_run_five_times():
    assert time_calls(lambda: time.sleep(0.01), seconds=0.001).runs == 5


def test_plain_data():
    plain = time_calls(lambda: None, runs=5, threads=3, batch=2).to_dict()
    assert plain["threads"] == 3
    assert plain["batch"] == 2
    assert plain["median_ms"] == pytest.approx(0, abs=1)
