"""Who plays when in a tournament: rounds, who goes on, and the minutes that each run has."""

SEARCH = 0.5  # share of the time that finds the winner
MANY = 4  # more tasks than this play two rounds
LEAST = 0.05  # minutes of a run

Planned = list[tuple[int, float]]  # for each round: runs, minutes of each


def rounds(tasks: int) -> int:
    """How many rounds find the winner: with few tasks one, in which each has more time."""
    return 2 if tasks > MANY else 1


def survivors(tasks: int, *, last: bool) -> int:
    """How many go on: the winner after the last round, else a quarter, but two or more."""
    return 1 if last else max(2, round(tasks / 4))


def schedule(tasks: int, minutes: float) -> Planned:
    """The rounds, if every task suits; the last one is the winner's."""
    planned: Planned = []
    left, count = tasks, rounds(tasks)
    for number in range(1, count + 1):
        planned.append((left, max(LEAST, SEARCH * minutes / count / left)))
        left = survivors(left, last=number == count)
    return [*planned, (1, (1 - SEARCH) * minutes)]


def minutes_after(planned: Planned, done: int) -> float:
    """What is planned after run number `done`, counted from 0."""
    each = [minutes for runs, minutes in planned for _ in range(runs)]
    return sum(each[done + 1 :])
