"""The commands that compare tasks: label efficiency, tournament. Heavy imports happen in the command."""

import argparse
from collections.abc import Callable

Add = Callable[..., argparse.ArgumentParser]


def add_parsers(add: Add) -> None:
    """The parsers of these commands."""
