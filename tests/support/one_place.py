"""A config class with one option of each kind, as somebody would add them: everything else follows from these lines."""

from dataclasses import dataclass

from sslstudio.engine.core.config import BaseConfig, Table, option, section


@dataclass(frozen=True, kw_only=True)
class CropConfig(BaseConfig):
    """A nested group."""

    size: float = option(0.5, "Size of a crop", "Share of the picture that is cut out.", low=0.1, high=1.0)
    square: bool = option(True, "Square", "Whether height and width are the same.")


@dataclass(frozen=True, kw_only=True)
class AddedConfig(BaseConfig):
    """A scalar, a list, a table and a group."""

    depth: int | None = option(None, "Depth", "How deep; automatic: by the pictures.", low=1, high=9)
    sides: tuple[int, ...] = option((64, 96), "Sides", "Sides that are tried, in 100 % of the runs.", low=16)
    colours: tuple[str, ...] = option(
        ("red",), "Colours", "Which ones.", several=lambda: {"red": "Red", "blue": "Blue"}
    )
    places: Table[str] = option(Table(), "Places", "Where something is.")
    crop: CropConfig = section(CropConfig, "Crop", "What is cut out.")
