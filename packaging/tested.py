"""Writes packaging/constraints.txt: the newest tested versions of all that the program and its extras install.

python packaging/tested.py          # in an environment in which all tests have passed

pip takes no newer ones with it: pip install --constraint packaging/constraints.txt .
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "packaging" / "constraints.txt"
HEAD = "# The newest versions that were tested; written by packaging/tested.py.\n"


def expected() -> str:
    """What the file holds, from what is installed here. What torch pins by itself is left out."""
    sys.path.insert(0, str(ROOT))
    from tests.packaging.licences import NVIDIA, needed

    found = needed()
    names = sorted(name for name in found if name != "sslstudio" and not NVIDIA.match(name))
    return HEAD + "".join(f"{name}<={found[name].version.partition('+')[0]}\n" for name in names)


if __name__ == "__main__":
    FILE.write_text(expected(), encoding="utf-8")
