"""The example pictures of a finding, with what to look at outlined."""

from collections.abc import Sequence

from torch import Tensor

from sslstudio.engine.clinic.signs.looked import Finding
from sslstudio.engine.transforms import draw

_SIDE = 192  # pixels: small pictures are enlarged to about this
_COLUMNS = 3
_GAP = 8


def example_sheet(finding: Finding, images: Sequence[Tensor]) -> draw.Picture:
    """uint8 (3, S, S) pictures, those of `finding.examples`, on one board."""
    pictures = [_outline(draw.to_picture(image), finding) for image in images]
    return draw.board(pictures, min(_COLUMNS, len(pictures)), _GAP)


def _outline(picture: draw.Picture, finding: Finding) -> draw.Picture:
    large = draw.magnify(picture, _SIDE)
    return draw.outline(large, draw.scale_boxes(finding.boxes, len(large)), draw.WRONG, width=2)
