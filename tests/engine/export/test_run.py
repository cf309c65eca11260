"""Networks that were taken away answer as those of the run."""

import importlib.util
import json
import runpy
from pathlib import Path
from typing import TypeVar

import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torchvision.models import resnet18, resnet50

from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.export import formats as export_formats
from sslstudio.engine.export import run as export_run_module
from sslstudio.engine.export import use_it
from sslstudio.engine.export.formats import Embedding, Exportable, write_export
from sslstudio.engine.export.run import Exported, encoder_facts, export_run
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.images.formats.decode import decode
from sslstudio.engine.images.formats.wanted import channels_suffix
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.models.finetuned import PixelScale

R = TypeVar("R")


def exported(run: Path, out: Path, form: str = "all") -> Exported:
    return to_end(export_run(run, out, form, RunControl()))


def test_a_classification_is_taken_away_whole(classified: Path, sample_folder: Path, tmp_path: Path) -> None:
    done = exported(classified, tmp_path / "out")
    names = {one.file for one in done.files}
    assert names == {f"{name}{suffix}" for name in ("encoder", "model") for suffix in export_formats.SUFFIXES.values()}
    assert all(one.pictures == 8 and one.greatest <= 1e-4 * one.size for one in done.files)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*names, "card.json", "use_it.py"}
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode  # others may read it, as usual
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    plan = json.loads((classified / "plan.json").read_text())
    assert card["classes"] == plan["classes"]
    assert card["task"]["name"] == "jigsaw"
    assert card["result"]["n_test"] == json.loads((classified / "metrics.json").read_text())["n_test"]
    assert str(sample_folder) not in json.dumps(card)
    trained = load_trained(classified, "cpu")
    assert card["normalisation"]["mean"] == pytest.approx(trained.predictor.network.scale.mean.flatten().tolist())


def test_the_snippet_runs_by_itself_and_says_what_the_program_says(
    classified: Path, sample_folder: Path, tmp_path: Path
) -> None:
    exported(classified, tmp_path / "out")
    picture = sorted((sample_folder / "images").rglob("*.*"))[0]
    alone = runpy.run_path(str(tmp_path / "out" / "use_it.py"))
    lines = alone["main"](tmp_path / "out", picture)
    assert len(lines) == 3
    ours = torch.from_numpy(decode(picture, 32)).permute(2, 0, 1)[None].float() / 255
    prepared = alone["prepare"](picture, 32)
    assert np.abs(prepared - ours.numpy()).max() < 1e-6
    with torch.no_grad():
        wanted = load_trained(classified, "cpu").predictor.chances(ours)
    told = alone["ask_onnx"](tmp_path / "out" / "model.onnx", prepared)
    assert np.abs(told - wanted.numpy()).max() < 1e-4
    embedding = alone["embed"](alone["load_encoder"](tmp_path / "out"), prepared, alone["read_card"](tmp_path / "out"))
    assert np.abs(embedding - alone["ask_onnx"](tmp_path / "out" / "encoder.onnx", prepared)).max() < 1e-3


def test_masks_come_out_of_onnx_as_probabilities(segmented: Path, tmp_path: Path) -> None:
    exported(segmented, tmp_path / "out", "onnx")
    pictures = np.random.default_rng(0).random((3, 3, 32, 32), np.float32)
    chances = use_it.ask_onnx(tmp_path / "out" / "model.onnx", pictures)
    assert chances.shape[0] == 3
    assert chances.shape[2:] == (32, 32)
    assert np.abs(chances.sum(1) - 1).max() < 1e-4


def test_a_pretraining_gives_its_encoder_with_whole_picture_statistics(pretrained: Path, tmp_path: Path) -> None:
    done = exported(pretrained, tmp_path / "out", "safetensors")
    assert [one.file for one in done.files] == ["encoder.safetensors"]
    kept = load_file(pretrained / "last.safetensors")
    taken = load_file(tmp_path / "out" / "encoder.safetensors")
    assert torch.equal(taken["layer4.0.conv2.weight"], kept["model.encoder.layer4.0.conv2.weight"])
    assert not torch.equal(taken["bn1.running_mean"], kept["model.encoder.bn1.running_mean"])  # puzzles' statistics


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("small", "tiny"), ("small", "large"), ("resnet18", "small"),
        ("efficientnet_lite0", "tiny"), ("efficientnet_lite0", "small"), ("efficientnet_lite0", "large"),
    ],
)  # fmt: skip
def test_the_snippets_network_computes_the_same(name: str, stem: str) -> None:
    config = EncoderConfig(name=name, stem=stem)
    encoder = build_encoder(config, 3).eval()
    twin = use_it.build_encoder(encoder_facts(config))
    twin.load_state_dict(encoder.state_dict())
    pictures = torch.rand(2, 3, 40, 40)
    with torch.no_grad():
        assert torch.allclose(twin(pictures), encoder(pictures), atol=1e-5)


@pytest.mark.parametrize(("name", "make"), [("resnet18", resnet18), ("resnet50", resnet50)])
def test_large_stems_load_into_torchvisions_own_makers(name: str, make: type) -> None:
    with torch.device("meta"):  # names and shapes without weights
        ours = build_encoder(EncoderConfig(name=name, stem="large"), 0).state_dict()
        theirs = make(weights=None).state_dict()
    assert set(theirs) - set(ours) == {"fc.weight", "fc.bias"}
    assert all(tensor.shape == theirs[key].shape for key, tensor in ours.items())


@pytest.mark.parametrize("name", ["small", "resnet50"])
def test_without_torchvision_an_encoder_is_read_back_into_the_programs_own(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_run_module, "OWN_BLOCKS", True)
    config = EncoderConfig(name=name, stem="small")
    scale = PixelScale(torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8))
    exportable = export_run_module._encoder(scale, build_encoder(config, 0), config)
    pictures = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        expected = exportable.network(pictures)
        torch.testing.assert_close(exportable.rebuilt(dict(exportable.tensors))(pictures), expected)


def written(out: Path, exportable: Exportable, formats: tuple[str, ...]) -> None:
    to_end(write_export(out, [exportable], formats, torch.rand(2, 3, 32, 32), {}))


def plain() -> Exportable:
    scale = PixelScale(torch.randint(0, 255, (4, 3, 32, 32), dtype=torch.uint8))
    encoder = build_encoder(EncoderConfig(name="small", stem="small"), 0).eval()
    embedding = Embedding(scale, encoder).eval()
    return Exportable("encoder", embedding, encoder.state_dict(), lambda tensors: lambda pictures: pictures)


def test_a_file_that_answers_otherwise_is_not_kept(tmp_path: Path) -> None:
    one = plain()
    wrong = Exportable(
        one.name, one.network, one.tensors, lambda tensors: lambda pictures: one.network(pictures) * 1.01
    )
    with pytest.raises(RunError, match="answers otherwise"):
        written(tmp_path / "out", wrong, ("safetensors",))
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty"):
        written(tmp_path / "out", plain(), ("torchscript",))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_stage_is_told_for_each_file(tmp_path: Path) -> None:
    steps = list(write_export(tmp_path / "out", [plain()], ("torchscript",), torch.rand(2, 3, 32, 32), {}))
    assert steps == [Preparing(stage=Message("Writing and reading back"), done=number, total=1) for number in (0, 1)]


def test_missing_libraries_are_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> object:
        return None if name == "onnxruntime" else there(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(DataError, match=r"onnxruntime.*sslstudio\[export\]"):
        export_formats.chosen_formats("all")
    assert export_formats.chosen_formats("torchscript") == ("torchscript",)


def test_wrong_words_are_answered(pretrained: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Did you mean 'onnx'"):
        exported(pretrained, tmp_path / "out", "onx")
    with pytest.raises(DataError, match="is not a run"):
        exported(tmp_path, tmp_path / "out")


def test_the_picture_is_prepared_as_the_program_does(tmp_path: Path) -> None:
    picture = tmp_path / "turned.png"
    pixels = np.random.default_rng(1).integers(0, 255, (50, 70, 3), np.uint8)
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[0x0112] = 6  # on its side
    image.save(picture, exif=exif)
    ours = decode(picture, 32).astype(np.float32).transpose(2, 0, 1) / 255
    assert np.abs(use_it.prepare(picture, 32)[0] - ours).max() < 1e-6


def _see_through(kind: str) -> Image.Image:
    """A picture of 260 x 200 pixels, opaque on the left, with no colours that a palette lacks."""
    pixels = np.zeros((200, 260, 4), np.uint8)
    pixels[..., 0], pixels[:100, :, 1], pixels[:, :150, 3] = 200, 90, 255
    pixels[:, 150:200, 3] = 0 if kind in ("P", "1-bit") else 120
    image = Image.fromarray(pixels)
    if kind == "P":
        return image.convert("P")
    return image.convert(kind)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.png", "RGBA"), ("a.png", "LA"), ("a.png", "L"), ("a.png", "1"), ("a.gif", "P"), ("a.webp", "RGBA"),
        ("a.jpg", "RGB"), ("a.jpg", "L"), ("a.jpg", "CMYK"), ("a.tif", "RGBA"), ("a.bmp", "RGB"), ("none.png", "RGBA"),
    ],
)  # fmt: skip
def test_transparent_places_are_white_as_in_the_program(tmp_path: Path, name: str, kind: str) -> None:
    image = _see_through(kind)
    if name == "none.png":
        image.putalpha(0)  # an unused channel, not an invisible picture
    image.save(tmp_path / name)
    for side in (16, 32, 100):
        ours = decode(tmp_path / name, side).astype(np.float32).transpose(2, 0, 1) / 255
        assert np.abs(use_it.prepare(tmp_path / name, side)[0] - ours).max() < 1e-6


def test_chosen_channels_are_those_of_the_program(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(2).integers(0, 255, (40, 50, 3), np.uint8)).save(tmp_path / "a.png")
    for channels in ((3,), (2, 1), (3, 1, 2)):
        named = Path(f"{tmp_path / 'a.png'}{channels_suffix(channels)}")
        ours = decode(named, 32).astype(np.float32).transpose(2, 0, 1) / 255
        assert np.abs(use_it.prepare(tmp_path / "a.png", 32, channels)[0] - ours).max() < 1e-6
    with pytest.raises(ValueError, match="Channel 4 is needed"):
        use_it.prepare(tmp_path / "a.png", 32, (4,))


def test_what_is_not_of_eight_bits_is_refused(tmp_path: Path) -> None:
    deep = np.arange(32 * 32 * 3, dtype=np.uint16).reshape(32, 32, 3) * 20
    (tmp_path / "rgb.png").write_bytes(imagecodecs.png_encode(deep))
    (tmp_path / "grey.png").write_bytes(imagecodecs.png_encode(np.ascontiguousarray(deep[..., 0])))
    Image.fromarray(deep[..., 0].astype(np.float32)).save(tmp_path / "float.tif")
    Image.fromarray(np.ascontiguousarray(deep[..., 0])).save(tmp_path / "grey.tif")
    for name in ("rgb.png", "grey.png", "float.tif", "grey.tif"):
        with pytest.raises(ValueError, match="is not a picture of 8 bits"):
            use_it.prepare(tmp_path / name, 32)
