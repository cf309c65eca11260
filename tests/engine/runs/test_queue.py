import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.runs.queue import RunQueue, Waiting


def run(name: str) -> Waiting:
    return Waiting("pretrain", name, {"task": "jigsaw", "data": {"folder": f"/pictures/{name}"}})


def titles(queue: RunQueue) -> list[str]:
    return [one.title for one in queue.runs]


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    made = RunQueue(tmp_path / "home" / "queue.json")
    for name in "abc":
        made.add(run(name))
    return made


def test_the_first_in_is_the_first_out(queue: RunQueue) -> None:
    taken = [queue.take() for _ in range(4)]
    assert [one.title if one else None for one in taken] == ["a", "b", "c", None]


def test_it_survives_a_restart_in_a_file_that_can_be_read(queue: RunQueue) -> None:
    queue.move(2, -1)
    assert RunQueue(queue.file).runs == queue.runs == (run("a"), run("c"), run("b"))
    content = json.loads(queue.file.read_text(encoding="utf-8"))
    assert [item["title"] for item in content] == ["a", "c", "b"]


def test_what_is_taken_out_can_be_put_back(queue: RunQueue) -> None:
    gone = queue.remove(1)
    assert titles(queue) == ["a", "c"]
    queue.insert(1, gone)
    assert titles(RunQueue(queue.file)) == ["a", "b", "c"]


def test_a_damaged_file_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "queue.json"
    for text, word in (("[{", "not JSON"), ('[{"job": "fly", "title": "", "config": {}}]', "'fly'")):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(RunError, match=word):
            RunQueue(file).add(run("a"))
        assert file.read_text(encoding="utf-8") == text


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-6, 6)), max_size=8))
def test_moving_loses_nothing(tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, int]]) -> None:
    queue = RunQueue(tmp_path_factory.mktemp("queue") / "queue.json")
    for name in "abcde":
        queue.add(run(name))
    for number, by in moves:
        moved = titles(queue)[number]
        place = queue.move(number, by)
        assert titles(queue)[place] == moved
        assert place == min(4, max(0, number + by))
    assert sorted(titles(queue)) == list("abcde")
