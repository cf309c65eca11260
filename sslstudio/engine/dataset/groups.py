"""Pictures that belong together (one patient, slide, video), told from their folders or names."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType

from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.formats.wanted import PAGE, file_of
from sslstudio.engine.labels.folder_words import kind_of_group

_EXAMPLES = Message(
    "Write folder:1 for the first folder level, subfolder:1 for the one below it, or "
    "name:PATTERN such as name:(patient\\d+)."
)
_OWNERS = (
    "patient|pat|subject|subj|sub|case|donor|person|participant|animal|mouse|rat|slide|specimen|biopsy|plate"
    "|video|vid|movie|clip|sequence|seq|session|scan|study|series|volume|vol|stack|site|plot|camera|cam"
)
_PIECES = "slice|frame|tile|patch|crop|view|section|roi|field|time"


def group_paths(paths: Sequence[str], rule: str) -> dict[str, str]:
    """The group of each picture. A picture that the rule does not fit is a group of its own; rule "": {}.

    folder:N            the N-th folder level below the data folder, 1 is the first; of several data folders in a
                        project, 1 is each of them
    subfolder:N         the N-th level below that one, wherever it lies: the same name in two folders is the same group
    name:REGEX          first group of the pattern, or all that it matches, searched in the file name
    Pages of one file are always one group, and a rule is asked with the file. Raises ConfigError when the rule is
    malformed or fits no picture.
    """
    if any(PAGE in path for path in paths):
        files = {path: file_of(path) for path in paths}
        found = _group_files(list(dict.fromkeys(files.values())), rule)
        return {path: found.get(file, f"/{file}") for path, file in files.items()}
    return _group_files(paths, rule)


def _group_files(paths: Sequence[str], rule: str) -> dict[str, str]:
    if not rule.strip():
        return {}
    kind, _, rest = rule.strip().partition(":")
    if kind == "folder":
        found = _by_folder(paths, rest.strip())
    elif kind == "subfolder":
        found = _by_folder(paths, rest.strip(), above=1)
    elif kind == "name":
        found = _by_name(paths, rest.strip())
    else:
        raise ConfigError(
            "groups = {rule!r} is not a rule for what belongs together. {examples}", rule=rule, examples=_EXAMPLES
        )
    if paths and not found:
        raise ConfigError(
            "groups = {rule!r} fits no picture, for example not {paths}. {examples}",
            rule=rule,
            paths=paths[0],
            examples=_EXAMPLES,
        )
    return {path: found.get(path, f"/{path}") for path in paths}  # no folder and no match begins with a slash


def groups_of(
    paths: Sequence[str], rule: str, given: Mapping[str, str], together: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """The groups by the rule, else those that a person gave by folders or a column of a table (`Recognised.groups`); a
    picture that has none is a group of its own; {} where there are neither. What is to be kept `together` (picture ->
    name) joins the groups of its pictures."""
    if rule.strip() or not given:
        found = group_paths(paths, rule)
    else:
        found = {path: given.get(path, f"/{file_of(path)}") for path in paths}
    return _join({path: found.get(path, f"/{file_of(path)}") for path in paths}, together) if together else found


def _join(groups: dict[str, str], together: Mapping[str, str]) -> dict[str, str]:
    """The groups, those of them as one that hold pictures of one name in `together`."""
    parent: dict[str, str] = {}

    def first(group: str) -> str:
        while (above := parent.get(group, group)) != group:
            group = above
        return group

    by_name: dict[str, str] = {}
    for path, name in sorted(together.items()):
        if path in groups:
            group = first(groups[path])
            known = first(by_name.setdefault(name, group))
            if known != group:
                parent[max(known, group)] = min(known, group)
    return {path: first(group) for path, group in groups.items()}


def _by_folder(paths: Sequence[str], level: str, above: int = 0) -> dict[str, str]:
    if not level.isdecimal() or int(level) < 1:
        raise ConfigError(
            "groups = '{above}folder:{level}' needs a folder level, 1 or more. {examples}",
            above="sub" * above,
            level=level,
            examples=_EXAMPLES,
        )
    number = int(level)
    folders = {path: PurePosixPath(path).parts[above:-1] for path in paths}
    return {path: "/".join(parts[:number]) for path, parts in folders.items() if len(parts) >= number}


def below(rule: str) -> str:
    """The rule that says the same once the folder is one of several: patients stay patients, and those of the same
    name in two folders stay together."""
    kind, _, rest = rule.strip().partition(":")
    if kind == "subfolder" and rest.strip().isdecimal():
        return f"subfolder:{int(rest) + 1}"
    return f"subfolder:{rest}" if kind == "folder" else rule


def _by_name(paths: Sequence[str], pattern: str) -> dict[str, str]:
    try:
        searched = re.compile(pattern)
    except re.error as error:
        raise ConfigError(
            "groups = 'name:{pattern}' is not a pattern: {error}. {examples}",
            pattern=pattern,
            error=error,
            examples=_EXAMPLES,
        ) from error
    if not pattern:
        raise ConfigError("groups = 'name:' has no pattern. {examples}", examples=_EXAMPLES)
    matches = {path: searched.search(PurePosixPath(path).name) for path in paths}
    texts = {path: _text(match) for path, match in matches.items() if match}
    return {path: text for path, text in texts.items() if text}


def _text(match: re.Match[str]) -> str:
    first = match.group(1) if match.re.groups else None
    return (first or match.group()).lstrip("/")


def suggest_groups(paths: Sequence[str]) -> str | None:
    """A rule for `group_paths` when names or folders look like patients, slides or videos; None on doubt.

    It has to fit nine pictures of ten and give three or more groups that hold several pictures each on average.
    """
    if any(PAGE in path for path in paths):
        paths = list(dict.fromkeys(map(file_of, paths)))
    rules = [
        rf"name:(?i)((?<![a-z])(?:{_OWNERS})[_-]?\d+)",
        r"name:(TCGA-\w\w-\w{4})",
        rf"name:(?i)^(.*\d.*?)[_-](?:{_PIECES})[_-]?\d+",
        *(_owner_rule(paths, level) for level in _owner_levels(paths)),
    ]
    return next((_shortest(paths, rule) for rule in rules if _groups_well(paths, rule)), None)


def _groups_well(paths: Sequence[str], rule: str) -> bool:
    try:
        groups = group_paths(paths, rule)
    except ConfigError:
        return False
    sizes = Counter(group for group in groups.values() if not group.startswith("/"))
    fitting = sizes.total()
    return len(sizes) >= 3 and fitting >= 0.9 * len(paths) and len(sizes) <= 0.7 * fitting


def _owner_levels(paths: Sequence[str]) -> list[int]:
    """Folder levels (1 is the first) whose every folder is named like patient12, or numbered below others."""
    folders = [PurePosixPath(path).parts[:-1] for path in paths]
    deepest = min((len(parts) for parts in folders), default=0)
    names = [{parts[level] for parts in folders} for level in range(deepest)]
    kinds = [kind_of_group(found) for found in names]
    beside = [level > 0 and len(names[level - 1]) >= 2 and not kinds[level - 1] for level in range(deepest)]
    return [
        level + 1
        for level, kind in enumerate(kinds)
        if kind == "owner" or (kind in ("code", "date") and beside[level])  # P007 below folders of classes
    ]


def _owner_rule(paths: Sequence[str], level: int) -> str:
    """The folders of this level; where names come again in other folders (ill/patient1, well/patient1), each name once:
    it may be the same patient."""
    rule = f"folder:{level}"
    if level < 2:
        return rule
    joined = f"subfolder:{level - 1}"
    fewer = len(set(group_paths(paths, joined).values())) < len(set(group_paths(paths, rule).values()))
    return joined if fewer else rule


def _shortest(paths: Sequence[str], rule: str) -> str:
    """The rule with the one word that these names use, when it groups them the same: easier to read."""
    if not rule.startswith("name:(?i)((?<!"):
        return rule
    full = group_paths(paths, rule)
    words = {re.sub(r"[_-]?\d+$", "", group) for group in full.values() if not group.startswith("/")}
    short = rf"name:({words.pop()}[_-]?\d+)" if len(words) == 1 else rule
    return short if group_paths(paths, short) == full else rule
