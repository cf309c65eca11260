"""One seed, a generator for each use, and nothing global."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import sslstudio
from sslstudio.engine.compute.seeding import derive, generator, seed_init

purposes = st.tuples(st.integers(0, 2**40), st.lists(st.text("ab1, '()", max_size=3) | st.integers(0, 99), max_size=3))


def test_a_seed_means_the_same_for_ever() -> None:
    """Runs of earlier versions go on with these numbers: they must never change."""
    assert derive(0, "encoder") == 1444390866162920217
    assert derive(7, "batch", 1234) == 2228592354808581780


@given(purposes, purposes)
def test_different_uses_get_different_seeds(
    first: tuple[int, list[str | int]], second: tuple[int, list[str | int]]
) -> None:
    ours, theirs = derive(first[0], *first[1]), derive(second[0], *second[1])
    assert (ours == theirs) == (first == second)
    assert 0 <= ours < 2**63


def test_words_do_not_run_together() -> None:
    assert derive(1, "ab") != derive(1, "a", "b")
    assert derive(1, "a", 12) != derive(1, "a", 1, 2)
    assert derive(1, 2) != derive(1, "2")


def test_a_generator_repeats_and_another_purpose_does_not() -> None:
    first, again, other = (torch.rand(8, generator=generator(3, name)) for name in ("views", "views", "order"))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_layers_take_their_weights_from_the_seed() -> None:
    weights = []
    for seed in (1, 1, 2):
        with seed_init(seed, "head"):
            weights.append(torch.nn.Linear(4, 4).weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_global_generator_is_put_back_even_after_an_error() -> None:
    before = torch.get_rng_state()
    with seed_init(5, "head"):
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(RuntimeError), seed_init(5, "head"):
        torch.rand(3).view(2)
    assert torch.equal(torch.get_rng_state(), before)


DRAWS = {"rand", "randn", "randint", "randperm", "normal", "multinomial", "bernoulli"}
NUMPY = {"default_rng", "Generator", "PCG64", "SeedSequence"}


def undeclared_draws(source: str, seeding: bool = False) -> list[str]:
    """Calls that draw from a generator which was not handed in."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(name.name == "random" for name in node.names):
            found.append("import random")
        if isinstance(node, ast.ImportFrom) and node.module in ("random", "numpy.random"):
            found.append(f"from {node.module}")
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            last = name.rpartition(".")[2]
            given_one = any(word.arg == "generator" for word in node.keywords)
            if name.startswith("torch.") and last in DRAWS and not given_one:
                found.append(name)
            if name in ("torch.manual_seed", "torch.seed") and not seeding:
                found.append(name)
            if re.fullmatch(r"(np|numpy)\.random\.\w+", name) and (last not in NUMPY or not node.args):
                found.append(name)
    return found


def test_the_search_for_undeclared_draws_finds_them() -> None:
    bad = "import random\ntorch.rand(3)\nnp.random.rand(2)\nnp.random.default_rng()\ntorch.manual_seed(1)\n"
    assert len(undeclared_draws(bad)) == 5
    assert not undeclared_draws("torch.rand(3, generator=g)\nnp.random.default_rng(derive(0, 'a'))\nrng.random(3)\n")


@pytest.mark.parametrize("folder", ["engine", "ui"])
def test_nothing_draws_from_a_global_generator(folder: str) -> None:
    for file in (Path(sslstudio.__file__).parent / folder).rglob("*.py"):
        draws = undeclared_draws(file.read_text(encoding="utf-8"), seeding=file.name == "seeding.py")
        assert not draws, f"{file}: {draws}"


def test_numpy_takes_a_derived_seed() -> None:
    rolls = [np.random.default_rng(derive(seed, "bootstrap")).random(4).tolist() for seed in (1, 1, 2)]
    assert rolls[0] == rolls[1] != rolls[2]
