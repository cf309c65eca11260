"""What is recognised in folders as people have them."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import ConfigError, DataError
from sslstudio.engine.images.index import ImageIndex, scan
from sslstudio.engine.labels.editing.start import begin
from sslstudio.engine.labels.masks.decode import decode_mask
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.labels.types import Recognised

Make = Callable[..., Recognised]


def write(root: Path, paths: Iterable[str]) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")


def write_mask(root: Path, path: str, number: int = 1) -> None:
    values = np.zeros((8, 8), np.uint8)
    values[2:5, 2:5] = number
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(root / path)


@pytest.fixture
def seen(tmp_path: Path) -> Make:
    """Writes empty pictures and small masks, and recognises the folder."""

    def make(pictures: Iterable[str], masks: Iterable[str] = (), **texts: str) -> Recognised:
        write(tmp_path, pictures)
        for mask in masks:
            write_mask(tmp_path, mask)
        for name, text in texts.items():
            (tmp_path / f"{name}.csv").write_text(text)
        return recognise(scan(tmp_path))

    return make


def named(found: Recognised) -> dict[str, str]:
    assert found.classes is not None
    return {path: found.classes.names[label] for path, label in found.classes.of.items()}


# Class folders


def test_class_folders_in_natural_order(seen: Make) -> None:
    found = seen(f"stage {n}/{i}.png" for n in (10, 2, 1) for i in range(3))
    assert found.classes is not None
    assert found.classes.found_in == "class folders"
    assert found.classes.names == ("stage 1", "stage 2", "stage 10")
    assert named(found)["stage 10/0.png"] == "stage 10"
    assert (found.masks, found.given_split, found.notes) == (None, {}, ())


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "Testing"), ("training_images", "test images")])
def test_folders_for_parts_are_taken_away(seen: Make, names: tuple[str, str]) -> None:
    found = seen(f"{part}/{kind}/{i}.png" for part in names for kind in ("cat", "dog") for i in range(3))
    assert set(named(found).values()) == {"cat", "dog"}
    assert found.given_split[f"{names[0]}/cat/0.png"] == "train"
    assert found.given_split[f"{names[1]}/dog/0.png"] == "test"


def test_parts_may_lie_below_the_classes_or_below_images(seen: Make) -> None:
    found = seen(
        f"images/{kind}/{part}/{i}.png" for kind in ("cat", "dog") for part in ("train", "val", "test") for i in "12"
    )
    assert named(found)["images/dog/val/1.png"] == "dog"
    assert found.given_split["images/dog/val/1.png"] == "validation"


def test_a_part_without_labels_is_for_pretraining(seen: Make) -> None:
    found = seen([*(f"train/{kind}/{i}.png" for kind in "ab" for i in range(3)), "test/1.png", "test/2.png"])
    assert len(named(found)) == 6
    assert set(found.given_split.values()) == {"train"}
    assert "test have no labels" in found.notes[0]


def test_a_flat_folder_has_no_classes(seen: Make) -> None:
    found = seen(f"{i}.png" for i in range(5))
    assert (found.classes, found.masks, found.notes) == (None, None, ())


@pytest.mark.parametrize("name", ["unlabelled", "Unlabeled", "unsorted", "UNKNOWN"])
def test_some_folders_mean_no_label(seen: Make, name: str) -> None:
    found = seen([f"{folder}/{i}.png" for folder in ("a", "b", name) for i in range(3)])
    assert set(named(found).values()) == {"a", "b"}
    assert found.classes is not None
    assert found.classes.notes == ("3 pictures in no class folder: without a label.",)


def test_a_folder_a_picture_is_no_class(seen: Make) -> None:
    found = seen(f"scan {i}/head.png" for i in range(8))
    assert found.classes is None
    assert "8 folders (scan 0, scan 1, scan 2 ...) were not taken as classes" in found.notes[0]


def test_folders_named_like_patients_are_no_classes(seen: Make) -> None:
    found = seen(f"patient_{p}/{i}.png" for p in range(3) for i in range(9))
    assert found.classes is None
    assert "named like patients" in found.notes[0]


def test_patients_below_classes_are_seen_through(seen: Make) -> None:
    found = seen(f"{kind}/patient{p}/{i}.png" for kind in ("tumour", "none") for p in range(3) for i in range(4))
    assert set(named(found).values()) == {"tumour", "none"}


def test_one_folder_is_no_classes(seen: Make) -> None:
    assert seen(f"cats/{i}.png" for i in range(5)).classes is None


@pytest.mark.parametrize(
    "below",
    [
        [f"P{n:03}" for n in range(6)],
        ["2024-01-02", "2024-02-11", "2024-03-05"],
        ["40X", "100X", "400X"],
        [f"{n:05}" for n in range(117, 121)],
        ["TCGA-AB-1234", "TCGA-AC-1200", "TCGA-B2-7777"],
        ["raw"],
        [f"{n}" for n in range(1, 13)],
        ["2021-01", "2021-02", "2021-05"],
        ["day1", "day2", "day7"],
    ],
)
def test_patients_dates_and_magnifications_below_classes_are_groups(seen: Make, below: list[str]) -> None:
    found = seen(f"{kind}/{name}/{i}.png" for kind in ("tumour", "normal") for name in below for i in range(4))
    assert set(named(found).values()) == {"tumour", "normal"}
    role = next(one for one in found.roles if one.path.startswith("tumour/"))
    assert role.role == ("pictures" if below == ["raw"] else "group")


def test_grades_below_organs_stay_the_classes(seen: Make) -> None:
    found = seen(f"{organ}/{grade}/{i}.png" for organ in ("lung", "liver") for grade in "01234" for i in range(4))
    assert set(named(found).values()) == set("01234")


def test_masks_of_decomposed_names_are_found(seen: Make) -> None:
    found = seen([f"images/Ba\u0308r {i}.png" for i in range(4)], [f"masks/B\u00e4r {i}.png" for i in range(4)])
    assert found.masks is not None
    assert len(found.masks.of) == 4


def test_digits_below_numbered_patients_stay_the_classes(seen: Make) -> None:
    found = seen(f"{patient}/{kind}/{i}.png" for patient in (10253, 10254, 10255) for kind in "01" for i in range(4))
    assert set(named(found).values()) == {"0", "1"}


def test_names_that_differ_in_case_or_unicode_form_only_are_one_class(seen: Make) -> None:
    found = seen(f"{folder}/{i}.png" for folder in ("a/Cat", "b/cat", "a/B\u00e4r", "b/Ba\u0308r") for i in range(3))
    assert set(named(found).values()) == {"Cat", "B\u00e4r"}
    assert found.classes is not None
    assert sum("same class as" in note for note in found.classes.notes) == 2


def test_a_choice_overrides_what_was_guessed(tmp_path: Path) -> None:
    write(tmp_path, [f"{kind}/P{n:03}/{i}.png" for kind in ("a", "b") for n in range(4) for i in range(4)])
    index = scan(tmp_path)
    assert set(named(recognise(index)).values()) == {"a", "b"}
    chosen = recognise(index, roles={"*/*": "class"})
    assert set(named(chosen).values()) == {"P000", "P001", "P002", "P003"}
    assert next(one for one in chosen.roles if one.path == "a/P000").chosen
    grouped = recognise(index, roles={"*/*": "group"})
    assert set(named(grouped).values()) == {"a", "b"}
    assert grouped.groups["a/P001/0.png"] == "P001"
    without = recognise(index, roles={"a": "ignore"})
    assert len(without.pictures) == 16
    assert any("16 files in a left out" in note for note in without.notes)
    assert any("gone" in note for note in recognise(index, roles={"gone": "masks"}).notes)
    with pytest.raises(ConfigError, match="names no role"):
        recognise(index, roles={"a": "mask"})


def test_small_copies_and_pictures_drawn_over_are_left_out(seen: Make) -> None:
    found = seen([f"{folder}/{i}.png" for folder in ("cat", "dog", "thumbs") for i in range(6)])
    assert set(named(found).values()) == {"cat", "dog"}
    assert next(one for one in found.roles if one.path == "thumbs").role == "ignore"


def test_what_was_predicted_into_the_folder_is_no_label(seen: Make, tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text("{}")
    table = "file,predicted,confidence,p_a,p_b\n" + "\n".join(f"{i}.png,{'ab'[i % 2]},0.9,0.9,0.1" for i in range(9))
    found = seen([f"{i}.png" for i in range(9)], [f"masks/{i}.png.png" for i in range(9)], predictions=table)
    assert (found.classes, found.masks, len(found.pictures)) == (None, None, 9)
    roles = {one.path: one.role for one in found.roles}
    assert (roles["masks"], roles["predictions.csv"]) == ("own", "own")
    assert any("predictions.csv was not taken" in note for note in found.notes)


# CSV


def test_a_table_in_the_folder_wins_over_class_folders(seen: Make) -> None:
    paths = [f"{folder}/{i}.png" for folder in "ab" for i in range(4)]
    rows = "\n".join(f"{path},{'odd' if place % 2 else 'even'}" for place, path in enumerate(paths))
    found = seen(paths, labels=rows, other="x,y\n1,2\n")
    assert found.classes is not None
    assert found.classes.found_in == "CSV file labels.csv"
    assert found.classes.names == ("even", "odd")
    assert any("class folders too" in note for note in found.classes.notes)
    roles = {one.path: (one.role, one.reason) for one in found.roles}
    assert roles["a"] == ("pictures", "The classes come from the CSV file labels.csv.")
    assert roles["labels.csv"][0] == "labels"
    other = recognise(found.pictures, roles={"*": "class"})
    assert set(named(other).values()) == {"a", "b"}
    assert {one.path: one.role for one in other.roles}["labels.csv"] == "other"


def test_a_table_of_something_else_is_passed_over(seen: Make) -> None:
    found = seen([f"{folder}/{i}.png" for folder in "ab" for i in range(4)], prices="apple,1\npear,2\n")
    assert found.classes is not None
    assert found.classes.found_in == "class folders"


def test_a_contradiction_stops_but_a_list_of_objects_is_passed_over(seen: Make) -> None:
    paths = [f"{i}.png" for i in range(30)]
    rows = [f"{path},{'ab'[place % 2]}" for place, path in enumerate(paths)]
    found = seen(paths, boxes="\n".join([*rows, *(row[:-1] + "c" for row in rows)]))
    assert found.classes is None
    assert "boxes.csv was not taken" in found.notes[0]
    slip = seen((), boxes="\n".join([*rows, "0.png,b"]))  # to predict or to pretrain no labels are needed
    assert slip.classes is None
    assert "boxes.csv gives 0.png two labels" in slip.notes[0]
    assert "two labels" in str(slip.problems["classes"])


def test_a_labels_file_that_is_asked_for_must_work(tmp_path: Path) -> None:
    write(tmp_path, ["a.png", "b.png"])
    with pytest.raises(DataError, match="cannot be read"):
        recognise(scan(tmp_path), "nothere.csv")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "mine.txt").write_text("a.png;x\nb.png;y\n")
    assert named(recognise(scan(tmp_path), "sub/mine.txt")) == {"a.png": "x", "b.png": "y"}
    assert named(recognise(scan(tmp_path), str(tmp_path / "sub" / "mine.txt"))) == {"a.png": "x", "b.png": "y"}


# Masks


@pytest.mark.parametrize(
    ("picture", "mask"),
    [
        ("images/{}.jpg", "masks/{}.png"),
        ("IMGS/{}.png", "Ground_Truth/{}.png"),
        ("photos/{}.png", "seg/{}.png"),
        ("images/{}.png", "labels/{}_mask.png"),
        ("images/image_{}.png", "masks/mask_{}.png"),
        ("{}.png", "masks/{}.png"),
        ("train/images/{}.png", "train/masks/{}.png"),
        ("images/train/{}.png", "masks/train/{}.png"),
        ("train_images/{}.jpg", "train_masks/{}.png"),
        ("train/{}.jpg", "train_masks/{}_mask.png"),
        ("{}.jpg", "{}_mask.png"),
        ("a/{}.png", "a/{}-gt.png"),
        ("{}.png", "{}_Segmentation.png"),
    ],
)
def test_pairs_of_pictures_and_masks(seen: Make, picture: str, mask: str) -> None:
    found = seen([picture.format(f"s{i}") for i in range(4)], [mask.format(f"s{i}") for i in range(4)])
    assert found.masks is not None
    assert found.masks.of == {picture.format(f"s{i}"): mask.format(f"s{i}") for i in range(4)}
    assert found.pictures.paths == [picture.format(f"s{i}") for i in range(4)]
    assert found.masks.names == ("background", "object")
    assert found.masks.notes == ()


def test_classes_and_masks_at_once_give_the_masks_their_names(tmp_path: Path) -> None:
    for number, kind in enumerate(("zebra", "ant"), 1):
        write(tmp_path, [f"images/{kind}/{i}.jpg" for i in range(3)])
        for i in range(3):
            write_mask(tmp_path, f"masks/{kind}/{i}.png", number)
    found = recognise(scan(tmp_path))
    assert set(named(found).values()) == {"ant", "zebra"}
    assert found.masks is not None
    assert found.masks.names == ("background", "zebra", "ant")
    write_mask(tmp_path, "masks/ant/0.png", 1)
    other = recognise(scan(tmp_path)).masks
    assert other is not None
    assert other.names == ("background", "class 1", "class 2")


def test_missing_and_lonely_masks_are_named(seen: Make) -> None:
    found = seen([f"images/{i}.png" for i in range(5)], [f"masks/{i}.png" for i in range(2, 9)])
    assert found.masks is not None
    assert len(found.masks.of) == 3
    assert len(found.pictures) == 5
    assert "2 pictures without a mask." in found.masks.notes
    assert "4 masks without a picture: masks/5.png, masks/6.png, masks/7.png." in found.masks.notes


def test_several_masks_of_a_picture_leave_the_first(seen: Make) -> None:
    found = seen(["a.png", "b.png"], ["a_mask.png", "a_mask_1.png", "b_mask.png"])
    assert found.masks is not None
    assert found.masks.of == {"a.png": "a_mask.png", "b.png": "b_mask.png"}
    assert found.pictures.paths == ["a.png", "b.png"]


def test_photographs_in_a_masks_folder_stay_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(3):
        for folder in ("images", "gt"):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(tmp_path / folder / f"{i}.png")
    found = recognise(scan(tmp_path))
    assert found.masks is None
    assert len(found.pictures) == 6
    assert "look like photographs" in found.notes[0]


def test_people_with_and_without_a_face_mask_are_classes(seen: Make) -> None:
    found = seen(f"{kind}/{i}.png" for kind in ("with_mask", "without_mask") for i in range(4))
    assert found.masks is None
    assert set(named(found).values()) == {"with_mask", "without_mask"}


def test_names_that_only_sound_like_masks_are_pictures(seen: Make) -> None:
    found = seen(["mask_1.png", "mask_2.png", "segment.png", "label12.png"])
    assert found.masks is None
    assert len(found.pictures) == 4


def test_a_large_folder_is_recognised_quickly(tmp_path: Path) -> None:
    write(tmp_path, ["a/0.png", "b/0.png"])
    many = [f"{kind}/{i:05}.png" for kind in "abcde" for i in range(4000)]
    found = recognise(ImageIndex.of(tmp_path, many))
    assert len(named(found)) == 20_000


def test_parts_and_groups_of_a_table_hold_for_labels_from_elsewhere(tmp_path: Path) -> None:
    paths = [f"{i}.png" for i in range(12)]
    write(tmp_path, paths)
    rows = [f"{path},{('train', 'test')[i % 2]},p{i // 4},{'ab'[i // 2 % 2]}" for i, path in enumerate(paths)]
    (tmp_path / "table.csv").write_text("file,split,patient,kind\n" + "\n".join(rows))
    found = recognise(scan(tmp_path), roles={"table.csv:patient": "group"})
    assert set(found.given_split.values()) == {"train", "test"}
    assert found.groups["5.png"] == "p1"
    made = tmp_path.parent / f"{tmp_path.name}-made"
    to_end(begin(made, found))
    again = recognise(scan(tmp_path), str(made), {"table.csv:patient": "group"})
    assert (again.classes and again.classes.of, again.given_split, again.groups) == (
        found.classes and found.classes.of, found.given_split, found.groups,
    )  # fmt: skip


def _photo(root: Path, path: str, seed: int) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)).save(root / path)


def test_masks_that_all_are_alike_give_way_to_those_that_mark_something(tmp_path: Path) -> None:
    """Pictures of a round field come with a mask of the field beside what somebody drew."""
    field = np.zeros((24, 32), np.uint8)
    field[2:22, 4:28] = 255
    for number in range(6):
        _photo(tmp_path, f"images/{number}_test.png", number)
        drawn = np.zeros((24, 32), np.uint8)
        drawn[4:12, 3 + 3 * number : 9 + 3 * number] = 255
        for folder, name, values in (
            ("mask", f"{number}_test_mask", field),
            ("1st_manual", f"{number}_manual1", drawn),
        ):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(values).save(tmp_path / folder / f"{name}.gif")
    found = recognise(scan(tmp_path))
    assert found.masks is not None
    assert len(found.pictures) == 6
    assert found.masks.of["images/3_test.png"] == "1st_manual/3_manual1.gif"
    told = {one.path: one.role for one in found.roles}
    assert (told["1st_manual"], told["mask"]) == ("masks", "ignore")
    chosen = recognise(scan(tmp_path), roles={"mask": "masks"})
    assert chosen.masks is not None
    assert chosen.masks.of["images/3_test.png"] == "mask/3_test_mask.gif"


def test_a_stack_of_labels_beside_a_stack_of_pictures_is_no_picture(tmp_path: Path) -> None:
    _photo(tmp_path, "train-volume.tif", 0)
    _photo(tmp_path, "test-volume.tif", 1)
    labels = np.zeros((24, 32), np.uint8)
    labels[4:12, 5:20] = 255
    Image.fromarray(labels).save(tmp_path / "train-labels.tif")
    found = recognise(scan(tmp_path))
    assert found.pictures.paths == ["test-volume.tif", "train-volume.tif"]
    assert {one.path: one.role for one in found.roles}["train-labels.tif"] == "masks"


def test_views_below_patients_are_no_classes(seen: Make) -> None:
    found = seen(f"patient{p:02}/{view}/{n}.png" for p in range(4) for view in ("axial", "coronal") for n in range(3))
    assert found.classes is None
    assert "named like the views of one examination" in " ".join(found.notes)


def test_views_that_are_classes_stay_classes(seen: Make) -> None:
    found = seen(f"{view}/{n}.png" for view in ("axial", "coronal") for n in range(4))
    assert found.classes is not None
    assert found.classes.names == ("axial", "coronal")


@pytest.mark.parametrize(
    ("head", "row", "role"),
    [
        ("Datei;Befund;Gruppe", "{n}.png;{ab};P{third}", ("Gruppe", "group")),
        ("image;findings;Patient ID", "{n}.png;{several};{third}", ("findings", "several")),
        ("filename;bone_age;male", "{n}.png;{measure};{yes}", ("male", "ignore")),
        ("Datei;Klasse;Aufteilung", "{n}.png;{ab};{part}", ("Aufteilung", "part")),
    ],
)
def test_columns_in_other_words(head: str, row: str, role: tuple[str, str], seen: Make) -> None:
    lines = [
        row.format(n=n, ab="ab"[n % 2], third=n // 3, several=["none", "Effusion|Mass", "Mass"][n % 3],
                   measure=37 + n * 11 % 190, yes=bool(n % 2), part=("Training", "Validierung")[n % 3 == 0])
        for n in range(30)
    ]  # fmt: skip
    found = seen((f"{n}.png" for n in range(30)), table="\n".join([head, *lines]))
    told = {one.path: one.role for one in found.roles}
    assert told[f"table.csv:{role[0]}"] == role[1]
    if role[1] in ("several", "ignore"):
        assert found.classes is None


def test_a_folder_of_masks_a_picture_is_one_mask(tmp_path: Path) -> None:
    for number in range(4):
        _photo(tmp_path, f"train/x{number}/images/x{number}.png", number)
        for part in range(3):
            one = np.zeros((24, 32), np.uint8)
            one[2 + 7 * part : 6 + 7 * part, 3 : 9 + number] = 255
            (tmp_path / f"train/x{number}/masks").mkdir(exist_ok=True)
            Image.fromarray(one).save(tmp_path / f"train/x{number}/masks/{number * 7919 + part:x}.png")
    for _ in range(2):  # made, and found again
        found = recognise(scan(tmp_path))
        assert found.masks is not None
        assert found.classes is None
        assert len(found.pictures) == 4
        mask = decode_mask(Path(found.masks.of["train/x2/images/x2.png"]), found.masks.coding, None)
        assert mask.sum() == 3 * 4 * 8
    assert found.masks is not None
    assert {one.path: one.count for one in found.roles}["train/*/masks"] == 12
    assert "12 masks of single objects were put together" in " ".join(found.masks.notes)


def test_one_mask_of_several_pictures_of_a_case(tmp_path: Path) -> None:
    for case in range(3):
        for number, kind in enumerate(("t1", "t2", "flair")):
            _photo(tmp_path, f"c{case}/c{case}_{kind}.png", 3 * case + number)
        mask = np.zeros((24, 32), np.uint8)
        mask[4:12, 5 : 15 + case] = 1
        Image.fromarray(mask).save(tmp_path / f"c{case}/c{case}_seg.png")
    found = recognise(scan(tmp_path))
    assert found.masks is not None
    assert len(found.pictures) == 9
    assert found.masks.of["c1/c1_t2.png"] == "c1/c1_seg.png"
    assert {one.path: one.role for one in found.roles}["c1/*_seg.png"] == "masks"


def test_files_that_may_hold_labels_and_are_not_read_are_named(seen: Make, tmp_path: Path) -> None:
    (tmp_path / "regions.json").write_text('{"a.jpg1": {"regions": []}}')
    found = seen(["a.jpg", "b.jpg"])
    assert "1 .json file was not read: if it holds labels" in " ".join(found.notes)


def test_trimaps_below_annotations_are_masks_and_most_pixels_are_background(tmp_path: Path) -> None:
    for number in range(4):
        _photo(tmp_path, f"images/cat_{number}.jpg", number)
        values = np.full((24, 32), 2, np.uint8)
        values[5:13, 4:20], values[4, 4:20] = 1, 3
        (tmp_path / "annotations/trimaps").mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(tmp_path / f"annotations/trimaps/cat_{number}.png")
    found = recognise(scan(tmp_path))
    assert found.masks is not None
    assert found.masks.coding.values == (2, 1, 3)
    assert list(map(str, found.masks.names)) == ["background", "class 1", "class 3"]
