"""How long something takes, as one would say it: the same words in the window, on the command line and in records."""

import math


def duration(seconds: float) -> str:
    """Rounded to what one would say: '40 s', '3 min', '2 h 5 min', '3 days', '' when it is not known."""
    if not math.isfinite(seconds) or seconds < 0:
        return ""
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{round(hours / 24)} days"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
