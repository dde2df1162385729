"""Who runs a trial, and whether it still lives: real processes, real kills."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from kerasopt.tuning.oracle import heartbeat


@pytest.fixture(params=["ticks", "time of day"], autouse=True)
def way(request, monkeypatch):
    """As on Linux, and as where there is no `/proc`."""
    if request.param == "ticks" and not heartbeat._TICKS:
        pytest.skip("there is no /proc")
    monkeypatch.setattr(heartbeat, "_TICKS", request.param == "ticks")


def sleeper():
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def owner_of(process):
    return {**heartbeat.owner(), "pid": process.pid, "begun": heartbeat._begun(process.pid)}


def test_this_process_lives():
    assert not heartbeat.has_ended(heartbeat.owner())


def test_a_killed_process_is_known_to_have_ended_before_anyone_waits_for_it():
    process = sleeper()
    one = owner_of(process)
    assert not heartbeat.has_ended(one)
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and a zombie
    assert heartbeat.has_ended(one)
    process.wait()
    assert heartbeat.has_ended(one)


def test_another_process_with_the_same_number_is_another_one():
    assert heartbeat.has_ended({**heartbeat.owner(), "begun": "1"})


def test_nothing_is_known_of_other_machines():
    one = {**heartbeat.owner(), "machine": "elsewhere", "pid": 2**22 + 1}
    assert not heartbeat.has_ended(one)


def test_a_heartbeat_beats_and_survives_errors():
    beats, enough = [], threading.Event()

    def beat(number):
        beats.append(number)
        if number == 2:
            raise OSError("the database is away")
        if number >= 4:
            enough.set()

    heart = heartbeat.Heartbeat(beat, 0.001)
    assert enough.wait(30)
    heart.stop()
    assert beats[:4] == [1, 2, 3, 4]


def test_silence_is_measured_by_this_clock():
    now = [0.0]
    watch = heartbeat.Watch(60.0, clock=lambda: now[0])
    assert not watch.silent("a", 1)
    now[0] = 59.0
    assert not watch.silent("a", 1)
    assert not watch.silent("b", None)
    now[0] = 61.0
    assert watch.silent("a", 1)
    assert not watch.silent("a", 2)
    assert not watch.silent("b", None)
    now[0] = 125.0
    assert watch.silent("a", 2)
    assert watch.silent("b", None)
