"""Ways to damage a file: as disks do it (bits, ends, zeros), and as somebody does it who means harm."""

import gzip
import json
import re
import struct
import tomllib
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import tomli_w

DEEP = 50_000
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 2**63, 2**64, -(2**70), 10**400, 1e308, -1e308, float("nan"), float("inf"), 0.5, "", "x",
    "\x1b[31mred\x07", "../../../../../../tmp/outside", "/etc/passwd", "a\0b", "C:\\Windows\\x", "\\\\machine\\x",
    "\u202egpj.exe", "[/]", "<img src=/etc/passwd>", "=1+1", "{n:999999999}", "x" * 100_000, [], {}, [[]], [None],
    {"template": "{n:>900000000}", "values": {"n": 1}, "text": "x"}, {"a": {"b": []}},
)  # fmt: skip


def damage(content: bytes, name: str, others: Sequence[bytes], random: Random) -> tuple[bytes, str]:
    """The content of a file, damaged in one way, and which way that was."""
    ways: list[Callable[[bytes, Random], bytes]] = [_flip, _cut, _zeros, _no_text, _digits, _nest]
    inner = _structural(name)
    if inner is not None and random.random() < 0.6:
        try:
            return inner(content, random), f"{inner.__name__[1:]}"
        except (ValueError, KeyError, IndexError, TypeError, struct.error, RecursionError, EOFError):
            pass
    if random.random() < 0.08 and others:
        return random.choice(others), "of another file"
    way = random.choice(ways)
    return way(content, random), way.__name__[1:]


def _flip(content: bytes, random: Random) -> bytes:
    changed = bytearray(content or b"x")
    for _ in range(random.choice((1, 1, 3, 20))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.choice((0, 1, random.randrange(len(content) + 1), max(0, len(content) - 1)))]


def _zeros(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    many = random.choice((1, 16, 4096))
    return random.choice(
        (content[:at] + bytes(many) + content[at + many :], content + bytes(many), bytes(len(content)))
    )


def _no_text(content: bytes, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + random.choice((b"\xff\xfe", b"\xed\xa0\x80", b"\x1b]0;x\x07", b"\xc3")) + content[at:]


def _digits(content: bytes, random: Random) -> bytes:
    found = list(re.finditer(rb"-?\d+(\.\d+)?", content[:200_000]))
    if not found:
        return _flip(content, random)
    one = random.choice(found)
    put = random.choice((b"-5", b"1e999", b"9" * 5000, b"99999999999", b"NaN", b"-0", b"0.1", b"1e400", b'"x"', b"[]"))
    return content[: one.start()] + put + content[one.end() :]


def _nest(content: bytes, random: Random) -> bytes:
    opened, closed = random.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"[", b""), (b"<a>", b"</a>")))
    deep = opened * DEEP + closed * DEEP
    return random.choice((deep, b"x = " + deep, deep + b"\n" + content, content + deep + b"\n"))


def _structural(name: str) -> Callable[[bytes, Random], bytes] | None:
    for ends, way in (
        ((".json", ".geojson"), _json), ((".jsonl",), _lines), ((".toml",), _toml), ((".safetensors",), _header),
        ((".json.gz",), _packed), ((".csv",), _cells),
    ):  # fmt: skip
        if name.endswith(ends):
            return way
    return None


def _json(content: bytes, random: Random) -> bytes:
    return json.dumps(_changed(json.loads(content), random), ensure_ascii=random.random() < 0.5).encode(
        errors="surrogatepass"
    )


def _lines(content: bytes, random: Random) -> bytes:
    lines = content.split(b"\n")
    at = random.randrange(max(1, len(lines) - 1))
    lines[at] = _json(lines[at], random)
    return b"\n".join(lines)


def _toml(content: bytes, random: Random) -> bytes:
    changed = _without_none(_changed(tomllib.loads(content.decode()), random))
    return (tomli_w.dumps(changed) if isinstance(changed, dict) else json.dumps(changed)).encode()


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _without_none(one) for key, one in value.items() if one is not None}
    return [_without_none(one) for one in value if one is not None] if isinstance(value, list) else value


def _header(content: bytes, random: Random) -> bytes:
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    meta = header.get("__metadata__", {})
    if "sslstudio" in meta and random.random() < 0.5:
        meta["sslstudio"] = json.dumps(_changed(json.loads(meta["sslstudio"]), random))
    else:
        header = _changed(header, random)
    made = json.dumps(header).encode()
    return struct.pack("<Q", random.choice((len(made), len(made), len(made), 2**40))) + made + content[8 + length :]


def _packed(content: bytes, random: Random) -> bytes:
    if random.random() < 0.1:
        return gzip.compress(bytes(1 << 29), 1)  # half a gigabyte of zeros
    return gzip.compress(_json(gzip.decompress(content), random), 1)


def _cells(content: bytes, random: Random) -> bytes:
    lines = content.split(b"\r\n") if b"\r\n" in content else content.split(b"\n")
    at = random.randrange(len(lines))
    cells = lines[at].split(b",")
    cells[random.randrange(len(cells))] = str(random.choice(ODD))[:5000].encode(errors="surrogatepass")
    if random.random() < 0.2:
        cells.pop()
    lines[at] = b",".join(cells)
    return b"\n".join(lines)


def _changed(root: Any, random: Random) -> Any:
    """A tree with one place of it changed: another value, a key away or renamed, or as a list."""
    if not isinstance(root, (dict, list)) or not root or random.random() < 0.05:
        return random.choice(ODD)
    holder = root
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = random.choice(keys)
        value = holder[key]
        if isinstance(value, (dict, list)) and value and random.random() < 0.75:
            holder = value
            continue
        way = random.random()
        if way < 0.2:
            del holder[key]
        elif way < 0.3 and isinstance(holder, dict):
            holder[str(random.choice(ODD))[:200]] = holder.pop(key)
        elif way < 0.4:
            holder[key] = [value]
        else:
            holder[key] = random.choice(ODD)
        return root
