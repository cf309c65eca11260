"""The jigsaw puzzle as one would write it with a DataLoader: what the program is compared with.

Each picture is opened, scaled and cut by Pillow and torchvision in worker processes, tile by tile, and asked about one
permutation; the tiles travel in their shuffled order. Encoder and set of permutations are the program's own.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from sslstudio.engine.compute.seeding import seed_init
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.transforms.permutations import permutation_set

FIELD, CELL, CUT = 225, 75, 64  # pixels: the square that is cut, its nine cells, and the random crop of each of these
KINDS = 504  # permutations
WORKERS = 2


class Tiles(Dataset[tuple[Tensor, int]]):
    """Shuffled tiles float (9, 3, 75, 75) and the number of the permutation."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = files
        self.order = torch.from_numpy(permutation_set(KINDS).copy())
        self.field = transforms.Compose([transforms.Resize(256), transforms.RandomCrop(FIELD)])
        self.tile = transforms.Compose(
            [transforms.RandomCrop(CUT), transforms.Resize((CELL, CELL)), transforms.ToTensor()]
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        with Image.open(self.files[number]) as opened:
            field = self.field(opened.convert("RGB"))
        corners = [(column * CELL, row * CELL) for row in range(3) for column in range(3)]
        tiles = torch.stack([self.tile(field.crop((x, y, x + CELL, y + CELL))) for x, y in corners])
        deviation, mean = torch.std_mean(tiles, dim=(1, 2, 3), keepdim=True)
        asked = int(torch.randint(KINDS, ()))
        return ((tiles - mean) / (deviation + 1e-5))[self.order[asked]], asked


class Solver(nn.Module):
    """The encoder on each tile, and a classifier on the nine embeddings in a row."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Linear(9 * encoder.spec.dim, 4096), nn.ReLU(inplace=True), nn.Linear(4096, KINDS))

    def forward(self, tiles: Tensor) -> Tensor:
        """Logits (B, 504) of tiles (B, 9, 3, s, s)."""
        logits: Tensor = self.head(self.encoder(tiles.flatten(0, 1)).view(len(tiles), -1))
        return logits


class Reference:
    """The whole training on the CPU, in float32 or by autocast in another precision."""

    def __init__(
        self, files: Sequence[Path], batch: int, seed: int = 0, *, precision: torch.dtype = torch.float32
    ) -> None:
        torch.manual_seed(seed)
        self.precision = precision
        encoder = build_encoder(EncoderConfig(name="resnet18", stem="large"), seed)
        encoder.use_memory_format("contiguous")  # as torch gives it
        with seed_init(seed, "reference"):
            self.solver = Solver(encoder).train()
        self.encoder = encoder
        self.optimiser = torch.optim.SGD(self.solver.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
        self.loader = DataLoader(
            Tiles(files), batch, shuffle=True, drop_last=True, num_workers=WORKERS, persistent_workers=True
        )

    def steps(self) -> Iterator[None]:
        """Train; one item a step, for as long as it is asked."""
        while True:
            for tiles, asked in self.loader:
                with torch.autocast("cpu", self.precision, enabled=self.precision != torch.float32):
                    loss = F.cross_entropy(self.solver(tiles), asked)
                self.optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                self.optimiser.step()
                yield

    def rate(self, steps: int) -> float:
        """Pictures a second over `steps` steps, after two that set things up."""
        running = self.steps()
        for _ in range(2):
            next(running)
        began = time.perf_counter()
        for _ in range(steps):
            next(running)
        assert self.loader.batch_size is not None
        return steps * self.loader.batch_size / (time.perf_counter() - began)
