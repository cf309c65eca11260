"""The networks of a fine-tuning run, each part with its first weights and its recipe."""

import copy
import time
from collections.abc import Generator
from typing import Annotated, TypedDict

from sslstudio.engine.compute.device import Device
from sslstudio.engine.compute.seeding import seed_init
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.checked_files import AtLeast
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.arms import BESIDE, FROM_SCRATCH, GENERAL, PRETRAINED, UNTRAINED
from sslstudio.engine.finetuning.costs import note_reading
from sslstudio.engine.finetuning.labelled import (
    Labelled,
    answering_parts,
    encoder_of,
    is_averaged,
    prefix_of,
    targets_of,
)
from sslstudio.engine.finetuning.read_out.mask_read_out import fit_mask_read_out
from sslstudio.engine.finetuning.read_out.read_out import Known, answering_network, file_of, fit_read_out, save_read_out
from sslstudio.engine.finetuning.recipe import Recipe, recalibrate, recipe_of, stage_by_probe, standardise
from sslstudio.engine.models.encoders import Encoder, build_encoder
from sslstudio.engine.models.finetuned import ALL, LAST, Classifier, Network, PixelScale, Segmenter
from sslstudio.engine.models.mask_read_out import DenseFeatures
from sslstudio.engine.models.read_out import Beside, FrozenFeatures, ReadOut
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.checkpoint import load_encoder
from sslstudio.engine.training.config import FinetuneConfig
from sslstudio.engine.training.session import Session

SCALE_FROM = 512  # pictures that the pixel scale is measured on


class _Stage(TypedDict):
    stage: Annotated[int, AtLeast(0)]
    right: list[float]


STAGES = "stages.json"  # which stage each part reads: {"pretrained": {"stage": 3, "right": [.., .., .., ..]}}


def first_encoder(part: str, config: FinetuneConfig) -> tuple[Encoder, Message]:
    """The encoder of a part at its first weights, and where they came from ('' for random ones).

    Raises DataError when the source holds another network.
    """
    encoder = build_encoder(encoder_of(part, config), config.seed)
    return encoder, NOTHING if part == FROM_SCRATCH else load_encoder(encoder, config.source)


def build_part(
    part: str, config: FinetuneConfig, labelled: Labelled, session: Session, device: Device, run: RunFolder
) -> tuple[Network, Recipe, list[Message]]:
    """The network of a part, its recipe, and sentences on where it starts.

    A part whose training is under way gets the weights of its checkpoint later, so they are not looked for here.
    """
    if (run.path / f"{prefix_of(part, config)}last.safetensors").exists():
        encoder, said = build_encoder(encoder_of(part, config), config.seed), NOTHING
    else:
        encoder, said = first_encoder(part, config)
    unlabelled = Pictures(session.cache, session.split.train, device)
    scale = PixelScale(unlabelled.spread(SCALE_FROM).cpu(), encoder.spec.pixels)
    notes = [Message("{said}.", said=said)] if said else []
    spared = part != FROM_SCRATCH or config.mode == "probe"
    if spared:
        start = Network(scale, encoder, encoder).to(device.handle)
        recalibrate(start, unlabelled)
    if is_averaged(config) and not file_of(run, part, config).exists():
        _keep_read_out(part, encoder, scale, config, labelled, session, device, run)
    stage = fixed_stage(part, config)
    if stage is None:
        stage, why = _stage(part, start, config, labelled, session, device, run)
        notes += [why] if why else []
    recipe = recipe_of(config, part, stage)
    with seed_init(config.seed, "head"):
        if config.kind == "classification":
            network: Network = Classifier(
                scale, encoder, len(labelled.names), freeze_norm_stats=recipe.freeze_norm_stats, stage=stage
            )
        else:
            network = Segmenter(scale, encoder, len(labelled.names), freeze_norm_stats=recipe.freeze_norm_stats)
    network.to(device.handle)
    if isinstance(network, Classifier):
        standardise(network, unlabelled)
    return network, recipe, notes


def keep_read_outs(
    config: FinetuneConfig, labelled: Labelled, session: Session, device: Device, run: RunFolder, control: RunControl
) -> Generator[Preparing, None, None]:
    """Fit what is read without a training of its own, and keep it: general weights by themselves and beside the own
    pretraining, for which the general encoder looks at each picture once, and for masks untrained features. Raises
    RunError when stopped."""
    began, known = time.monotonic(), Known()
    wanted = (UNTRAINED, GENERAL, BESIDE) if config.kind == "segmentation" else (GENERAL, BESIDE)
    parts = answering_parts(config)
    missing = [part for part in wanted if part in parts and not file_of(run, part, config).exists()]
    if not missing:
        return
    if config.kind == "segmentation":
        for part in missing:
            yield from _keep_mask_read_out(part, config, labelled, session, device, run, control)
        return
    scale, encoder = _calibrated(GENERAL, config, session, device)
    general = FrozenFeatures(scale, encoder).to(device.handle)
    for part in missing:
        frozen: FrozenFeatures | Beside = general
        if part == BESIDE:
            own = answering_network(PRETRAINED, None, config, run, len(labelled.names), only_read=True)
            assert isinstance(own, ReadOut)
            assert isinstance(own.frozen, FrozenFeatures)
            frozen = Beside(own.frozen, general)
        yield from _fit_and_keep(part, frozen, config, labelled, session, device, run, control, began, known)


def _keep_mask_read_out(
    part: str, config: FinetuneConfig, labelled: Labelled, session: Session, device: Device, run: RunFolder,
    control: RunControl,
) -> Generator[Preparing, None, None]:  # fmt: skip
    """Beside the own network, pixels are read from general weights alone: its own features add nothing to them."""
    began = time.monotonic()
    scale, encoder = _calibrated(GENERAL if part == BESIDE else part, config, session, device)
    taught = Pictures(session.cache, labelled.train, device)
    masks = targets_of(session, config.kind, taught.paths)
    read = yield from fit_mask_read_out(
        DenseFeatures(scale, encoder), taught, masks, len(labelled.names), seed=config.seed, device=device,
        control=control,
    )  # fmt: skip
    save_read_out(read, file_of(run, part, config))
    note_reading(run, part, time.monotonic() - began)


def _calibrated(part: str, config: FinetuneConfig, session: Session, device: Device) -> tuple[PixelScale, Encoder]:
    """The encoder of an arm that is only read, untrained or with general weights: batch statistics are those of the
    unlabelled pictures."""
    settings = encoder_of(part, config)
    encoder = build_encoder(settings, config.seed)
    if part != UNTRAINED:
        load_encoder(encoder, settings.weights)
    unlabelled = Pictures(session.cache, session.split.train, device)
    scale = PixelScale(unlabelled.spread(SCALE_FROM).cpu(), encoder.spec.pixels)
    network = Network(scale, encoder, encoder).to(device.handle)
    recalibrate(network, unlabelled)
    network.eval()
    return network.scale, encoder


def _keep_read_out(
    part: str, encoder: Encoder, scale: PixelScale, config: FinetuneConfig, labelled: Labelled, session: Session,
    device: Device, run: RunFolder,
) -> None:  # fmt: skip
    """Fit the read-out to the encoder as the part begins with it, and keep it. From scratch the copy that is read has
    batch statistics of the pictures, too: every part gets the same."""
    began = time.monotonic()
    frozen = FrozenFeatures(copy.deepcopy(scale), copy.deepcopy(encoder)).to(device.handle)
    if part == FROM_SCRATCH:
        unlabelled = Pictures(session.cache, session.split.train, device)
        recalibrate(Network(frozen.scale, frozen.encoder, frozen.encoder), unlabelled)
    to_end(_fit_and_keep(part, frozen, config, labelled, session, device, run, RunControl(), began))


def _fit_and_keep(
    part: str, frozen: FrozenFeatures | Beside, config: FinetuneConfig, labelled: Labelled, session: Session,
    device: Device, run: RunFolder, control: RunControl, began: float, known: Known | None = None,
) -> Generator[Preparing, None, None]:  # fmt: skip
    """`began`: when the first picture was looked at for this part, from which it is timed."""
    unlabelled = Pictures(session.cache, session.split.train, device)
    taught = unlabelled.of(labelled.train)
    targets = targets_of(session, config.kind, taught.paths)
    read = yield from fit_read_out(
        frozen, unlabelled, taught.paths, targets, len(labelled.names), propagates=config.recipe.propagate,
        flip=config.flip, device=device, control=control, earlier=known,
    )  # fmt: skip
    save_read_out(read, file_of(run, part, config))
    note_reading(run, part, time.monotonic() - began)


def fixed_stage(part: str, config: FinetuneConfig) -> int | None:
    """The stage that a part reads by its settings; None where a probe is to choose it.

    From scratch it is the last one: a head on random early stages was measured to learn less.
    """
    if config.kind != "classification" or (part == FROM_SCRATCH and config.mode != "probe"):
        return LAST
    if config.recipe.stage == "auto":
        return None
    return ALL if config.recipe.stage == "all" else int(config.recipe.stage)


def _stage(
    part: str, start: Network, config: FinetuneConfig, labelled: Labelled, session: Session, device: Device,
    run: RunFolder,
) -> tuple[int, Message]:  # fmt: skip
    """The stage that a part reads, chosen once and kept in the run folder."""
    stored = run.read_json(STAGES, dict[str, _Stage]) or {}
    if part in stored:
        return _known_stage(run, stored[part]["stage"]), NOTHING
    pictures = Pictures(session.cache, labelled.train, device)
    targets = targets_of(session, config.kind, pictures.paths)
    stage, right = stage_by_probe(start, pictures, targets, config.seed)
    run.write_json(STAGES, {**stored, part: {"stage": stage, "right": right}})
    shares = [Message("{share:.2f}", share=share) for share in right]
    return stage, (
        Message(
            "Classes are read from stage {stage} of 4: a linear probe, cross-validated on the {pictures} "
            "labelled pictures, gets {shares} right on stages 1 to 4.",
            stage=stage,
            pictures=len(pictures),
            shares=shares,
        )
    )


def _known_stage(run: RunFolder, stage: int) -> int:
    if stage > LAST:
        raise RunError(
            "{path} names the stage {stage}, and encoders have {last}. Remove it, and it is chosen anew.",
            path=run.path / STAGES,
            stage=stage,
            last=LAST,
        )
    return stage


def stage_of(run: RunFolder, part: str, config: FinetuneConfig) -> int:
    """The stage that a part of a stored run reads (0: all)."""
    stage = fixed_stage(part, config)
    if stage is not None:
        return stage
    stored = run.read_json(STAGES, dict[str, _Stage]) or {}
    return _known_stage(run, stored[part]["stage"]) if part in stored else LAST
