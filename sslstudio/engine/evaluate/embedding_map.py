"""Features of many pictures laid out on a plane, so that pictures that look alike to the network lie side by side.

Letters: N pictures, D features.
"""

from collections.abc import Generator, Sequence

import numpy as np
import numpy.typing as npt

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message

Features = npt.NDArray[np.float32]  # (N, D)
Positions = npt.NDArray[np.float64]  # (N, 2)

PARTS = 50  # principal components that t-SNE looks at, as its authors advise (van der Maaten & Hinton 2008)
MOST_TSNE = 5_000  # pictures: beyond, it takes minutes
LEAST_TSNE = 12
STAGE = Message("Drawing the map")
STEPS = 250  # iterations at a time, the fewest that scikit-learn makes
EXAGGERATIONS = (12.0, 1.0, 1.0, 1.0)  # of each such step


def compact(features: Features, parts: int = PARTS) -> Features:
    """(N, at most `parts`): principal components of the features, each feature first brought to deviation 1.

    A feature that never changes is left out. Distances between the rows are what 'looks alike' means from here on.
    """
    if len(features) < 2:
        return np.zeros((len(features), 1), np.float32)
    from sklearn.decomposition import PCA

    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0))[:, spread > 1e-6] / spread[spread > 1e-6]
    most = min(parts, *scaled.shape)
    if most < 1:
        return np.zeros((len(features), 1), np.float32)
    made = PCA(most, svd_solver="randomized" if max(scaled.shape) > 500 else "auto", random_state=0)
    return np.asarray(made.fit_transform(scaled), np.float32)


def flat_map(features: Features) -> Generator[Preparing, None, Positions]:
    """(N, 2) in [0, 1]: t-SNE of the features, PCA where there are too few pictures for it or too many."""
    yield Preparing(stage=STAGE, done=0, total=0)
    parts = compact(features)
    if not len(parts):
        return np.zeros((0, 2))
    if LEAST_TSNE <= len(parts) <= MOST_TSNE and parts.shape[1] >= 2:
        positions = yield from _tsne(parts)
    else:
        positions = np.pad(parts[:, :2], ((0, 0), (0, max(0, 2 - parts.shape[1]))))
    low, high = positions.min(axis=0), positions.max(axis=0)
    return np.asarray((positions - low) / np.where(high > low, high - low, 1.0), np.float64)


def _tsne(parts: Features) -> Generator[Preparing, None, Positions]:
    """t-SNE in steps, each from where the one before came to: exaggerated first, then as it is. By itself it would say
    nothing until it is done, which takes half a minute for 3,000 pictures."""
    from sklearn.manifold import TSNE

    near = min(30.0, (len(parts) - 1) / 4)
    positions: Positions | str = "pca"
    for number, exaggeration in enumerate(EXAGGERATIONS):
        yield Preparing(stage=STAGE, done=number, total=len(EXAGGERATIONS))
        positions = TSNE(
            2, perplexity=near, init=positions, early_exaggeration=exaggeration, max_iter=STEPS, random_state=0,
        ).fit_transform(parts)  # fmt: skip
    yield Preparing(stage=STAGE, done=len(EXAGGERATIONS), total=len(EXAGGERATIONS))
    return np.asarray(positions, np.float64)


def inside(positions: Positions, outline: Sequence[tuple[float, float]]) -> list[int]:
    """Which of the positions (N, 2) lie within a closed outline (even-odd); none below three corners."""
    if len(outline) < 3:
        return []
    x, y = positions[:, 0], positions[:, 1]
    within = np.zeros(len(positions), np.bool_)
    for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
        crosses = (y0 > y) != (y1 > y)  # a ray to the right meets this edge
        if y0 != y1:
            within ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return [int(number) for number in np.flatnonzero(within)]
