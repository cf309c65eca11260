"""The commands that compare tasks: label efficiency, tournament. Heavy imports happen in each command."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sslstudio.cli.config_args import Entry, add_configured, config_of
from sslstudio.cli.console import say, show, steered
from sslstudio.engine.runs.experiment_folder import COMPARE, CURVE, TABLES, sheet_of

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.experiments.compare_config import CompareConfig
    from sslstudio.engine.experiments.tournament_config import TournamentConfig


def _run(options: argparse.Namespace) -> int:
    from sslstudio.engine.experiments.catalogue import run_experiment

    config = cast("CompareConfig | TournamentConfig", config_of(options))
    with steered() as control:
        show(run_experiment(config, control), options.json)
    if not options.json:
        out = Path(config.out)
        say(sheet_of(out, config.job))
        if config.job == COMPARE:
            say(f"The curve is in {out / CURVE}, all numbers in {out / TABLES[COMPARE]}.")
    return 0


COMMANDS = (
    Entry(
        "compare",
        "How much further few labels go: scratch against pretext tasks, with intervals.",
        add_configured,
        _run,
    ),
    Entry(
        "tournament",
        "Find the best task in a given time: short runs, the winner goes on.",
        add_configured,
        _run,
    ),
)
