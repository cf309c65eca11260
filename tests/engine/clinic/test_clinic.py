"""The puzzle clinic catches each planted fault and is silent on healthy pictures."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from sslstudio.engine.clinic.clinic import Clinic, findings_of, judge
from sslstudio.engine.clinic.run import Examined, examine
from sslstudio.engine.clinic.signs import amount, colour, direction, frame, lens, marks, one_tile, places, start
from sslstudio.engine.clinic.signs.looked import CAREFUL, FINE, UNSUITABLE, Finding, LookedAt
from sslstudio.engine.clinic.signs.sheet import example_sheet
from sslstudio.engine.clinic.signs.simple import interval, right_by_picture
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.config import BaseConfig, with_texts
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.sample.make import make_sample
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.tasks.multitask import MultitaskConfig
from sslstudio.engine.training.config import DataConfig
from tests.support.planted import (
    SIDE,
    aberrated,
    grey,
    landscapes,
    letterboxed,
    looked_at,
    stamped,
    textures,
    vignetted,
)


def task_config(task: str, **options: float | bool | str) -> BaseConfig:
    config: BaseConfig = load_tasks()[task].Config(**options)
    return config


def open_door() -> BaseConfig:
    """Jigsaw with every defence of its tiles off."""
    return task_config("jigsaw", gap=0.0, jitter=0.0, turn=0.0, normalise=False, grey=0.0, chroma_shift=0.0)


def assert_can_be_set(changes: tuple[str, ...], seen: LookedAt) -> None:
    """The changes are ones that a person can make together, and each changes something."""
    sections: dict[str, dict[str, str]] = {}
    for change in changes:
        key, _, value = change.partition("=")
        section, _, name = key.partition(".")
        sections.setdefault(section, {})[name] = value
    for section, texts in sections.items():
        before = {"data": DataConfig(), "encoder": EncoderConfig(), **seen.options}[section]
        after = with_texts(before, texts)
        assert all(getattr(after, name) != getattr(before, name) for name in texts)


def assert_found(finding: Finding, seen: LookedAt, severity: str) -> None:
    assert finding.severity == severity
    assert finding.text.endswith(".")
    assert any(sign.isdigit() for sign in finding.text)  # it says how much
    assert set(finding.examples) <= set(seen.every)
    assert_can_be_set(finding.changes, seen)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> LookedAt:
    """The built-in sample: healthy."""
    folder = tmp_path_factory.mktemp("healthy")
    for _ in make_sample(folder, count=260, side=SIDE, seed=4):
        pass
    files = sorted((folder / "images").rglob("*.png"))
    pixels = np.stack([np.asarray(Image.open(file)) for file in files])
    return looked_at(torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous())


def test_healthy_pictures_are_healthy(sample: LookedAt) -> None:
    clinic = judge(sample, list(findings_of(sample)))
    assert {one.name: one.text for one in clinic.findings if one.severity != FINE} == {}
    assert {clinic.suits(task).word for task in load_tasks()} == {"suitable"}
    assert len({one.name for one in clinic.findings}) == len(clinic.findings)


@pytest.mark.parametrize("sign", [marks.burnt_in, frame.borders, frame.dark_corners, lens.colour_fringes, places.blank])
def test_few_healthy_pictures_raise_no_alarm(sign, sample: LookedAt) -> None:  # type: ignore[no-untyped-def]
    for seed in range(3):
        assert sign(looked_at(textures(24, seed=seed))).severity == FINE
    assert sign(looked_at(sample.images[::9])).severity == FINE


def test_grey_pictures_do_not_suit_colorization() -> None:
    seen = looked_at(grey(textures(40)))
    finding = colour.grey_pictures(seen)
    assert_found(finding, seen, UNSUITABLE)
    clinic = judge(seen, [finding])
    assert clinic.suits("colorization").word == "unsuitable"
    assert "colour" in clinic.suits("colorization").reasons[0]
    assert len(clinic.suits("colorization").reasons) == 1  # not the same sentence twice
    assert clinic.suits("rotation").word == "suitable"


def test_filling_holes_in_grey_pictures_needs_care() -> None:
    """Measured on two grey sets, inpainting gained nothing that could be told, and it was called suitable."""
    seen = looked_at(grey(textures(40)))
    finding = colour.grey_fillings(seen)
    assert_found(finding, seen, CAREFUL)
    clinic = judge(seen, [finding])
    assert clinic.suits("inpainting").word == "careful"
    assert clinic.suits("vicreg").word == "suitable"
    assert colour.grey_fillings(looked_at(textures(40))).severity == FINE


def test_some_grey_pictures_are_named() -> None:
    pictures = textures(40)
    pictures[10:24] = grey(pictures[10:24])
    finding = colour.grey_pictures(looked_at(pictures))
    assert finding.severity == CAREFUL
    assert finding.share == pytest.approx(14 / 40)
    assert set(finding.examples) <= {f"{number:04}.png" for number in range(10, 24)}
    pictures[12:] = textures(40)[12:]
    assert colour.grey_pictures(looked_at(pictures)).severity == FINE  # two of forty


def test_what_to_start_from_goes_by_colour_and_number() -> None:
    pictures = textures(40)
    seen = looked_at(pictures)
    said = start.start_from(seen)
    assert (said.severity, said.tasks, said.counts) == (FINE, (), False)
    assert f"{len(seen.split.train)} pictures to train on, 0%" in said.text
    assert "likely good already" in said.text
    many = replace(seen, split=replace(seen.split, train=("x.png",) * start.MANY))
    assert "may help" in start.start_from(many).text
    pictures[:30] = grey(pictures[:30])
    scans = start.start_from(looked_at(pictures))
    assert scans.share == pytest.approx(0.75)
    assert "then to pretrain on these" in scans.text
    assert "{" not in said.text + scans.text


def test_textures_have_no_up_and_landscapes_have() -> None:
    seen = looked_at(textures(160, seed=2))
    finding = direction.up_and_down(seen)
    assert_found(finding, seen, UNSUITABLE)
    assert judge(seen, [finding]).suits("rotation").word == "unsuitable"
    assert direction.up_and_down(looked_at(landscapes(160))).severity == FINE
    assert direction.up_and_down(looked_at(textures(100))).severity == FINE  # too few to tell


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_a_stamp_in_a_corner_is_found_where_it_is(share: float) -> None:
    seen = looked_at(stamped(textures(100), share))
    finding = marks.burnt_in(seen)
    assert_found(finding, seen, CAREFUL)
    assert finding.share == pytest.approx(share, abs=0.15)
    assert "bottom left" in finding.text
    left, top, right, bottom = finding.boxes[0]
    assert left <= 3 / SIDE and right >= 10 / SIDE and right < 0.4  # noqa: PT018
    assert top <= 43 / SIDE and top > 0.6 and bottom >= 46 / SIDE  # noqa: PT018
    assert int(finding.examples[0][:4]) < share * 100
    assert judge(seen, [finding]).suits("jigsaw").word == "careful"


def test_a_scale_bar_whose_length_differs_is_found() -> None:
    pictures = textures(60)
    for number in range(60):
        pictures[number, :, 43:45, 44 - 8 - number % 9 : 44] = 255
    finding = marks.burnt_in(looked_at(pictures))
    assert finding.severity == CAREFUL
    assert "bottom right" in finding.text


def test_a_stamp_gives_the_turn_away_unless_the_crop_is_round() -> None:
    pictures = stamped(textures(120))
    open_corners = looked_at(pictures, rotation=task_config("rotation", round=False))
    finding = direction.frame_tells(open_corners)
    assert_found(finding, open_corners, CAREFUL)
    assert finding.change_for() == "rotation.round=true"
    assert direction.frame_tells(looked_at(pictures, rotation=task_config("rotation", round=True))).severity == FINE
    assert direction.frame_tells(looked_at(textures(120))).severity == FINE


def test_letterboxes_are_borders_and_their_width_is_told() -> None:
    seen = looked_at(letterboxed(textures(60)))
    finding = frame.borders(seen)
    assert_found(finding, seen, CAREFUL)
    assert finding.share > 0.9
    left, top, right, bottom = finding.boxes[0]
    assert (left, right) == (0.0, 1.0)
    assert [top, bottom] == pytest.approx([5 / SIDE, 1 - 5 / SIDE])
    assert marks.burnt_in(seen).severity == FINE  # a frame line is no stamp


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 15), st.integers(0, 3), st.integers(0, 255))
def test_a_border_is_found_on_each_side(rows: int, turn: int, shade: int) -> None:
    pictures = textures(3).float().mean(dim=1)
    pictures[:, :rows] = shade
    expected = torch.full((3,), rows)
    found = frame.border_widths(torch.rot90(torch.rot90(pictures, turn, (1, 2)), -turn, (1, 2)))
    line = ((pictures[:, rows] - shade).abs() > frame.JUMP).float().mean(dim=1) > frame.ALONG
    torch.testing.assert_close(found, torch.where(line, expected, 0))


def test_a_vignette_darkens_the_corners() -> None:
    seen = looked_at(vignetted(landscapes(60)))
    finding = frame.dark_corners(seen)
    assert_found(finding, seen, CAREFUL)
    assert "darker" in finding.text
    light = looked_at(255 - vignetted(255 - textures(60)))
    assert "brighter" in frame.dark_corners(light).text
    assert frame.dark_corners(light).severity == CAREFUL


@pytest.mark.parametrize(("red", "blue"), [(0.02, -0.02), (-0.015, 0.02), (0.03, 0.0)])
def test_aberration_is_measured(red: float, blue: float) -> None:
    seen = looked_at(aberrated(textures(60), red, blue))
    finding = lens.colour_fringes(seen)
    assert_found(finding, seen, CAREFUL)
    found = lens.channel_scales(seen.shades())
    assert found == pytest.approx((red, blue), abs=0.0051)


def test_where_there_are_no_fringes_none_are_seen() -> None:
    assert lens.channel_scales(looked_at(textures(60)).shades()) == (0.0, 0.0)
    assert lens.colour_fringes(looked_at(grey(aberrated(textures(60), 0.03, 0.0)))).severity == FINE


def one_subject(share: float, count: int = 80, side: int = SIDE) -> Tensor:
    """uint8 (count, 3, side, side): one subject at one place, under `share` of something else."""
    subject = textures(1, side, seed=9).float()
    return ((1 - share) * subject + share * textures(count, side, seed=8).float()).to(torch.uint8)


def with_changes(seen: LookedAt, changes: tuple[str, ...]) -> LookedAt:
    """What the clinic would look at after `changes` are made."""
    options = dict(seen.options)
    for change in changes:
        key, _, value = change.partition("=")
        task, _, name = key.partition(".")
        options[task] = with_texts(options[task], {name: value})
    return LookedAt(**{**vars(seen), "options": options})


def test_a_single_tile_tells_its_place_and_the_clinic_finds_options_that_hide_it() -> None:
    seen = looked_at(one_subject(0.6))
    finding = one_tile.place_told(seen)
    assert_found(finding, seen, CAREFUL)
    assert finding.tasks == ("context_prediction", "jigsaw")
    assert finding.share > 0.4
    assert "guessing: 11 %" in finding.text
    assert finding.ruled_out == ()
    assert finding.changes_for("jigsaw") == ("jigsaw.min_crop_side=0.5", "jigsaw.max_crop_side=0.6")
    after = with_changes(seen, finding.changes)
    assert one_tile.place_told(after).severity == FINE
    assert one_tile.place_told(looked_at(textures(80, seed=8))).severity == FINE


def test_a_task_is_unsuited_where_no_setting_with_tiles_that_show_something_hides_the_place() -> None:
    steps = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    rings = torch.sin(9 * torch.hypot(steps[:, None], steps[None, :]) ** 2).mul(80).add(128)  # the same however turned
    seen = looked_at((0.8 * rings + 0.2 * textures(80, seed=8).float()).to(torch.uint8))
    finding = one_tile.place_told(seen)
    assert_found(finding, seen, UNSUITABLE)
    assert finding.ruled_out == finding.tasks == ("context_prediction", "jigsaw")
    assert finding.changes == ()
    assert "tiles of 12 pixels or more" in finding.text
    assert judge(seen, [finding]).suits("jigsaw").word == "unsuitable"
    assert judge(seen, [finding]).suits("vicreg").word == "suitable"


def test_one_task_may_be_mended_and_the_other_not() -> None:
    finding = Finding(
        name="centred", title="T", text="1.", severity=CAREFUL, tasks=("jigsaw", "context_prediction"),
        changes=("jigsaw.turn=180.0",), ruled_out=("context_prediction",),
    )  # fmt: skip
    clinic = judge(looked_at(textures(4)), [finding])
    assert clinic.suits("jigsaw").word == "careful"
    assert clinic.suits("context_prediction").word == "unsuitable"
    assert finding.changes_for("jigsaw") == ("jigsaw.turn=180.0",)
    assert finding.changes_for("context_prediction") == ()
    assert finding.change_for("context_prediction") == ""


def test_tiles_are_not_taken_from_fewer_pixels_than_a_run_would_read() -> None:
    seen = looked_at(one_subject(0.2))  # files of 200 pixels, looked at in 48: a run may read them at 96
    assert seen.finest_side == 2 * SIDE
    assert LookedAt(**{**vars(seen), "side_given": True}).finest_side == SIDE
    assert LookedAt(**{**vars(seen), "sizes": np.full((80, 2), 60, np.int32)}).finest_side == 60
    for task in ("jigsaw", "context_prediction"):
        kind, told = load_tasks()[task], one_tile.ask_single_tiles(seen, task, seen.options[task])
        mended = one_tile.hide_places(seen, task, told)
        assert kind.least_tile(mended.options) * seen.finest_side >= 12 - 1e-6
        assert mended.share < told.share


def test_where_nothing_has_its_place_there_is_no_arrangement_to_learn() -> None:
    seen = looked_at(textures(200, seed=8))
    finding = one_tile.place_told(seen)
    assert finding.name == one_tile.SCATTERED
    assert finding.severity == CAREFUL
    assert judge(seen, [finding]).suits("jigsaw").word == CAREFUL
    assert judge(seen, [finding]).suits("vicregl").word == "suitable"
    assert one_tile.place_told(looked_at(landscapes(200, seed=8))).severity == FINE


def test_blank_tiles_are_counted() -> None:
    pictures = textures(30)
    pictures[:, :, : SIDE // 3] = 0  # three ninths of each
    seen = looked_at(pictures)
    finding = places.blank(seen)
    assert_found(finding, seen, CAREFUL)
    assert finding.share == pytest.approx(1 / 3)
    pictures[:, :, : 2 * SIDE // 3] = 0
    assert places.blank(looked_at(pictures)).severity == UNSUITABLE
    assert judge(looked_at(pictures), []).suits("jigsaw").word == "unsuitable"  # the task refuses by itself


def test_tiles_without_a_gap_fit_together() -> None:
    pictures = textures(60)
    seen = looked_at(pictures, jigsaw=open_door())
    finding = places.edges(seen)
    assert_found(finding, seen, CAREFUL)
    assert finding.tasks == ("jigsaw",)
    assert finding.share > 0.8
    assert places.edges(looked_at(pictures)).severity == FINE


def test_context_prediction_without_a_gap_is_found_too() -> None:
    options = task_config("context_prediction", gap=0.0, jitter=0.0, turn=0.0, degrade=0.0, colour="keep")
    seen = looked_at(textures(60), context_prediction=options)
    finding = places.edges(seen)
    assert_found(finding, seen, CAREFUL)
    assert finding.change_for() == "context_prediction.gap=0.25"


def test_copies_across_the_split_are_told() -> None:
    seen = looked_at(textures(50), copies=((3, 45), (7, 8)))
    finding = amount.copies(seen)
    assert_found(finding, seen, CAREFUL)
    assert finding.examples == ("0045.png", "0003.png")
    assert "4 of 50" in finding.text
    assert "1 of 10" in finding.text
    clinic = judge(seen, [finding])
    assert clinic.concerning("jigsaw") == [finding]
    assert clinic.suits("jigsaw").word == "suitable"  # copies spoil the result, whatever the task
    assert amount.copies(looked_at(textures(50))).severity == FINE


def test_groups_in_the_names_answer_copies() -> None:
    seen = looked_at(textures(40), copies=((0, 39),))
    every = tuple(f"patient{number % 10}_{number}.png" for number in range(40))
    every = (*every[:39], "patient0_39.png")
    split = type(seen.split)(train=every[:20], validation=(), test=every[20:])
    renamed = LookedAt(**{**vars(seen), "every": every, "paths": every, "split": split})
    finding = amount.copies(renamed)
    assert finding.change_for() == "data.groups=name:(patient[_-]?\\d+)"
    assert_can_be_set((finding.change_for(),), renamed)


@pytest.mark.parametrize(("count", "severity"), [(300, FINE), (150, CAREFUL), (40, UNSUITABLE)])
def test_few_pictures(count: int, severity: str) -> None:
    seen = looked_at(textures(1).expand(count, -1, -1, -1))
    finding = amount.few_pictures(seen)
    assert_found(finding, seen, severity)


def test_small_pictures() -> None:
    seen = looked_at(textures(10, side=32))
    finding = amount.small_pictures(seen)  # the files are large
    assert_found(finding, seen, CAREFUL)
    assert finding.change_for() == "data.side=96"
    tiny = LookedAt(**{**vars(seen), "sizes": np.full((10, 2), 32, np.int32)})
    assert_found(amount.small_pictures(tiny), tiny, CAREFUL)
    assert amount.small_pictures(looked_at(textures(10))).severity == FINE


def finding_with(severity: str, *tasks: str) -> Finding:
    return Finding(name=severity, title="T", text=f"{severity} 1.", severity=severity, tasks=tasks)


def test_several_tasks_at_once_are_as_good_as_their_parts_but_never_ruled_out_by_one() -> None:
    options = {task: load_tasks()[task].Config() for task in load_tasks()}
    options["multitask"] = MultitaskConfig(tasks=("jigsaw", "context_prediction", "rotation"))
    clinic = Clinic((finding_with(UNSUITABLE, "rotation"), finding_with(CAREFUL, "jigsaw")), {}, options)
    words = {task: clinic.suits(task).word for task in options}
    assert words["rotation"] == "unsuitable"
    assert words["jigsaw"] == words["multitask"] == "careful"
    assert words["colorization"] == "suitable"
    assert clinic.suits("multitask").reasons == ("unsuitable 1.", "careful 1.")  # worst first
    assert clinic.to_json()["tasks"]["rotation"] == {"suits": "unsuitable", "reasons": ["unsuitable 1."]}


def test_the_linear_look_learns_what_is_there_and_nothing_else() -> None:
    rng = generator(0, "look")
    picture = torch.arange(60).repeat_interleave(3)
    classes = torch.arange(3).repeat(60)
    noise = torch.randn(180, 5, generator=rng)
    assert float(right_by_picture(noise + 6 * torch.eye(3, 5)[classes], classes, picture, rng).mean()) > 0.95
    mean, low, high = interval(right_by_picture(noise, classes, picture, rng))
    assert low < 1 / 3 < high
    assert low < mean < high


def test_what_is_learnt_from_a_picture_is_not_asked_about_it() -> None:
    rng = generator(1, "look")
    names = torch.randn(40, 30, generator=rng).repeat_interleave(2, dim=0)  # the picture can be recognised
    classes = torch.randint(2, (40,), generator=rng).repeat_interleave(2)  # and has a class of its own by chance
    right = right_by_picture(names, classes, torch.arange(40).repeat_interleave(2), rng)
    assert float(right.mean()) < 0.75


def write(pictures: Tensor, folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(folder / f"{number:04}.png")


def examined(folder: Path, **options: BaseConfig) -> Examined:
    found: list[Examined] = []

    def passing() -> Iterator[Preparing]:
        found.append((yield from examine(DataConfig(folder=str(folder), side=SIDE), options, RunControl())))

    stages = [event.stage for event in passing()]
    assert stages[-1] == "Looking at the pictures"
    return found[0]


def test_a_folder_with_copies_is_examined_and_its_examples_are_saved(tmp_path: Path) -> None:
    pictures = stamped(textures(70))
    write(pictures, tmp_path / "set")
    again = [Image.fromarray(picture.permute(1, 2, 0).numpy()) for picture in pictures[:10]]
    for number, picture in enumerate(again):  # the copies are JPEGs of another size
        picture.resize((60, 60)).save(tmp_path / "set" / f"copy{number}.jpg", quality=70)
    found = examined(tmp_path / "set")
    by_name = {one.name: one for one in found.clinic.findings}
    assert by_name["copies"].severity == CAREFUL
    assert "20 of 80" in by_name["copies"].text
    saved = {path.name: path for path in found.save_examples(tmp_path / "out")}
    assert {"copies.png", "marks.png", "copies.csv"} <= set(saved)
    rows = saved["copies.csv"].read_text(encoding="utf-8-sig").splitlines()
    assert rows[:3] == ["group,file", "1,0000.png", "1,copy0.jpg"]
    assert len(rows) == 21
    sheet = np.asarray(Image.open(saved["marks.png"]).convert("RGB"))
    assert (sheet == (213, 94, 0)).all(axis=2).any()  # the stamp is outlined


def test_a_sheet_of_one_example() -> None:
    finding = Finding(name="n", title="t", text="x", examples=("a",), boxes=((0.0, 0.0, 0.5, 0.5),))
    sheet = example_sheet(finding, [textures(1)[0]])
    assert sheet.shape[0] >= 192
    assert sheet.shape[2] == 3


def test_the_clinic_can_be_stopped(tmp_path: Path) -> None:
    write(textures(12), tmp_path / "set")
    control = RunControl()
    events = examine(DataConfig(folder=str(tmp_path / "set"), side=SIDE), {}, control)
    for event in events:
        if event.stage == "Comparing the pictures":
            control.stop()
            break
    with pytest.raises(RunError, match="Stopped"):
        list(events)
