"""The commands that compare tasks: label efficiency, tournament. Heavy imports happen in each command."""

import argparse
from pathlib import Path
from typing import cast

from sslstudio.cli.config_args import Entry, add_configured, config_of
from sslstudio.cli.console import say, show, steered


def _compare(options: argparse.Namespace) -> int:
    from sslstudio.engine.experiments.compare import compare
    from sslstudio.engine.experiments.compare_config import CompareConfig

    config = cast(CompareConfig, config_of(options))
    with steered() as control:
        show(compare(config, control), options.json)
    if not options.json:
        out = Path(config.out)
        say((out / "table.md").read_text(encoding="utf-8"))
        say(f"The curve is in {out / 'curve.png'}, all numbers in {out / 'table.json'}.")
    return 0


def _tournament(options: argparse.Namespace) -> int:
    from sslstudio.engine.experiments.tournament import tournament
    from sslstudio.engine.experiments.tournament_config import TournamentConfig

    config = cast(TournamentConfig, config_of(options))
    with steered() as control:
        show(tournament(config, control), options.json)
    if not options.json:
        say((Path(config.out) / "tournament.md").read_text(encoding="utf-8"))
    return 0


COMMANDS = (
    Entry(
        "compare",
        "How much further few labels go: scratch against pretext tasks, with intervals.",
        add_configured,
        _compare,
    ),
    Entry(
        "tournament",
        "Find the best task in a given time: short runs, the winner goes on.",
        add_configured,
        _tournament,
    ),
)
