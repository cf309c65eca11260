"""Try the packages in a clean Debian, as on a machine that has never had Python: python packaging/installed.py FOLDER.

Needs root, debootstrap and Xvfb, and Debian's archive for the bare system and the package's dependencies. Below FOLDER
are made: base (the bare system, kept for the next time), deb and archive (copies of it, with what was installed) and
screen-*.png (what the window looked like). All mounts are this process's own and end with it.

The package: installed by apt, started by its menu entry and by a double-click on a project, self-test and sample job
with the network forbidden, crash before there is a window, removed; then nothing of it is left outside of the user's
own folder. The archive: unpacked, put into the menu, started, taken out of it.
"""

import argparse
import configparser
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SUITE, SOURCE = "bookworm", "http://deb.debian.org/debian"
PERSON, HOME = "person", "/home/person"
KIND = "application/x-sslstudio-project"
SCREEN = (1280, 1024)
INSIDE_PRIVATE = "SSLSTUDIO_INSTALLED_PRIVATE"  # set once the mounts are this process's own
LONGEST = 1800.0  # seconds for one command
STARTS = 5  # of each kind
SELF_TESTS = 5  # one after the other: a crash of threads does not come each time
STILL, STIRRING = 2.0, 90.0  # seconds for which nothing on the screen changes, and how long that is waited for
SAMPLE, SHORT = 300, "0.2"  # pictures and minutes of each training of the small job
PATIENCE = 120.0  # seconds until a window must be there
# What a system keeps of its own doing: logs, lists of packages, caches.
OF_THE_SYSTEM = ("var/log/", "var/cache/", "var/lib/apt/", "var/lib/dpkg/", "run/", "tmp/", "root/", "home/", "dev/",
                 "proc/", "sys/", "etc/ld.so.cache", "etc/passwd", "etc/group", "etc/shadow", "etc/gshadow",
                 "etc/subuid", "etc/subgid")  # fmt: skip

sys.path.insert(0, str(ROOT))  # what is compared with is this checkout


class Failure(Exception):
    """What the installed program did not do."""


# A system in a folder


class System:
    """A Debian in a folder. Commands in it are run by an ordinary person unless said."""

    def __init__(self, folder: Path, display: str) -> None:
        self.folder, self.display = folder, display

    def words(self, command: Sequence[str], *, root: bool = False, network: bool = False) -> list[str]:
        """The whole command line that runs a command in it."""
        cut_off = [] if network else ["unshare", "-n"]
        user = "root" if root else PERSON
        home = "/root" if root else HOME
        clean = ["env", "-i", f"HOME={home}", f"USER={user}", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                 "DEBIAN_FRONTEND=noninteractive", f"DISPLAY={self.display}", f"XDG_RUNTIME_DIR={home}"]  # fmt: skip
        return [*cut_off, "chroot", f"--userspec={user}", str(self.folder), *clean, *command]

    def said(self, *command: str, root: bool = False, network: bool = False, codes: Sequence[int] = (0,)) -> str:
        """What a command in it says. Raises Failure with its last words for another exit code."""
        done = subprocess.run(
            self.words(command, root=root, network=network),
            capture_output=True, timeout=LONGEST, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        said = done.stdout.decode("utf-8", "replace")
        if done.returncode not in codes:
            words = (said + done.stderr.decode("utf-8", "replace")).strip()[-3000:]
            raise Failure(f"{' '.join(command)} ended with {done.returncode}: {words}")
        return said

    @contextmanager
    def started(self, *command: str, extra: Mapping[str, str] | None = None) -> Iterator["subprocess.Popen[bytes]"]:
        """A program that runs within; it and its children are ended then."""
        given = [f"{name}={value}" for name, value in (extra or {}).items()]
        process = subprocess.Popen(
            self.words(["env", *given, *command]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):
                for pid in self.processes():
                    with_suppressed_kill(pid, number)
                time.sleep(0.5)
            process.wait()

    def processes(self) -> list[int]:
        """Everything that runs in it."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    inside = os.readlink(entry / "root") == str(self.folder)
                except OSError:
                    continue
                if inside:
                    found.append(int(entry.name))
        return found

    def command_lines(self) -> list[list[str]]:
        """The words that everything in it was started with."""
        lines = []
        for pid in self.processes():
            try:
                lines.append(Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")[:-1])
            except OSError:
                continue
        return lines


def with_suppressed_kill(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def make_base(base: Path) -> None:
    """A bare system: what debootstrap calls minbase, a person, the machine's sources. Raises CalledProcessError."""
    if (base / HOME[1:]).is_dir():
        return
    if not (base / "etc" / "debian_version").is_file():
        subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, base, SOURCE], check=True
        )
    sources = base / "etc" / "apt" / "sources.list.d" / "debian.sources"
    machine = Path("/etc/apt/sources.list.d/debian.sources")
    if machine.is_file():
        shutil.copyfile(machine, sources)
        (base / "etc" / "apt" / "sources.list").write_text("", encoding="utf-8")
    subprocess.run(["chroot", base, "useradd", "--create-home", PERSON], check=True)
    subprocess.run(["chroot", base, "apt-get", "update", "-qq"], check=True)


def copy_base(base: Path, folder: Path, display: str) -> System:
    """A new copy of the bare system, with what a running one has mounted."""
    for place in ("proc", "dev", "tmp/.X11-unix"):
        subprocess.run(["umount", "-R", folder / place], capture_output=True)
    if any(os.path.ismount(folder / place) for place in ("proc", "dev", "tmp/.X11-unix")):
        raise Failure(f"{folder} still has mounts of an earlier trial: it is not deleted")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", base, folder], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", folder / "proc"], check=True)
    subprocess.run(["mount", "--rbind", "/dev", folder / "dev"], check=True)
    sockets = folder / "tmp" / ".X11-unix"
    sockets.mkdir()
    subprocess.run(["mount", "--bind", "/tmp/.X11-unix", sockets], check=True)
    return System(folder, display)


# A screen


class Screen:
    """Xvfb whose picture is a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def shown(self) -> Iterator[str]:
        """The number of the display."""
        width, height = SCREEN
        reading, writing = os.pipe()
        process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-fbdir", str(self.folder), "-screen", "0", f"{width}x{height}x24"],
            pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            with os.fdopen(reading) as said:
                yield f":{said.readline().strip()}"
        finally:
            process.terminate()
            process.wait()
            os.close(writing)

    def pixels(self) -> bytes:
        """The screen: width * height * 4 bytes, blue, green, red and nothing."""
        content = (self.folder / "Xvfb_screen0").read_bytes()
        header, colours = (int.from_bytes(content[at : at + 4], "big") for at in (0, 76))
        start = header + 12 * colours
        return content[start : start + 4 * SCREEN[0] * SCREEN[1]]

    def painted(self) -> float:
        """The share of the screen that is not black."""
        content = self.pixels()
        seen = [content[at : at + 3] != b"\0\0\0" for at in range(0, len(content), 4 * 37)]
        return sum(seen) / len(seen)

    def wait(self, since: float, least: float = 0.15) -> float:
        """Seconds since then until a window of some size is painted. Raises Failure."""
        while self.painted() < least:
            if time.perf_counter() - since > PATIENCE:
                raise Failure(f"no window within {PATIENCE:.0f} s")
            time.sleep(0.02)
        return time.perf_counter() - since

    def clear(self) -> None:
        """Wait until the screen is black again."""
        end = time.monotonic() + 10
        while self.painted() > 0.01 and time.monotonic() < end:
            time.sleep(0.1)

    def settle(self) -> None:
        """Wait until nothing on it changes any more; on a busy machine a page is long in coming."""
        end = time.monotonic() + STIRRING
        before, since = b"", time.monotonic()
        while time.monotonic() < min(end, since + STILL):
            time.sleep(0.2)
            now = self.pixels()
            if now != before:
                before, since = now, time.monotonic()

    def keep(self, file: Path) -> str:
        """Write the screen down as a picture; returns its name."""
        from PIL import Image

        Image.frombuffer("RGB", SCREEN, self.pixels(), "raw", "BGRX", 0, 1).save(file)
        return file.name


# What is asked of the package


def start_words(entry: Path) -> list[str]:
    """The words of Exec of a menu entry, without the place of files."""
    read = configparser.RawConfigParser()
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(entry, encoding="utf-8")
    return [word for word in shlex.split(read["Desktop Entry"]["Exec"]) if not word.startswith("%")]


def forget(folder: Path) -> None:
    """Take the files of a folder out of memory, as they are after the machine was started."""
    subprocess.run(["sync"], check=True)
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            handle = os.open(file, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


class Trial:
    """What is tried in one system, one after the other; prints what came of each."""

    def __init__(self, system: System, screen: Screen, folder: Path) -> None:
        self.system, self.screen, self.folder, self.good = system, screen, folder, True

    def check(self, name: str, check: Callable[[], str]) -> None:
        """Carry it out, and say it."""
        try:
            print(f"{name}: {check()}", flush=True)
        except (Failure, OSError, subprocess.SubprocessError, ValueError, KeyError) as trouble:
            self.good = False
            print(f"{name}: FAILED: {trouble}", flush=True)

    def start(self, name: str, program: Path, *words: str, cold: bool, times: int = STARTS) -> str:
        """Start it some times, wait for the window each time, keep the last screen, end it."""
        seconds = []
        for _ in range(times):
            self.forget_ends()
            if cold:
                forget(program)
            began = time.perf_counter()
            with self.system.started(*words):
                seconds.append(self.screen.wait(began))
                self.screen.settle()  # the picture that is kept has the first page whole
                kept = self.screen.keep(self.folder / f"screen-{name}.png")
            self.screen.clear()
        seconds.sort()
        had = "nothing of it in memory before" if cold else "all of it in memory before"
        middle = seconds[len(seconds) // 2]
        return (
            f"least {seconds[0]:.2f} s, median {middle:.2f} s of {times} to the window, {had}, load {_load()} ({kept})"
        )

    def forget_ends(self) -> None:
        """A window that is killed says so at the next start: not here, where every one is."""
        shutil.rmtree(self.system.folder / HOME[1:] / ".local" / "state" / "SSLStudio", ignore_errors=True)

    def self_test(self, command: str) -> str:
        """All of it, with the network forbidden."""
        began = time.perf_counter()
        try:
            said = self.system.said(command, "self-test", "--json")
        except Failure as trouble:
            raise Failure(f"{trouble}\n{self.last_words()}") from None
        results: dict[str, str] = json.loads(said[said.index("{") :])
        (self.folder / f"self-test-{self.system.folder.name}.json").write_text(json.dumps(results, indent=1))
        wrong = {name: said for name, said in results.items() if said.startswith(("FAILED", "not tried"))}
        if wrong:
            raise Failure(str(wrong))
        return f"{len(results)} checks passed in {time.perf_counter() - began:.0f} s, without a network, load {_load()}"

    def last_words(self) -> str:
        """The end of the program's log, where a crash in native code leaves the trace of every thread."""
        logs = sorted((self.system.folder / HOME[1:]).rglob("sslstudio*.log"), key=lambda file: file.stat().st_mtime)
        return logs[-1].read_text(encoding="utf-8", errors="replace")[-6000:] if logs else "There is no log."

    def double_click(self, home: Path, program: Path) -> str:
        """Which kind of file a project is, which program it opens with, and that xdg-open starts it on the project."""
        from sslstudio.engine.projects.project import Project, save_project

        pictures = home / "pictures"
        draw_pictures(pictures)
        self.forget_ends()
        save_project(Project(folder=home / "project", pictures=pictures, name="Tried", opened="2026-01-01 00:00"))
        subprocess.run(["chroot", self.system.folder, "chown", "-R", PERSON, HOME], check=True)
        file = f"{HOME}/project/sslstudio.toml"
        kind = self.system.said("xdg-mime", "query", "filetype", file).strip()
        entry = self.system.said("xdg-mime", "query", "default", KIND).strip()
        if (kind, entry) != (KIND, "sslstudio.desktop"):
            raise Failure(f"a project is {kind} and opens with {entry or 'nothing'}")
        began = time.perf_counter()
        with self.system.started("xdg-open", file):
            seconds = self.screen.wait(began)
            self.screen.settle()
            kept = self.screen.keep(self.folder / f"screen-{self.system.folder.name}-project.png")
            lines = [line for line in self.system.command_lines() if line[-1:] == [file] and "SSLStudio" in line[0]]
        self.screen.clear()
        if not lines:
            raise Failure("xdg-open did not start the program with the project")
        return f"{kind} opens with {entry}; xdg-open started {lines[0][0]} on it, window after {seconds:.2f} s ({kept})"

    def crash(self, program: Path, home: Path) -> str:
        """A library that is damaged: a dialog says so before there is a window, and names a log."""
        broken = next((program / "_internal" / "numpy").rglob("_multiarray_umath*.so"))
        content = broken.read_bytes()
        broken.write_bytes(b"damaged " * 8 + content[64:])
        self.forget_ends()
        try:
            began = time.perf_counter()
            with self.system.started("/" + str((program / "SSLStudio").relative_to(self.system.folder))):
                seconds = self.screen.wait(began, least=0.01)
                time.sleep(1)
                kept = self.screen.keep(self.folder / f"screen-{self.system.folder.name}-crash.png")
        finally:
            broken.write_bytes(content)
        self.screen.clear()
        logs = [file for file in home.rglob("sslstudio.log") if "could not start" in file.read_text(encoding="utf-8")]
        if not logs:
            raise Failure("no log was written")
        return f"a damaged {broken.name}: a dialog after {seconds:.2f} s ({kept}), log in {logs[0].relative_to(home)}"


def draw_pictures(folder: Path, count: int = 12, names: str = "") -> None:
    """Some pictures to open."""
    from PIL import Image

    folder.mkdir()
    for number in range(count):
        Image.effect_noise((160, 120), 20.0 + 15.0 * number).save(folder / f"{names}{number:02}.png")


def _load() -> str:
    """How much the machine has to do beside this: the mean of a minute."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def small_job(system: System, command: str) -> str:
    """Pretrain, fine-tune beside a twin, report: on few pictures, and without the general weights, whose reading takes
    longer than all else (the demo has them)."""
    began = time.perf_counter()
    pictures, pretrained, finetuned = (f"{HOME}/small/{name}" for name in ("sample/images", "pretrained", "finetuned"))
    report = f"{HOME}/small/report.html"
    minutes = ["--minutes", SHORT]
    system.said(command, "sample", f"{HOME}/small/sample", "--count", str(SAMPLE))
    system.said(command, "pretrain", pictures, *minutes, "--out", pretrained)
    given = ["--from", pretrained, "--labels-per-class", "10", "--no-general", *minutes, "--out", finetuned]
    said = system.said(command, "finetune", pictures, *given)
    system.said(command, "report", finetuned, "--out", report)
    size = (system.folder / report[1:]).stat().st_size
    verdict = " ".join(line.strip() for line in said.splitlines() if line.startswith(("Pretraining", "Balanced")))
    return f"done in {time.perf_counter() - began:.0f} s, load {_load()}, report of {size / 1000:.0f} kB. {verdict}"


def other_encoding(system: System, command: str) -> str:
    """Names with umlauts where the locale is not UTF-8. Raises Failure."""
    name, folder = "Käfer", system.folder / HOME[1:] / "Größe"
    draw_pictures(folder, names=name)
    subprocess.run(["chroot", system.folder, "chown", "-R", PERSON, HOME], check=True)
    locales = system.folder / "tmp" / "locales"
    locales.mkdir(exist_ok=True)
    words = ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", str(locales / "de_DE.ISO-8859-1")]
    made = shutil.which("localedef") is not None and subprocess.run(words, capture_output=True).returncode <= 1
    tried = ["LC_ALL=C", *(["LC_ALL=de_DE.ISO-8859-1"] if made else [])]
    for setting in tried:
        said = system.said("env", "LOCPATH=/tmp/locales", setting, command, "index", f"{HOME}/Größe", "--json")
        found = json.loads(said.splitlines()[-1])
        if found["folder"] != f"{HOME}/Größe":
            raise Failure(f"{setting}: the folder is {found['folder']}")
    return f"names are read as they are with {', '.join(tried)}"


def sample_job(system: System, command: str, minutes: float) -> str:
    """Pretrain, fine-tune, report, on the whole sample and with every start."""
    began = time.perf_counter()
    said = system.said(command, "demo", "--minutes", f"{minutes}", "--out", f"{HOME}/demo")
    report = f"{HOME}/report.html"
    system.said(command, "report", f"{HOME}/demo/finetuned", "--out", report)
    size = (system.folder / report[1:]).stat().st_size
    verdict = [line for line in said.splitlines() if "won" in line or "best" in line.lower()][:1]
    seconds = time.perf_counter() - began
    return f"done in {seconds:.0f} s without a network, report of {size / 1000:.0f} kB. {' '.join(verdict).strip()}"


def contents(folder: Path) -> dict[str, int]:
    """Every file of a system and its size, without what the system keeps of its own doing."""
    found = {}
    for place, folders, files in os.walk(folder):
        below = os.path.relpath(place, folder).removeprefix(".").lstrip("/")
        inside = [name for name in folders if not f"{below}/{name}/".lstrip("/").startswith(OF_THE_SYSTEM)]
        folders[:] = inside
        for name in [*files, *inside]:
            path = f"{below}/{name}".lstrip("/")
            if not path.startswith(OF_THE_SYSTEM):
                found[path] = os.lstat(os.path.join(place, name)).st_size if name in files else 0
    return found


def try_package(trial: Trial, deb: Path, minutes: float, self_tests: int) -> None:
    """apt installs it, it works, apt removes it."""
    system, home = trial.system, trial.system.folder / HOME[1:]
    program = system.folder / "opt" / "sslstudio"
    entry = system.folder / "usr" / "share" / "applications" / "sslstudio.desktop"
    shutil.copyfile(deb, system.folder / "tmp" / deb.name)

    def install() -> str:
        began = time.perf_counter()
        said = system.said("apt-get", "install", "-y", f"/tmp/{deb.name}", root=True, network=True)
        new = [line for line in said.splitlines() if "newly installed" in line]
        return f"{time.perf_counter() - began:.0f} s with what it needs ({' '.join(new).strip()})"

    def size() -> str:
        used = int(subprocess.run(["du", "-sk", program], capture_output=True, text=True).stdout.split()[0])
        return f"{deb.stat().st_size / 1e6:.0f} MB to fetch, {used * 1024 / 1e6:.0f} MB on disk"

    def validate() -> str:
        system.said("desktop-file-validate", "/" + str(entry.relative_to(system.folder)))
        return f"valid, starts {' '.join(start_words(entry))}"

    trial.check("Python in the bare system", lambda: _no_python(system))
    trial.check("Install", install)
    trial.check("Size", size)
    trial.check("Menu entry", validate)
    trial.check(
        "Start from the menu entry, cold", lambda: trial.start("deb-cold", program, *start_words(entry), cold=True)
    )
    trial.check("The same, warm", lambda: trial.start("deb-warm", program, *start_words(entry), cold=False))
    trial.check("Double-click on a project", lambda: trial.double_click(home, program))
    for number in range(self_tests):
        trial.check(f"Self-test {number + 1}", lambda: trial.self_test("/usr/bin/sslstudio"))
    trial.check("Sample job", lambda: small_job(system, "/usr/bin/sslstudio"))
    if minutes:
        trial.check("Demo", lambda: sample_job(system, "/usr/bin/sslstudio", minutes))
    trial.check("A locale that is not UTF-8", lambda: other_encoding(system, "/usr/bin/sslstudio"))
    trial.check("Crash before a window", lambda: trial.crash(program, home))
    trial.check("Remove", lambda: _remove_twice(system, deb))
    trial.check("What the person keeps", lambda: ", ".join(kept_places(home)))


def kept_places(home: Path) -> list[str]:
    """What in the person's own folder bears the program's name: its data, settings, caches and logs, and projects."""
    found = sorted(
        {file.relative_to(home).as_posix() for file in home.rglob("*") if "sslstudio" in _letters(file.name)}
    )
    return [one for one in found if not any(one.startswith(f"{other}/") for other in found)]


def _letters(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalpha())


def _no_python(system: System) -> str:
    found = [str(one) for one in (system.folder / "usr" / "bin").glob("python*")]
    if found:
        raise Failure(f"there is one already: {found}")
    return "none"


def _remove_twice(system: System, deb: Path) -> str:
    """Remove it; then install, start and remove it once more: the system is as after the first time, file by file."""
    system.said("apt-get", "remove", "-y", "sslstudio", root=True)
    first = contents(system.folder)
    began = time.perf_counter()
    system.said("apt-get", "install", "-y", f"/tmp/{deb.name}", root=True)
    seconds = time.perf_counter() - began
    system.said("/usr/bin/sslstudio", "--version")
    system.said("apt-get", "remove", "-y", "sslstudio", root=True)
    second = contents(system.folder)
    changed = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    named = sorted(name for name in second if "sslstudio" in name.lower())
    inside = system.said(
        *("grep", "-rIl", "sslstudio", "/etc", "/usr", "/opt", "/var/lib"),
        "--exclude-dir=apt", "--exclude=status-old", "--exclude=available-old", root=True, codes=(0, 1, 2),
    ).split()  # fmt: skip
    if changed or named or inside:
        raise Failure(f"left: {named + changed}; named in: {inside}")
    return f"nothing is left of it outside of {HOME}; installed again in {seconds:.0f} s where all it needs is there"


# What is asked of the archive

NEEDED = ("libgl1", "libegl1", "libxkbcommon0", "libfontconfig1", "fonts-dejavu-core")  # said in the manual
DESKTOP = ("xdg-utils", "shared-mime-info", "desktop-file-utils", "libglib2.0-bin")  # what a desktop has


def try_archive(trial: Trial, archive: Path) -> None:
    """Unpacked in a person's folder, put into the menu, started, taken out of it."""
    system, home = trial.system, trial.system.folder / HOME[1:]
    place = f"{HOME}/my programs"
    program = system.folder / place[1:] / "SSLStudio"
    entry = home / ".local" / "share" / "applications" / "sslstudio.desktop"
    system.said(
        "apt-get", "install", "-y", "--no-install-recommends", *NEEDED, *DESKTOP, "zstd", root=True, network=True
    )
    shutil.copyfile(archive, system.folder / "tmp" / archive.name)
    before = {name for name in contents(system.folder)}

    def unpack() -> str:
        began = time.perf_counter()
        system.said("mkdir", place)
        system.said("tar", "--zstd", "-xf", f"/tmp/{archive.name}", "-C", place)
        return f"{time.perf_counter() - began:.0f} s, {archive.stat().st_size / 1e6:.0f} MB"

    def put_in_menu() -> str:
        system.said(f"{place}/SSLStudio/add-to-menu.sh")
        system.said("desktop-file-validate", f"{HOME}/.local/share/applications/sslstudio.desktop")
        if start_words(entry) != [f"{place}/SSLStudio/SSLStudio"]:
            raise Failure(f"the entry starts {start_words(entry)}")
        kind = system.said("xdg-mime", "query", "default", KIND).strip()
        if kind != "sslstudio.desktop":
            raise Failure(f"projects open with {kind or 'nothing'}")
        return f"starts {' '.join(start_words(entry))}; projects open with it"

    def take_out() -> str:
        system.said(f"{place}/SSLStudio/add-to-menu.sh", "--remove")
        left = [str(file) for file in home.rglob("*sslstudio*") if "my programs" not in str(file) and file.is_file()
                and ".local/share/SSLStudio" not in str(file) and ".config" not in str(file)
                and ".cache" not in str(file) and ".local/state" not in str(file)]  # fmt: skip
        new = sorted(name for name in contents(system.folder) if name not in before)
        if left or new or entry.exists():
            raise Failure(f"left: {left + new}")
        return "nothing is left of it in the menu, nor in the system"

    trial.check("Unpack", unpack)
    trial.check("Put into the menu", put_in_menu)
    trial.check("Start, cold", lambda: trial.start("archive", program, *start_words(entry), cold=True, times=1))
    trial.check("Take out of the menu", take_out)


# All of it


def find_one(pattern: str) -> Path:
    """The newest file of a kind that deb.py has made. Raises Failure."""
    found = sorted((HERE / "dist").glob(pattern), key=lambda file: file.stat().st_mtime)
    if not found:
        raise Failure(f"there is no {pattern} in {HERE / 'dist'}: python packaging/deb.py")
    return found[-1]


def missing_tools() -> list[str]:
    """What this needs and this machine lacks."""
    tools = [name for name in ("debootstrap", "Xvfb", "unshare", "chroot") if shutil.which(name) is None]
    return tools if os.geteuid() == 0 else ["root", *tools]


def main(arguments: Sequence[str] | None = None) -> int:
    """Try both; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the systems are made")
    parser.add_argument("--only", choices=["deb", "archive"], help="one of both")
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="the demo, too, with so much training (default: not)"
    )
    parser.add_argument("--self-tests", type=int, default=SELF_TESTS, help=f"how many in turn (default {SELF_TESTS})")
    options = parser.parse_args(arguments)
    missing = missing_tools()
    if missing:
        print(f"Not tried here, for want of: {', '.join(missing)}", file=sys.stderr)
        return 2
    if os.environ.get(INSIDE_PRIVATE) != "1":  # mounts of our own, which end with us
        words = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        return subprocess.run(words, env={**os.environ, INSIDE_PRIVATE: "1"}).returncode
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    make_base(folder / "base")
    screen = Screen(folder)
    good = True
    with screen.shown() as display:
        for name in [options.only] if options.only else ["deb", "archive"]:
            print(f"{name}:", flush=True)
            trial = Trial(copy_base(folder / "base", folder / name, display), screen, folder)
            if name == "deb":
                try_package(trial, find_one("*.deb"), options.minutes, options.self_tests)
            else:
                try_archive(trial, find_one("*.tar.zst"))
            good = good and trial.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
