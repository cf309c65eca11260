"""The pictures that a task looks at before its training: it checks itself against them and takes statistics from them.

They are the first that the training takes, so that its first steps need not wait for others. Their order is a shuffle:
as a sample they are as good as any.
"""

from torch import Tensor

from sslstudio.engine.dataset.loader import Order, Pictures
from sslstudio.engine.training.config import PretrainConfig

LOOKED_AT = 64


def order_of(pictures: Pictures, config: PretrainConfig) -> Order:
    """The order in which a training takes its pictures."""
    return Order(len(pictures), config.optimiser.batch_size, config.seed)


def looked_at(pictures: Pictures, config: PretrainConfig) -> Tensor:
    """uint8 (N, 3, side, side) on the device, N up to LOOKED_AT."""
    return pictures.only(order_of(pictures, config).first(LOOKED_AT))
