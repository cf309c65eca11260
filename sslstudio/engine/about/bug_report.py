"""A bug report as one zip file: what this machine is, what went wrong, the settings and the record of a run.

Nothing that tells who somebody is or what their pictures are goes in: names of the user, the computer and of folders
are masked in every text, and neither pictures nor their file names are taken (masking.py).
"""

import getpass
import json
import platform
import re
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from sslstudio import __version__
from sslstudio.engine.about.doctor import findings
from sslstudio.engine.about.masking import mask_names, names_of, without_files, without_places, without_words
from sslstudio.engine.core.errors import StudioError
from sslstudio.engine.core.files.atomic_files import write_atomic
from sslstudio.engine.core.files.checked_files import read_limited
from sslstudio.engine.core.mishaps import log_tail

LAST_LINES = 400  # of a run's record
LAST_LOG = 1 << 18  # bytes
OWN = ("SSL Studio", "SSLStudio", "sslstudio")  # folders of the program: their names tell nothing of anybody
WHAT = """This is a bug report of SSL Studio {version}.

what happened.txt  in the words of who sends it
machine.json       what the program found on this computer
log.txt            what went wrong, in this session and before, crashes included
run/               settings and record of the run that was looked at, if any

Names of people, computers and folders are masked. Please open the files and look before you send them.
"""


def masks(run: Path | None = None, places: Mapping[str, str] | None = None) -> dict[str, str]:
    """What is masked -> what stands there instead: longest first, so that a folder goes before its parent.

    places: what else is known, and its masks.
    """
    names = {**(places or {}), str(Path.home()): "~", platform.node(): "<computer>", _user(): "<user>"}
    if run is not None:
        names[str(run)] = "<run>"
        names[str(run.parent)] = "<runs>"
        names |= {folder: "<pictures>" for folder in _folders_of(run)}
    known = {name: mask for name, mask in names.items() if len(name) > 2}
    return dict(sorted(known.items(), key=lambda pair: -len(pair[0])))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in the system's list, as in a container
        return ""


def _folders_of(run: Path) -> list[str]:
    from sslstudio.engine.runs.run_folder import RunFolder

    try:
        config = RunFolder.open(run).config()
    except StudioError:
        return []
    data = config.get("data", {})
    return [str(place) for place in (data.get("folder"), data.get("labels"), config.get("source")) if place]


def write_report(
    file: Path,
    words: str = "",
    run: Path | None = None,
    places: Mapping[str, str] | None = None,
    pictures: Sequence[str] = (),
) -> Path:
    """Write the report. Raises RunError when the disk does not take it.

    words: what happened, as the person says it
    places: folders and files that the person has pointed at -> what stands there instead
    pictures: those that are open, relative to their folder
    """
    names = masks(run, places)
    known = names_of([*pictures, *(_pictures_of(run) if run is not None else ())])
    called = [name for place in names if (name := _name_of(place)) and name not in OWN]
    texts = {
        "read me.txt": WHAT.format(version=__version__),
        "machine.json": json.dumps(findings(), indent=1, ensure_ascii=False),
        "what happened.txt": words or "Nothing was written.",
        "log.txt": log_tail(LAST_LOG) or "The log is empty: no error was told and no crash was noticed.",
        **(_of_run(run) if run is not None else {}),
    }
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            cleaned = without_files(without_words(mask_names(text, names), called, "<name>"), known)
            archive.writestr(name, without_places(cleaned))
    write_atomic(file, content.getvalue())
    return file


def _name_of(place: str) -> str:
    """What a folder or file is called; '' for what is no path."""
    found = re.split(r"[\\/]", place.rstrip("\\/"))
    return found[-1] if len(found) > 1 else ""


def _pictures_of(run: Path) -> list[str]:
    """The pictures of a run, relative to their folder, as far as it says."""
    from sslstudio.engine.runs.run_folder import RunFolder

    try:
        split = RunFolder.open(run).split_table() or {}
    except (StudioError, OSError, ValueError):
        return []
    return [str(path) for part in split.values() if isinstance(part, list) for path in part]


def _of_run(run: Path) -> dict[str, str]:
    """The settings and the end of the record, as far as they can be read."""
    texts = {}
    for name in ("config.toml", "events.jsonl"):
        try:
            lines = read_limited(run / name).decode("utf-8", "replace").splitlines()
        except (OSError, StudioError) as error:
            lines = [f"could not be read: {getattr(error, 'strerror', None) or error}"]
        texts[f"run/{name}"] = "\n".join(lines[-LAST_LINES:])
    return texts
