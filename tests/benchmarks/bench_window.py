"""The same pretraining in the window and on the command line; how late the window is meanwhile; how soon it is there.

    python -m tests.benchmarks.bench_window --runs 5

The window is the real one, drawn off screen, with all of its live curves in sight; the training has a process of its
own, as it has by itself. A timer of 16 ms on its thread says how
late the thread is for anything else: a click, a scroll, a repaint.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.bench_kit import Figures, in_a_process, medians, place_apart, show

HERE = "tests.benchmarks.bench_window"
TICK_MS, REST_MS = 16, 100  # a timer of 16 ms, ten times a second
PAINTED = """
import sys, time, os
from PySide6.QtCore import QEvent
from sslstudio.ui.shell.main_window import MainWindow
plain = MainWindow.event
def event(window, what):
    done = plain(window, what)
    if what.type() == QEvent.Type.Paint:
        print(time.time() - float(os.environ["BEGAN"]), flush=True)
        os._exit(0)
    return done
MainWindow.event = event
sys.argv = ["sslstudio"]
from sslstudio.cli.main import main
main()
"""


def settings(options: argparse.Namespace) -> list[str]:
    """What both ways are told."""
    return [
        f"optimiser.batch_size={options.batch}",
        f"budget.steps={options.steps}",
        "probe.enabled=false",
        "hardware.autotune=off",
        "hardware.device=cpu",
        f"data.side={options.side}",
    ]


def rate_of(run: Path, options: argparse.Namespace) -> float:
    """Pictures a second of the whole training, from what the run has written down."""
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return float(options.batch * metrics["steps"] / metrics["seconds"])


def by_command(folder: Path, out: Path, options: argparse.Namespace) -> float:
    """Pictures a second on the command line."""
    command = [sys.executable, "-m", "sslstudio", "pretrain", str(folder), "--task", options.task, "--out", str(out)]
    command += [part for one in settings(options) for part in ("--set", one)]
    subprocess.run(command, check=True, capture_output=True)
    return rate_of(out, options)


def in_the_window(folder: Path, out: Path, options: argparse.Namespace) -> Figures:
    """Pictures a second in the window, and how late its thread was, in milliseconds. For a process of its own."""
    from PySide6.QtCore import QElapsedTimer, QSettings, Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from sslstudio.engine.core.events import Event, StepDone
    from sslstudio.ui.pages.train.run_page import RunPage
    from sslstudio.ui.shell.main_window import MainWindow

    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(out.parent / "settings"))
    app = QApplication(sys.argv[:1])
    window = MainWindow()
    window.resize(1280, 800)
    window.show()

    def wait(done: Callable[[], bool]) -> None:
        while not done():
            app.processEvents()
            time.sleep(0.002)

    workspace = window.workspace
    workspace.load_engine()
    wait(lambda: workspace.engine is not None)
    workspace.open_folder(folder)
    wait(lambda: workspace.readable is not None)
    window.go("pretrain")
    page = window.pages["pretrain"]
    assert isinstance(page, RunPage)
    wait(lambda: page.settings is not None)
    page.view.curves.show_details(True)  # all plots in sight, as for somebody who watches
    page.config = lambda: _config(folder, out, options)  # type: ignore[method-assign]
    late: list[float] = []
    clock, training = QElapsedTimer(), [False]
    timer = QTimer(interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer, singleShot=True)
    again = QTimer(interval=REST_MS)  # a timer that ticks without rest would itself take a per cent from the training

    def arm() -> None:
        clock.restart()
        timer.start()

    def tick() -> None:
        if training[0]:
            late.append(max(0.0, clock.nsecsElapsed() / 1e6 - TICK_MS))

    spent: list[tuple[float, float]] = []

    def follow(job: str, events: list[Event]) -> None:
        training[0] = training[0] or any(isinstance(event, StepDone) for event in events)
        if training[0]:
            spent.append((time.thread_time(), time.perf_counter()))

    timer.timeout.connect(tick)
    workspace.runner.events.connect(follow)
    workspace.runner.ended.connect(app.quit)
    again.timeout.connect(arm)
    clock.start()
    again.start()
    page.start_run()
    app.exec()
    again.stop()
    timer.stop()
    window.close()
    cuts = statistics.quantiles(late, n=100)
    share = (spent[-1][0] - spent[0][0]) / (spent[-1][1] - spent[0][1])
    return {"rate": rate_of(out, options), "share": share, "median": cuts[49], "p99": cuts[98], "most": max(late)}


def _config(folder: Path, out: Path, options: argparse.Namespace) -> object:
    from sslstudio.engine.core.config import with_settings
    from sslstudio.engine.training.config import DataConfig, PretrainConfig

    config = PretrainConfig(out=str(out), task=options.task, data=DataConfig(folder=str(folder)))
    return with_settings(config, settings(options), options.task)


def first_window() -> float:
    """Seconds from the command to the first time that the window is painted."""
    began = {**os.environ, "BEGAN": str(time.time())}
    done = subprocess.run([sys.executable, "-c", PAINTED], env=began, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def one_run(number: int, folder: Path, place: Path, options: argparse.Namespace) -> Figures:
    passed = ["--task", options.task, "--steps", options.steps, "--batch", options.batch, "--side", options.side]
    rates: dict[str, float] = {}
    shown: Figures = {}
    for way in ("window", "command") if number % 2 else ("command", "window"):
        out = place / f"{way}-{number}" / "run"
        out.parent.mkdir()
        if way == "window":
            shown = in_a_process(HERE, "--show", folder, out, *passed)
            rates[way] = shown["rate"]
        else:
            rates[way] = by_command(folder, out, options)
    return {
        "on the command line, pictures a second": rates["command"],
        "in the window, pictures a second": rates["window"],
        "window / command line (at least 0.97)": rates["window"] / rates["command"],
        "window's own thread, share of a core": shown["share"],
        "timer of 16 ms: late by, median, ms": shown["median"],
        "timer of 16 ms: late by, 99th percentile, ms (at most 16)": shown["p99"],
        "timer of 16 ms: late by, most, ms": shown["most"],
        "command to first window, seconds (under 1.0)": first_window(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="pictures (default: drawn ones)")
    parser.add_argument("--task", default="jigsaw")
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="file for the JSON")
    parser.add_argument("--show", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if options.show:
        print(json.dumps(in_the_window(options.show[0], options.show[1], options)))
        return
    with place_apart(options.folder) as (place, folder):
        by_command(folder, place / "warm", options)  # pictures are read, files are in memory
        first_window()
        runs = [one_run(number, folder, place, options) for number in range(options.runs)]
    about = {name: str(value) for name, value in vars(options).items() if name not in ("out", "show")}
    show("window", medians(runs), options.runs, about, options.out)


if __name__ == "__main__":
    main()
