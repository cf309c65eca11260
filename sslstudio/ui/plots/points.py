"""The points of a curve that grows, as they came and smoothed."""

import numpy as np
import numpy.typing as npt

Row = npt.NDArray[np.float64]


class Points:
    """x, y and smoothed y in arrays that double when they are full.

    The smoothed value is a running mean with weights that fall by `weight` a point (0: none), freed of the pull to
    zero at the start: s / (1 - weight^n) of s = weight s + (1 - weight) y.
    """

    def __init__(self, weight: float = 0.0) -> None:
        self._xy: Row = np.empty((3, 1024))
        self.count = 0
        self._weight = weight
        self._sum, self._mass = 0.0, 0.0

    def append(self, x: float, y: float) -> None:
        """Add a point. One that lies before the last ones takes their place: the run went back to its last saved
        state. (And a plot whose curve runs back and forth never comes to rest: it is drawn for ever.)"""
        if self.count and x < self._xy[0, self.count - 1]:
            self.count = int(np.searchsorted(self._xy[0, : self.count], x, side="left"))
            self.weigh(self._weight)
        if self.count == self._xy.shape[1]:
            self._xy = np.concatenate([self._xy, np.empty_like(self._xy)], axis=1)
        self._xy[:, self.count] = x, y, self._smooth(y)
        self.count += 1

    def _smooth(self, y: float) -> float:
        self._sum = self._weight * self._sum + (1 - self._weight) * y
        self._mass = self._weight * self._mass + (1 - self._weight)
        return self._sum / self._mass

    def weigh(self, weight: float) -> None:
        """Smooth anew, more or less: one pass over all points, on a move of the slider only."""
        self._weight, self._sum, self._mass = weight, 0.0, 0.0
        self._xy[2, : self.count] = [self._smooth(y) for y in self._xy[1, : self.count].tolist()]

    @property
    def xy(self) -> tuple[Row, Row]:
        """Views of what is there."""
        return self._xy[0, : self.count], self._xy[1, : self.count]

    @property
    def smoothed(self) -> tuple[Row, Row]:
        """The same with smoothed values."""
        return self._xy[0, : self.count], self._xy[2, : self.count]

    def at(self, x: float) -> float | None:
        """The (unsmoothed) value of the last point at or before x; None before the first."""
        place = self._before(x)
        return float(self._xy[1, place]) if place >= 0 else None

    def lies_at(self, x: float) -> bool:
        """Whether there is a point just at x."""
        place = self._before(x)
        return place >= 0 and bool(self._xy[0, place] == x)

    def _before(self, x: float) -> int:
        """The place of the last point at or before x; -1 before the first."""
        return int(np.searchsorted(self._xy[0, : self.count], x, side="right")) - 1
