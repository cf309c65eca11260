"""A cache is right whatever happens to the process that writes it."""

import resource
import signal
import subprocess
from pathlib import Path
from typing import Any


def test_killed_between_pictures(tools: Any, root: Path, tmp_path: Path) -> None:
    """Killed from outside after the twelfth line of progress; two commits of five have been made by then."""
    body = """
    for event in pixel_cache.build_cache(scan(root), 8, cache_dir=where, workers=2):
        print(event.done, flush=True)
        if event.done == 12:
            sys.stdin.read()
    """
    process = tools.child(body, root, tmp_path / "cache", stdin=subprocess.PIPE)
    assert process.stdout is not None
    while process.stdout.readline().strip() != "12":
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    kept = tools.slots(root, tmp_path / "cache")
    assert len(kept) == 10
    tools.assert_right(tools.build(root, tmp_path / "cache"))


def test_killed_at_any_line(tools: Any, root: Path, tmp_path: Path) -> None:
    """Processes that update an older cache kill themselves at 20 lines of the code that writes, all over the work."""
    tools.build(root, tmp_path / "old")
    for number in range(10):
        tools.draw(root / "0" / f"new {number}.png", 300 + number)
    for number in (0, 3, 6):
        tools.draw(root / "0" / f"{number:02}.png", 400 + number)
    (root / "1" / "01.png").unlink()
    body = """
    import shutil
    lines = last = 0
    def trace(frame, event, argument):
        global lines
        if not frame.f_code.co_filename.endswith(os.path.join("cache", "store.py")):
            return None
        if event == "line":
            lines += 1
            if lines == last:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    def update(copy):
        shutil.copytree(where / "old", where / copy)
        steps = pixel_cache.build_cache(scan(root), 8, cache_dir=where / copy)
        sys.settrace(trace)
        for event in steps:
            pass
        sys.settrace(None)
    update("whole")
    whole, lines = lines, 0
    for number in range(20):
        last = 1 + number * (whole - 1) // 19
        if not (process := os.fork()):
            update(str(number))
            os._exit(0)
        print(os.WTERMSIG(os.waitpid(process, 0)[1]))
    """
    signals, errors = tools.child(body, root, tmp_path).communicate()
    assert errors == ""
    assert signals.split() == [str(int(signal.SIGKILL))] * 20
    kept = [len(tools.slots(root, tmp_path / str(number))) for number in range(20)]
    assert kept[0] == 20
    assert min(kept) < 20 < max(kept)
    for number in range(20):
        tools.assert_right(tools.build(root, tmp_path / str(number)))


def test_two_processes_at_once(tools: Any, root: Path, tmp_path: Path) -> None:
    body = """
    for event in pixel_cache.build_cache(scan(root), 8, cache_dir=where, workers=2):
        pass
    """
    both = [tools.child(body, root, tmp_path / "cache") for _ in range(2)]
    for process in both:
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
    assert sorted(tools.slots(root, tmp_path / "cache").values()) == list(range(20))
    tools.assert_right(tools.build(root, tmp_path / "cache"))


def test_a_full_disk_is_said_in_words(tools: Any, root: Path, tmp_path: Path) -> None:
    """The system refuses to let the file of pixels grow beyond seven pictures."""
    body = """
    from sslstudio.engine.core.errors import RunError
    try:
        for event in pixel_cache.build_cache(scan(root), 64, cache_dir=where, workers=2):
            pass
    except RunError as error:
        print(error)
    """
    limit = 7 * 64 * 64 * 3

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    text, errors = tools.child(body, root, tmp_path / "cache", preexec_fn=limited).communicate()
    assert errors == ""
    assert text.startswith("The disk is full: the decoded pictures need 0.2 MB more in ")
    assert str(tmp_path / "cache") in text
    assert "SSLSTUDIO_CACHE" in text
    assert len(tools.build(root, tmp_path / "cache", 64)) == 20
