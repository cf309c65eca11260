"""What was done, as a paragraph for a paper: every number from the run's own files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sslstudio.engine.core.messages import NOTHING, Message, join
from sslstudio.engine.evaluate.arms import BESIDE, FROM_SCRATCH, GENERAL, PRETRAINED, UNTRAINED
from sslstudio.engine.evaluate.scores import RESAMPLES
from sslstudio.engine.finetuning.labelled import answering_parts, is_averaged, is_closed_form
from sslstudio.engine.models.encoders import ENCODERS
from sslstudio.engine.models.encoders.general import find_general, is_general
from sslstudio.engine.runs.metrics import FinetuneMetrics
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import FinetuneConfig, OptimiserConfig, PretrainConfig

ADAMW = "Loshchilov & Hutter, Decoupled weight decay regularization, ICLR 2019, arXiv:1711.05101"
COSINE = "Loshchilov & Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017, arXiv:1608.03983"
UNET = "Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015"
DICE = "Milletari et al., V-Net, 3DV 2016, arXiv:1606.04797"
PROPAGATION = "Zhou et al., Learning with local and global consistency, NIPS 2003"
BOOTSTRAP = "Efron & Tibshirani, An introduction to the bootstrap, Chapman & Hall 1993"
WILSON = "Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927"
KISH = "Kish, Survey sampling, Wiley 1965, section 8.2"
KFOLD = "Kohavi, A study of cross-validation and bootstrap for accuracy estimation, IJCAI 1995"


@dataclass(frozen=True)
class Did:
    """A part of what was done: the settings, steps taken (None when it is not known) and the stored split."""

    config: PretrainConfig | FinetuneConfig
    steps: int | None
    split: Mapping[str, Sequence[str]]


@dataclass
class Methods:
    """Sentences, and the works that they name in the order of their first mention."""

    paragraphs: list[Message] = field(default_factory=list)
    references: list[str] = field(default_factory=list)

    def cite(self, *works: str) -> str:
        """The numbers of works, in brackets."""
        for work in works:
            if work not in self.references:
                self.references.append(work)
        return "[" + ", ".join(str(self.references.index(work) + 1) for work in works) + "]"


def methods(pretraining: Did | None, tuning: Did | None, metrics: FinetuneMetrics | None, software: Message) -> Methods:
    """The paragraphs. `tuning` is None for the report of a pretraining; `pretraining` when none is known."""
    said = Methods()
    some = tuning or pretraining
    assert some is not None
    text = [_pictures(some), _network(said, some, pretraining)]
    if pretraining is not None:
        text.append(_pretrained(said, pretraining))
    if tuning is not None and isinstance(tuning.config, FinetuneConfig) and metrics is not None:
        text += [_tuned(said, tuning, tuning.config, metrics), _tested(said, tuning, tuning.config, metrics)]
        said.paragraphs.append(join(text))
        said.paragraphs.append(join([metrics["verdict"], software]))
    else:
        said.paragraphs.append(join([*text, software]))
    return said


def _pictures(did: Did) -> Message:
    side, pixels = did.config.data.side, ENCODERS[did.config.encoder.name].pixels
    scale = Message("zero mean and unit standard deviation in each colour channel")
    if pixels is not None:
        scale = Message(
            "a mean of {mean:g} and a standard deviation of {deviation:g} taken for zero and one",
            mean=pixels[0],
            deviation=pixels[1],
        )
    return Message(
        "Pictures were resampled to {side} x {side} pixels (bicubic, the whole picture) and scaled to {scale}.",
        side=side,
        scale=scale,
    )


def _network(said: Methods, did: Did, pretraining: Did | None) -> Message:
    config = did.config.encoder
    shape = ENCODERS[config.name]
    text = Message(
        "The encoder was a {encoder} {cited}; {stem}.",
        encoder=shape.network,
        cited=said.cite(shape.paper),
        stem=shape.stems[config.stem],
    )
    start = pretraining.config.encoder.weights if pretraining is not None else getattr(did.config, "source", "")
    if not is_general(start):
        return text
    general = find_general(start)
    started = Message(
        "It started from weights learnt from the {pictures:,} labelled photographs of {dataset}.",
        pictures=general.pictures,
        dataset=general.dataset,
    )
    return join([text, started])


def _optimiser(said: Methods, config: OptimiserConfig) -> Message:
    clip = Message(", gradients clipped to a norm of {clip:g}", clip=config.clip) if config.clip else NOTHING
    return Message(
        "AdamW {adamw} (batches of {batch}, weight decay {decay:g}{clip}), the learning rate rising to {rate:g} over "
        "{warmup} steps and falling to zero along a cosine {cosine}",
        adamw=said.cite(ADAMW),
        batch=config.batch_size,
        decay=config.weight_decay,
        clip=clip,
        rate=config.learning_rate,
        warmup=config.warmup_steps,
        cosine=said.cite(COSINE),
    )


def _steps(did: Did) -> Message:
    return Message("for {steps:,} steps", steps=did.steps) if did.steps else Message("until it was stopped")


def _pretrained(said: Methods, did: Did) -> Message:
    config = did.config
    assert isinstance(config, PretrainConfig)
    task = load_tasks()[config.task]
    return Message(
        "It was pretrained without labels on {seen:,} pictures with the pretext task “{task}” {cited} {steps} with "
        "{optimiser} (random seed {seed}).",
        seen=len(did.split.get("train", ())),
        task=task.title,
        cited=said.cite(*task.paper.split("; ")),
        steps=_steps(did),
        optimiser=_optimiser(said, config.optimiser),
        seed=config.seed,
    )


def _tuned(said: Methods, did: Did, config: FinetuneConfig, metrics: FinetuneMetrics) -> Message:
    text = Message(
        "{what} on {n:,} labelled pictures ({drawn}) {steps} with {loss} and {optimiser}; each picture was seen "
        "shifted, scaled, turned by up to 10 degrees{mirrored} and changed in brightness and contrast at random.",
        what=_trained(said, config),
        n=metrics["n_train"],
        drawn=_drawn(config),
        steps=_steps(did),
        loss=_loss(said, config),
        optimiser=_optimiser(said, config.optimiser),
        mirrored=_mirrored(config),
    )
    return join([text, _twin(config, metrics), _averaged(said, config)])


def _trained(said: Methods, config: FinetuneConfig) -> Message:
    """What was trained, as a whole sentence's beginning: no language puts one together from the same parts."""
    if config.kind == "classification":
        reads = _reads(config)
        if config.mode == "probe":
            return Message(
                "A linear classifier on the features of {stage} was trained on the encoder, which was kept as it was,",
                stage=reads,
            )
        return Message("A linear classifier on the features of {stage} and the encoder were trained", stage=reads)
    cited = said.cite(UNET)
    if config.mode == "probe":
        return Message("A U-Net decoder {cited} was trained on the encoder, which was kept as it was,", cited=cited)
    return Message("A U-Net decoder {cited} and the encoder were trained", cited=cited)


def _reads(config: FinetuneConfig) -> Message:
    if config.source == "scratch":
        return Message("the last stage")
    if config.recipe.stage == "all":
        return Message("all four stages")
    if config.recipe.stage == "auto":
        return Message("the stage that a probe chose")
    return Message("stage {stage}", stage=config.recipe.stage)


def _loss(said: Methods, config: FinetuneConfig) -> Message:
    if config.kind == "classification":
        return Message("cross-entropy")
    return Message("cross-entropy plus soft Dice {cited}", cited=said.cite(DICE))


def _drawn(config: FinetuneConfig) -> Message:
    if not config.labels_per_class:
        return Message("all that were set apart for training")
    if config.kind == "classification":
        return Message(
            "at most {labels} a class, drawn at random, seed {seed}", labels=config.labels_per_class, seed=config.seed
        )
    return Message(
        "at most {labels} in all, drawn at random, seed {seed}", labels=config.labels_per_class, seed=config.seed
    )


def _mirrored(config: FinetuneConfig) -> Message:
    parts = [Message(", mirrored")] if config.flip else []
    if config.turn and config.kind == "segmentation":
        parts.append(Message(", turned by quarters of a circle"))
    return Message("{first}{second}", first=parts[0], second=parts[1]) if len(parts) == 2 else (
        parts[0] if parts else NOTHING
    )  # fmt: skip


def _twin(config: FinetuneConfig, metrics: FinetuneMetrics) -> Message:
    if {PRETRAINED, FROM_SCRATCH} <= set(metrics["parts"]):
        return Message("A twin with a randomly initialised encoder was trained in the same way on the same labels.")
    return NOTHING if config.source == "scratch" else Message(
        "It was not compared with a network that was not pretrained."
    )  # fmt: skip


def _averaged(said: Methods, config: FinetuneConfig) -> Message:
    """How the answers of several readers become one."""
    if config.kind == "segmentation":
        return _averaged_masks(config)
    if not is_averaged(config):
        return NOTHING
    voices = [Message("that network's")] if not is_closed_form(config) else []
    voices.append(
        Message("those of a class-balanced ridge regression on the standardised features of all stages before it")
    )
    if config.recipe.propagate:
        voices.append(
            Message(
                "those of label propagation {cited} over the training pictures' features", cited=said.cite(PROPAGATION)
            )
        )
    return Message("Answers are the average of {voices:and}.", voices=voices)


def _averaged_masks(config: FinetuneConfig) -> Message:
    """What answers for masks besides the networks that were trained."""
    parts = answering_parts(config)
    said = {
        UNTRAINED: Message("untrained features answered by it alone"),
        GENERAL: Message("general weights answered by it alone"),
        BESIDE: Message("its answers on general weights were averaged with those of the pretrained network"),
    }
    uses = [words for part, words in said.items() if part in parts]
    if not uses:
        return NOTHING
    return Message(
        "The classes of pixels were also read by a ridge regression, rare classes weighted more, on the standardised "
        "features of all stages before fine-tuning: {uses:semicolons}.",
        uses=uses,
    )


def _intervals(said: Methods, config: FinetuneConfig, metrics: FinetuneMetrics) -> Message:
    """How the intervals of a result were worked out."""
    if "intervals" not in metrics:  # of version 0.2 and earlier
        return Message(
            "Intervals are 95 % percentile bootstraps over test pictures, or groups where given ({resamples:,} "
            "resamples) {bootstrap}, Wilson's where the bootstrap sees no spread {wilson}; networks were compared on "
            "the same resamples.",
            resamples=RESAMPLES,
            bootstrap=said.cite(BOOTSTRAP),
            wilson=said.cite(WILSON),
        )
    cited = said.cite(WILSON, KISH)
    return Message(
        "Intervals are 95 % score intervals with the effective number of test pictures {cited}, {variance}; networks "
        "were compared picture by picture.",
        cited=cited,
        variance=_variance(said, config),
    )


def _variance(said: Methods, config: FinetuneConfig) -> Message:
    if config.kind != "segmentation" and not config.data.groups:
        return Message("each class taken as a binomial of its own")
    cited = said.cite(BOOTSTRAP)
    if config.data.groups:
        return Message(
            "the variance taken from {resamples:,} bootstrap resamples of groups of test pictures {cited}",
            resamples=RESAMPLES,
            cited=cited,
        )
    return Message(
        "the variance taken from {resamples:,} bootstrap resamples of test pictures {cited}",
        resamples=RESAMPLES,
        cited=cited,
    )


def _tested(said: Methods, did: Did, config: FinetuneConfig, metrics: FinetuneMetrics) -> Message:
    kept = Message("pictures were taken to be independent of each other")
    if config.data.groups:
        kept = Message("groups ({groups}) were kept together", groups=config.data.groups)
    if config.folds > 1:
        how = Message(
            "Each labelled picture was tested on once, in {folds}-fold cross-validation {cited}; {kept}.",
            folds=config.folds,
            cited=said.cite(KFOLD),
            kept=kept,
        )
    else:
        how = Message(
            "{n:,} test pictures had been set apart before any training, balanced over the classes; {kept}. The "
            "weights after the last step were scored; nothing was chosen by test pictures.",
            n=metrics["n_test"],
            kept=kept,
        )
    turns = (8 if config.flip else 4) if config.turn and config.kind == "segmentation" else 1
    looks = NOTHING
    if turns > 1:
        looks = Message("Answers were averaged over {turns} turned and mirrored looks at each picture.", turns=turns)
    views = NOTHING
    if config.views > 1:
        views = Message("Answers were averaged over {views} views of each test picture.", views=config.views)
    return join([how, looks, views, _intervals(said, config, metrics)])
