"""A folder of wheels as the index of PyTorch might have them, small: their torch hands on to the real one."""

import base64
import hashlib
import zipfile
from pathlib import Path

# Takes itself out of the way and hands on to the torch that is installed, under its own version and place.
HANDS_ON = """
import importlib, sys
from pathlib import Path
_here, _version = str(Path(__file__).resolve()), {version!r}
_site = str(Path(__file__).resolve().parents[1])
sys.path[:] = [place for place in sys.path if str(Path(place).resolve()) != _site]
del sys.modules["torch"]
importlib.invalidate_caches()
_real = importlib.import_module("torch")
_real.__version__, _real.__file__ = _version, _here
"""
BROKEN = "raise ImportError('libcudart.so.13: cannot open shared object file')\n"


def write_wheel(folder: Path, version: str, *, tag: str, code: str = HANDS_ON, padding: int = 0) -> Path:
    """Write torch-VERSION-TAG.whl with a library of `padding` bytes in it; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"torch-{version}.dist-info"
    files = {
        "torch/__init__.py": code.replace("{version!r}", repr(version)),
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n",
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n",
    }
    if padding:
        files["torch/lib/library.txt"] = "0" * padding
    record = [f"{name},sha256={_digest(text)},{len(text.encode())}" for name, text in files.items()]
    files[f"{about}/RECORD"] = "\n".join([*record, f"{about}/RECORD,,", ""])
    wheel = folder / f"torch-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
