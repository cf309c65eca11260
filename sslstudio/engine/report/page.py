"""The report of a run as one HTML page that needs nothing else: no network, no further file, no script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sslstudio.engine.core.messages import ENGLISH, Language, Message, join
from sslstudio.engine.core.metrics import find_metric
from sslstudio.engine.evaluate.arms import TAKEN_FOR, arm_title
from sslstudio.engine.labels.mask_names import name_class
from sslstudio.engine.report.html import (
    Chart,
    Element,
    Markup,
    Piece,
    group,
    image,
    interval,
    mark,
    svg,
    table,
    written,
)
from sslstudio.engine.runs.metrics import FinetuneMetrics, ScoreInterval, class_columns
from sslstudio.engine.verdicts.ladder import Ladder

Pairs = Sequence[tuple[str, str]]

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1a232d;background:#f5f6f8;margin:0}
main{max-width:1080px;margin:0 auto;padding:28px}
section{background:#fff;border:1px solid #dfe4ea;border-radius:10px;padding:18px 22px;margin:0 0 18px}
h1{font-size:26px;margin:0 0 4px} h2{font-size:18px;margin:0 0 12px} h3{font-size:15px;margin:14px 0 6px}
.muted{color:#586472} .verdict{font-size:19px;margin:10px 0}
table{border-collapse:collapse;margin:0 0 12px} th,td{text-align:left;padding:5px 16px 5px 0;vertical-align:top}
thead th{color:#586472;font-weight:normal} tbody th{font-weight:600} tbody tr{border-top:1px solid #eef1f4}
.matrix td,.matrix thead th{text-align:center;padding:6px 10px} .matrix td.right{outline:2px solid #1a232d}
.charts,.gallery{display:flex;flex-wrap:wrap;gap:18px} figure{margin:0} .charts figure{width:500px;max-width:100%}
.gallery figure{width:164px} .gallery img{width:160px;height:auto;border-radius:6px;display:block}
figcaption{font-size:13px;color:#586472;overflow-wrap:anywhere} .puzzles img{max-width:100%} svg{max-width:100%}
.interval{width:160px;height:20px;vertical-align:middle} pre{background:#eef1f4;padding:10px 12px;border-radius:6px;
white-space:pre-wrap;overflow-wrap:anywhere} ol,ul{margin:6px 0 0;padding-left:22px}
@media print{body{background:#fff} section{break-inside:avoid-page;border:0;padding:0}}
"""


@dataclass(frozen=True)
class Shown:
    """A picture in the report: a data address, what stands under it, and what it is for those who do not see it."""

    data: str
    caption: str
    said: str


@dataclass(frozen=True)
class Report:
    """All that stands in a report: messages are said in the language of the page, other texts are names or come from a
    record of an earlier version. `metrics`: None for a pretraining; `references` are as their authors named them."""

    title: str
    about: str
    metrics: FinetuneMetrics | None
    verdict: str
    ladder: Ladder | None = None
    notes: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    errors: Sequence[Shown] = ()
    errors_said: str = ""
    puzzles: Sequence[Shown] = ()
    data: Pairs = ()
    settings: Mapping[str, Pairs] = field(default_factory=dict)
    environment: Pairs = ()
    methods: Sequence[str] = ()
    references: Sequence[str] = ()
    commands: Sequence[str] = ()


def page(report: Report, language: Language = ENGLISH) -> str:
    """The whole page in a language."""
    parts = [
        _head(report),
        _scores(report.metrics) if report.metrics else Markup(""),
        _section(
            Message("How it learnt"), mark("div", *map(svg, report.charts), class_="charts"), there=report.charts
        ),
        *(_matrices(report.metrics) if report.metrics else ()),
        _section(Message("Mistakes"), mark("p", report.errors_said), _gallery(report.errors), there=report.errors),
        _section(
            Message("Held-out puzzles and the network's answers"),
            *(mark("figure", image(one.data, one.said), mark("figcaption", one.caption)) for one in report.puzzles),
            there=report.puzzles, kind="puzzles",
        ),
        _section(Message("Pictures"), _pairs(report.data), there=report.data),
        _methods(report),
        _section(Message("Settings"), *_settings(report.settings), there=report.settings),
        _section(Message("The same again"), mark("pre", "\n".join(report.commands)), there=report.commands),
        _section(Message("Made on"), _pairs(report.environment), there=report.environment),
    ]  # fmt: skip
    # No script and nothing from outside: said to the browser too.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = mark(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        mark("title", report.title),
        mark("style", Markup(STYLE)),
    )
    body = mark("body", mark("main", *parts))
    return f"<!DOCTYPE html>\n{written(mark('html', head, body, lang=language.code), language)}\n"


def _section(title: Message, *content: Piece, there: object = True, kind: str = "") -> Piece:
    return mark("section", mark("h2", title), *content, class_=kind or "plain") if there else Markup("")


def _methods(report: Report) -> Piece:
    """In the language of the page, as everything else: who writes for a journal in English asks for the page in it."""
    references = mark("ol", *(mark("li", one) for one in report.references), lang=ENGLISH.code)
    return _section(
        Message("Methods, for a paper"), *(mark("p", text) for text in report.methods), references, there=report.methods
    )


def _head(report: Report) -> Element:
    notes = mark("ul", *(mark("li", note) for note in report.notes)) if report.notes else Markup("")
    return mark(
        "section", mark("h1", report.title), mark("div", report.about, class_="muted"),
        *_verdict(report), notes, class_="plain",
    )  # fmt: skip


def _verdict(report: Report) -> list[Piece]:
    """What is decisive and the next step first, then each question with its answer."""
    if report.ladder is None:
        return [mark("p", report.verdict, class_="verdict")]
    ladder = report.ladder
    rungs = [mark("li", mark("strong", rung.question), " ", rung.said) for rung in ladder.rungs]
    then = [mark("p", Message("Next: {then}", then=ladder.then))] if ladder.then else []
    head = mark("p", ladder.decisive.said, class_="verdict")
    return [head, *then, mark("ol", *rungs), mark("p", report.verdict, class_="muted")]


def _scores(metrics: FinetuneMetrics) -> Piece:
    parts = metrics["parts"]
    if not parts:
        return Markup("")
    baseline = metrics["baseline"]
    names = sorted(next(iter(parts.values()))["scores"], key=lambda name: bool(name != metrics["headline"]))
    rows: list[list[Piece]] = [
        [arm_title(part), *(_score(content["scores"][name], baseline.get(name), place) for name in names)]
        for place, (part, content) in enumerate(parts.items())
    ]
    rows.append([Message("Always the most frequent class"), *(_share(baseline.get(name)) for name in names)])
    head = ["", *(find_metric(name).title for name in names)]
    said = [
        Message(
            "{n_train:,} labelled pictures to train on, {n_test:,} test pictures. In brackets 95 % intervals; the "
            "small tick is the baseline.",
            n_train=metrics["n_train"],
            n_test=metrics["n_test"],
        )
    ]
    if list(parts) == ["pretrained"]:
        said.append(Message("Not compared with not pretraining: no twin from scratch."))
    return _section(Message("Scores"), table(head, rows), mark("p", join(said), class_="muted"))


def _score(score: ScoreInterval, baseline: float | None, place: int) -> Piece:
    value, low, high = score["value"], score["low"], score["high"]
    if value is None or low is None or high is None:
        return "–"
    said = Message(
        "{value:score} ({low:score} to {high:score}, n = {n:,})", value=value, low=low, high=high, n=score["n"]
    )
    return group(said, " ", interval(value, low, high, baseline, place))


def _share(value: float | None) -> str:
    return "–" if value is None else Message("{value:score}", value=value)


def _matrices(metrics: FinetuneMetrics) -> list[Piece]:
    return [_matrix(metrics, part) for part in metrics["parts"]]


def _matrix(metrics: FinetuneMetrics, part: str) -> Piece:
    masks = metrics["kind"] == "segmentation"
    titles = {name: name_class(name) if masks else name for name in metrics["classes"]}
    names, content = list(titles.values()), metrics["parts"][part]
    head = mark("tr", mark("th", Message("label \\ answer")), *(mark("th", name, scope="col") for name in names))
    rows = [
        mark("tr", mark("th", names[truth], scope="row"),
             *(_cell(count, sum(line), truth == guess) for guess, count in enumerate(line)))
        for truth, line in enumerate(content["confusion"])
    ]  # fmt: skip
    matrix = mark("table", mark("thead", head), mark("tbody", *rows), class_="matrix")
    said = Message(
        "Numbers are {unit}; framed: right answers; the shade is the share of the row.",
        unit=Message("pixels") if masks else Message("pictures"),
    )
    lines = content["per_class"]
    keys = class_columns(lines)
    counted = Message("Pixels") if masks else Message("Pictures")
    by_class = table(
        [Message("Class"), *(counted if key == "n" else find_metric(key).title for key in keys)],
        [[titles[line["name"]], *(_figure(key, line[key]) for key in keys)] for line in lines],
    )
    title = TAKEN_FOR.get(part) or Message("What is taken for what: {part}", part=part)
    return _section(
        title,
        matrix,
        mark("p", said, class_="muted"),
        by_class,
    )


def _cell(count: int, total: int, right: bool) -> Element:
    share = count / total if total else 0.0
    shade = f"background:rgba(0,114,178,{share * 0.55:.2f})"
    return mark("td", Message("{count:,}", count=count), style=shade, class_="right" if right else "wrong")


def _figure(key: str, value: float | None) -> str:
    return Message("{count:,}", count=int(value)) if key == "n" and value is not None else _share(value)


def _gallery(shown: Sequence[Shown]) -> Element:
    figures = [mark("figure", image(one.data, one.said), mark("figcaption", one.caption)) for one in shown]
    return mark("div", *figures, class_="gallery")


def _pairs(pairs: Pairs) -> Piece:
    return table(["", ""], pairs) if pairs else Markup("")


def _settings(settings: Mapping[str, Pairs]) -> list[Piece]:
    return [piece for title, pairs in settings.items() if pairs for piece in (mark("h3", title), _pairs(pairs))]
