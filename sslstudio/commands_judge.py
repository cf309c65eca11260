"""The commands that judge a task before (clinic) and after (audit) training. Heavy imports happen in each command."""

import argparse
from collections.abc import Callable

Add = Callable[..., argparse.ArgumentParser]


def add_parsers(add: Add) -> None:
    """The parsers of these commands."""
