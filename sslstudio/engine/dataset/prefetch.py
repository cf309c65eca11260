"""The pictures of one step after another; those of the next step are fetched while this one is computed.

Which pictures a step sees is settled by `Order`; whether they were fetched ahead changes nothing but the wait.
"""

import threading
import time

from torch import Tensor

from sslstudio.engine.compute.side_stream import SideStream
from sslstudio.engine.dataset.loader import Order, Pictures


class Feed:
    """Takes whole batches in the order of the steps; `waited` counts the seconds until they were there.

    Copied ahead to a GPU they are on a stream of their own, beside the step (`SideStream`).
    Fetching ahead needs pictures that are all read: while a folder is still being read, the reading itself is ahead.
    """

    def __init__(self, pictures: Pictures, order: Order) -> None:
        self.pictures, self.order = pictures, order
        self.waited = 0.0
        self._step = -1
        self._images: Tensor | None = None
        self._ahead: _Fetch | None = None
        self._beside = SideStream(pictures.device)

    def take(self, step: int) -> Tensor:
        """uint8 (B, 3, side, side) on the device: the batch of `step`. Asked again (for its parts), it is there."""
        if self._images is None or step != self._step:
            began = time.perf_counter()
            self._images, self._step = self._fetch(step), step
            self.waited += time.perf_counter() - began
            if self.pictures.settled_ahead:
                self._ahead = _Fetch(self.pictures, self.order.batch(step + 1), step + 1, self._beside)
        return self._images

    def await_read(self, step: int) -> None:
        """Wait until the pictures of `step` are read. Raises DiskFull while there is no room for them."""
        if self.pictures.reading and step != self._step:
            began = time.perf_counter()
            self.pictures.await_read(self.order.batch(step))
            self.waited += time.perf_counter() - began

    def _fetch(self, step: int) -> Tensor:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            images = ahead.images()
            if ahead.step == step:
                return self._beside.hand_over(images)
        return self.pictures.take(self.order.batch(step))


class _Fetch(threading.Thread):
    """A thread for one batch: it ends by itself, so nobody has to stop it."""

    def __init__(self, pictures: Pictures, chosen: Tensor, step: int, beside: SideStream) -> None:
        super().__init__(name="feed")
        self.step = step
        self._pictures, self._chosen, self._beside = pictures, chosen, beside
        self._taken: Tensor | None = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Fetch; an error is raised where the pictures are wanted."""
        try:
            self._taken = self._beside.make(lambda: self._pictures.take(self._chosen))
        except BaseException as error:
            self._error = error

    def images(self) -> Tensor:
        """What was fetched, once it is there."""
        self.join()
        if self._error is not None:
            raise self._error
        assert self._taken is not None
        return self._taken
