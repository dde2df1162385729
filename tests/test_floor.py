"""The ground floor: checks, whole files, quiet, the board of a run."""

import os
import subprocess
import sys
import threading

import pytest

from kerasopt._core import checks, files, fit_state, quiet


def test_errors_say_which_what_and_received():
    error = checks.bad_value("rate", "a float in [0, 1)", 1.5, "Use 0.5.")
    assert str(error) == (
        "Invalid value for argument `rate`. Expected a float in [0, 1). "
        "Received: rate=1.5. Use 0.5."
    )
    assert len(str(checks.bad_type("x", "y", list(range(10_000))))) < 400


@pytest.mark.parametrize("value", [True, float("nan"), float("inf"), "1", None])
def test_what_is_no_real_number(value):
    assert not checks.is_real(value)


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.json"
    files.write_text(path, "old")

    def fail():
        with files.replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_new_file_has_the_usual_permissions(tmp_path):
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    plain.write_text("")
    files.write_text(ours, "")
    assert ours.stat().st_mode == plain.stat().st_mode


def test_what_the_descriptor_gets_is_held_back(capfd):
    with quiet.held_back() as lines:
        os.write(2, b"from C++\n")
        with quiet.held_back():
            os.write(2, b"deeper\n")
        print("from Python", file=sys.__stderr__)
    os.write(2, b"after\n")
    assert lines[:2] == ["from C++", "deeper"]
    assert capfd.readouterr().err == "after\n"


def test_it_is_given_back_after_an_error(capfd):
    seen = []

    def fail():
        with quiet.held_back() as lines:
            seen.append(lines)
            os.write(2, b"kept\n")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    os.write(2, b"after\n")
    assert seen == [["kept"]]
    assert capfd.readouterr().err == "after\n"


def test_threads_take_turns():
    def work():
        for _ in range(20):
            with quiet.held_back() as lines:
                os.write(2, b"x\n")
            seen.append(lines)

    seen = []
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [["x"]] * 80


def test_a_process_without_standard_error():
    script = """
import os
from kerasopt._core import quiet
os.close(2)
with quiet.held_back() as lines:
    pass
print(lines)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


class FakeCallback:
    def __init__(self, params):
        self.params = params


def test_the_board_is_shared_by_the_callbacks_of_one_fit_only():
    params = {"epochs": 3, "steps": 8}
    one, two, later = FakeCallback(params), FakeCallback(params), FakeCallback({"epochs": 1})
    fit_state.unsettle(one, "pruning", until=7)
    assert fit_state.unsettled(two) == [("pruning", 7)]
    assert fit_state.unsettled(later) == []
    assert fit_state.claim(one, "masked", {1: "a", 2: "b"}) == []
    assert fit_state.claim(two, "masked", {2: "b", 3: "c"}) == ["b"]
    assert fit_state.claimed(two, "masked") == {1, 2}
    assert fit_state.claim(one, "masked", {1: "a"}) == []
    fit_state.settle(one)
    assert fit_state.unsettled(two) == []
    assert fit_state.length(one) == (24, 8)
    assert fit_state.length(later) == (None, None)
