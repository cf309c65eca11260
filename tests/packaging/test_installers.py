"""The installers of all systems name what is there, and the version and identity that everything else has."""

import configparser
import plistlib
import re
import shutil
import subprocess
import tarfile
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

from sslstudio import __version__
from sslstudio.engine.projects.project import FILE
from tests.packaging.scripts import ROOT, script

PACKAGING = ROOT / "packaging"
INNO = (PACKAGING / "windows" / "sslstudio.iss").read_text(encoding="utf-8")
RELEASE = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
SPEC = (PACKAGING / "sslstudio.spec").read_text(encoding="utf-8")
KIND = "application/x-sslstudio-project"


# Windows


def inno(section: str) -> list[str]:
    """The lines of a section of the script, without comments."""
    found = re.search(rf"^\[{section}\]\n(.*?)(?=^\[|\Z)", INNO, re.MULTILINE | re.DOTALL)
    assert found is not None, section
    return [line for line in found[1].splitlines() if line and not line.startswith((";", "#"))]


def test_windows_installs_for_one_user_without_an_administrator() -> None:
    setup = dict(line.split("=", 1) for line in inno("Setup"))
    assert setup["PrivilegesRequired"] == "lowest"
    assert setup["DefaultDirName"].startswith("{localappdata}")
    assert all("Root: HKCU" in line for line in inno("Registry"))
    assert re.fullmatch(r"\{\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", setup["AppId"])
    assert setup["AppId"] == "{{6F0B7D5E-2B0C-4C55-9C39-3B3F7F6D3A21}"  # never to change: upgrades are known by it
    assert setup["AppVersion"] == "{#Version}"
    assert (PACKAGING / "windows" / setup["LicenseFile"].replace("\\", "/")).resolve() == ROOT / "LICENSE"


def test_windows_takes_what_is_built_and_starts_it() -> None:
    (files,) = inno("Files")
    assert "..\\dist\\SSLStudio\\*" in files
    assert 'name="SSLStudio"' in SPEC
    started = {found for line in [*inno("Icons"), *inno("Registry"), *inno("Run")]
               for found in re.findall(r"\{app\}\\([\w-]+\.exe)", line)}  # fmt: skip
    assert started == {"SSLStudio.exe"}
    assert f'System.FileName:=""{FILE}""' in INNO


def test_windows_keeps_what_people_made() -> None:
    """Only what the program can fetch or make again goes with it; runs and projects are in the documents."""
    for line in [*inno("UninstallDelete"), *inno("InstallDelete")]:
        place = re.search(r'Name: "([^"]+)"', line)
        assert place is not None
        assert place[1] in (
            "{localappdata}\\SSLStudio\\gpu-part",
            "{localappdata}\\SSLStudio\\Cache",
            "{app}\\_internal",
        )
    assert "userdocs" not in "".join(inno("UninstallDelete"))


def test_windows_says_everything_in_both_languages() -> None:
    names = {code: {line.split(".", 1)[1].split("=")[0] for line in inno("CustomMessages") if line.startswith(code)}
             for code in ("en", "de")}  # fmt: skip
    assert names["en"] == names["de"]
    used = set(re.findall(r"\{cm:(\w+)\}", INNO))
    assert used == names["en"]


# Linux


def test_the_menu_entry_starts_what_the_package_holds() -> None:
    deb = script("deb")
    entry = configparser.RawConfigParser()
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(PACKAGING / "linux" / "sslstudio.desktop", encoding="utf-8")
    desktop = entry["Desktop Entry"]
    assert desktop["Exec"] == f"/{deb.PLACE.as_posix()}/SSLStudio %f"
    assert desktop["Icon"] == "sslstudio"
    assert desktop["MimeType"] == f"{KIND};"
    if shutil.which("desktop-file-validate"):
        subprocess.run(["desktop-file-validate", PACKAGING / "linux" / "sslstudio.desktop"], check=True)


def test_the_kind_of_file_is_that_of_projects() -> None:
    names = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}
    root = ET.parse(PACKAGING / "linux" / "sslstudio.xml").getroot()
    kind = root.find("m:mime-type", names)
    assert kind is not None
    assert kind.get("type") == KIND
    glob = kind.find("m:glob", names)
    assert glob is not None
    assert glob.get("pattern") == FILE


@pytest.fixture
def deb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, over a small stand-in of the built program."""
    module = script("deb")
    built, icons = tmp_path / "dist" / "SSLStudio", tmp_path / "build" / "icons"
    licences = built / "_internal" / "resources" / "licences"
    for folder in (licences, icons):
        folder.mkdir(parents=True)
    (licences / "torch.txt").write_text("torch 2\nLicence: BSD\n", encoding="utf-8")
    (built / "SSLStudio").write_text("#!/bin/sh\n", encoding="utf-8")
    (built / "SSLStudio").chmod(0o700)
    (built / "sslstudio-cli").symlink_to("SSLStudio")
    for side in module.ICONS:
        (icons / f"{side}.png").write_bytes(b"png")
    monkeypatch.setattr(module, "BUILT", built)
    monkeypatch.setattr(module, "HERE", tmp_path)
    return module


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian's tools are not here")
def test_the_package_is_whole(deb: ModuleType, tmp_path: Path) -> None:
    assert deb.main([]) == 0
    (file,) = (tmp_path / "dist").glob("*.deb")
    fields = subprocess.run(["dpkg-deb", "-f", file], capture_output=True, text=True, check=True).stdout
    about = dict(re.findall(r"^(\S+): (.*)$", fields, re.MULTILINE))
    assert about["Package"] == "sslstudio"
    assert about["Version"].replace("~", ".") == __version__
    assert {"libgl1", "libegl1"} <= set(re.split(r", ", about["Depends"]))
    subprocess.run(["dpkg-deb", "-x", file, tmp_path / "out"], check=True)
    subprocess.run(["dpkg-deb", "-e", file, tmp_path / "about"], check=True)
    assert {one.name for one in (tmp_path / "about").iterdir()} == {"control", "md5sums"}  # no scripts, no settings
    out = tmp_path / "out"
    for line in (tmp_path / "about" / "md5sums").read_text(encoding="utf-8").splitlines():
        assert (out / line.split(maxsplit=1)[1]).is_file()
    assert (out / "usr/bin/sslstudio").readlink() == Path("/opt/sslstudio/sslstudio-cli")
    assert (out / "opt/sslstudio/SSLStudio").stat().st_mode & 0o777 == 0o755
    assert (out / "usr/share/icons/hicolor/256x256/apps/sslstudio.png").is_file()
    assert "torch 2\nLicence: BSD" in (out / "usr/share/doc/sslstudio/copyright").read_text(encoding="utf-8")
    (sums, *_) = (tmp_path / "dist").glob("*.deb.sha256")
    assert sums.read_text(encoding="utf-8").endswith(f"  {file.name}\n")


@pytest.mark.skipif(shutil.which("zstd") is None or shutil.which("dpkg-deb") is None, reason="needs zstd and dpkg-deb")
def test_the_archive_holds_the_same(deb: ModuleType, tmp_path: Path) -> None:
    deb.main([])
    (file,) = (tmp_path / "dist").glob("*.tar.zst")
    subprocess.run(["zstd", "-q", "-d", file, "-o", tmp_path / "a.tar"], check=True)
    with tarfile.open(tmp_path / "a.tar") as archive:
        assert "SSLStudio/SSLStudio" in archive.getnames()


def test_without_a_build_it_says_what_to_do(deb: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deb, "BUILT", tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match=r"python packaging/build\.py"):
        deb.lay_out(tmp_path / "tree")


# macOS


def test_the_image_for_macos_is_signed_and_notarised_where_keys_are_given() -> None:
    dmg = script("macos/dmg")
    (sign, verify) = dmg.signing("Developer ID Application: X (Y)")
    assert sign[sign.index("--options") : sign.index("--options") + 2] == ["--options", "runtime"]
    assert str(dmg.ENTITLEMENTS) in sign
    assert "--verify" in verify
    assert "-" in dmg.signing("")[0]
    assert dmg.notarising("", Path("x.dmg")) == []
    assert [words[1] for words in dmg.notarising("profile", Path("x.dmg"))] == ["notarytool", "stapler"]
    assert dmg.version() == __version__
    assert f'name="{dmg.APP.name}"' in SPEC
    held = plistlib.loads((PACKAGING / "macos" / "entitlements.plist").read_bytes())
    assert all(held.values())


# The workflow


def test_the_release_is_built_tried_and_attached_on_three_systems() -> None:
    for file in re.findall(r"packaging[/\\][\w/\\]+\.(?:py|iss)", RELEASE):
        assert (ROOT / file.replace("\\", "/")).is_file(), file
    for system in ("ubuntu-", "windows-", "macos-"):
        assert f"os: {system}" in RELEASE
    assert "packaging/build_and_smoke.py" in RELEASE
    for kind in ("deb", "tar.zst", "dmg", "sha256", "cdx.json"):
        assert f"packaging/dist/*.{kind}" in RELEASE
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for extra in re.findall(r'"\.\[(\w+)\]"', RELEASE):
        assert extra in extras


def test_what_the_build_needs_is_in_its_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    needed = " ".join([*extras["package"], *extras["export"]]).lower()
    for name in script("build").NEEDED.values():
        assert name.lower() in needed, name
