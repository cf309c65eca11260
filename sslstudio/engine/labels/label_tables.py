"""Where tables of labels are looked for, and which pictures each of them speaks of."""

from collections.abc import Sequence
from pathlib import Path

from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.images.multi_folder import Album, roots_of

LARGEST = 64 << 20  # bytes; a larger file is read only when it is asked for


def tables_in(root: Path) -> list[Path]:
    """The CSV files beside the folders of pictures: of an album, those in each of its folders."""
    roots = roots_of(root).values()
    files = [file for one in roots for file in sorted(one.iterdir()) if file.suffix.lower() in (".csv", ".tsv")]
    return [file for file in files if file.is_file() and file.stat().st_size <= LARGEST]


def owner_of(file: Path, root: Path) -> str:
    """The name of the folder of an album that a file lies in; '' where there is no album, or it lies elsewhere."""
    return root.owner_of(file) if isinstance(root, Album) else ""


def beside(file: Path, pictures: ImageIndex) -> Sequence[str]:
    """The pictures that a table speaks of: in an album those of its own folder, whose names another may have too."""
    owner = owner_of(file, pictures.root)
    return [path for path in pictures.paths if path.startswith(f"{owner}/")] if owner else pictures.paths
