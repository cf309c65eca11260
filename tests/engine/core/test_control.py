"""Stopping, pausing and going on, from another thread."""

import threading

from sslstudio.engine.core.control import RunControl

SOON = 5.0  # seconds within which a thread that is not stuck has ended on any machine


class Waiting:
    """A thread that asks `proceed` once."""

    def __init__(self, control: RunControl) -> None:
        self.answers: list[bool] = []
        self.thread = threading.Thread(target=lambda: self.answers.append(control.proceed()), daemon=True)
        self.thread.start()

    def is_blocked(self) -> bool:
        self.thread.join(0.1)
        return self.thread.is_alive()

    def answer(self) -> bool:
        self.thread.join(SOON)
        assert not self.thread.is_alive(), "proceed is still waiting"
        return self.answers[0]


def test_a_fresh_control_lets_the_run_go() -> None:
    control = RunControl()
    assert control.proceed()
    assert not control.stopping
    assert not control.paused


def test_stop_ends_the_run_for_good() -> None:
    control = RunControl()
    control.stop()
    assert control.stopping
    assert not control.proceed()
    control.resume()
    assert not control.proceed()


def test_pause_blocks_until_resume() -> None:
    control = RunControl()
    control.pause()
    assert control.paused
    waiting = Waiting(control)
    assert waiting.is_blocked()
    control.resume()
    assert waiting.answer()
    assert not control.paused


def test_stop_wakes_a_paused_run() -> None:
    control = RunControl()
    control.pause()
    waiting = Waiting(control)
    assert waiting.is_blocked()
    control.stop()
    assert not waiting.answer()
    assert not control.paused


def test_a_pause_after_the_stop_does_not_hold_the_run() -> None:
    control = RunControl()
    control.stop()
    control.pause()
    assert not control.paused
    assert not Waiting(control).answer()
