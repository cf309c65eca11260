"""What was done, as a paragraph for a paper: every number from the run's own files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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

    paragraphs: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)

    def cite(self, *works: str) -> str:
        """The numbers of works, in brackets."""
        for work in works:
            if work not in self.references:
                self.references.append(work)
        return "[" + ", ".join(str(self.references.index(work) + 1) for work in works) + "]"


def methods(pretraining: Did | None, tuning: Did | None, metrics: FinetuneMetrics | None, software: str) -> Methods:
    """The paragraphs. `tuning` is None for the report of a pretraining; `pretraining` when none is known."""
    said = Methods()
    some = tuning or pretraining
    assert some is not None
    text = [_pictures(some), _network(said, some, pretraining)]
    if pretraining is not None:
        text.append(_pretrained(said, pretraining))
    if tuning is not None and isinstance(tuning.config, FinetuneConfig) and metrics is not None:
        text += [_tuned(said, tuning, tuning.config, metrics), _tested(said, tuning, tuning.config, metrics)]
        said.paragraphs.append(" ".join(text))
        said.paragraphs.append(" ".join([str(metrics["verdict"]), software]))
    else:
        said.paragraphs.append(" ".join([*text, software]))
    return said


def _pictures(did: Did) -> str:
    side, pixels = did.config.data.side, ENCODERS[did.config.encoder.name].pixels
    scale = "zero mean and unit standard deviation in each colour channel"
    if pixels is not None:
        scale = f"a mean of {pixels[0]:g} and a standard deviation of {pixels[1]:g} taken for zero and one"
    return f"Pictures were resampled to {side} x {side} pixels (bicubic, the whole picture) and scaled to {scale}."


def _network(said: Methods, did: Did, pretraining: Did | None) -> str:
    config = did.config.encoder
    shape = ENCODERS[config.name]
    text = f"The encoder was a {shape.about.split(',')[0]} {said.cite(shape.paper)}; {shape.stems[config.stem]}."
    start = pretraining.config.encoder.weights if pretraining is not None else getattr(did.config, "source", "")
    if is_general(start):
        general = find_general(start)
        text += (
            f" It started from weights learnt from the {general.pictures:,} labelled photographs of {general.dataset}."
        )
    return text


def _optimiser(said: Methods, config: OptimiserConfig) -> str:
    clip = f", gradients clipped to a norm of {config.clip:g}" if config.clip else ""
    return (
        f"AdamW {said.cite(ADAMW)} (batches of {config.batch_size}, weight decay {config.weight_decay:g}{clip}), "
        f"the learning rate rising to {config.learning_rate:g} over {config.warmup_steps} steps and falling to zero "
        f"along a cosine {said.cite(COSINE)}"
    )


def _steps(did: Did) -> str:
    return f"for {did.steps:,} steps" if did.steps else "until it was stopped"


def _pretrained(said: Methods, did: Did) -> str:
    config = did.config
    assert isinstance(config, PretrainConfig)
    task = load_tasks()[config.task]
    seen = len(did.split.get("train", ()))
    return (
        f"It was pretrained without labels on {seen:,} pictures with the pretext task “{task.title}” "
        f"{said.cite(*task.paper.split('; '))} {_steps(did)} with {_optimiser(said, config.optimiser)} "
        f"(random seed {config.seed})."
    )


def _tuned(said: Methods, did: Did, config: FinetuneConfig, metrics: FinetuneMetrics) -> str:
    what = f"A linear classifier{_reads(config)}" if config.kind == "classification" else (
        f"A U-Net decoder {said.cite(UNET)}"
    )  # fmt: skip
    loss = "cross-entropy" if config.kind == "classification" else f"cross-entropy plus soft Dice {said.cite(DICE)}"
    trained = "was trained on the encoder, which was kept as it was," if config.mode == "probe" else (
        "and the encoder were trained"
    )  # fmt: skip
    drawn = "all that were set apart for training"
    if config.labels_per_class:
        per = "a class" if config.kind == "classification" else "in all"
        drawn = f"at most {config.labels_per_class} {per}, drawn at random, seed {config.seed}"
    mirrored = ", mirrored" if config.flip else ""
    turned = config.turn and config.kind == "segmentation"
    mirrored += ", turned by quarters of a circle" if turned else ""
    if {PRETRAINED, FROM_SCRATCH} <= set(metrics["parts"]):
        twin = " A twin with a randomly initialised encoder was trained in the same way on the same labels."
    else:
        twin = "" if config.source == "scratch" else " It was not compared with a network that was not pretrained."
    return (
        f"{what} {trained} on {metrics['n_train']:,} labelled pictures ({drawn}) {_steps(did)} with {loss} and "
        f"{_optimiser(said, config.optimiser)}; each picture was seen shifted, scaled, turned by up to 10 degrees"
        f"{mirrored} and changed in brightness and contrast at random.{twin}{_averaged(said, config)}"
    )


def _averaged(said: Methods, config: FinetuneConfig) -> str:
    """How the answers of several readers become one."""
    if config.kind == "segmentation":
        return _averaged_masks(config)
    if not is_averaged(config):
        return ""
    voices = ["that network's"] if not is_closed_form(config) else []
    voices.append("those of a class-balanced ridge regression on the standardised features of all stages before it")
    if config.recipe.propagate:
        voices.append(f"those of label propagation {said.cite(PROPAGATION)} over the training pictures' features")
    names = ", ".join(voices[:-1]) + (" and " if len(voices) > 1 else "") + voices[-1]
    return f" Answers are the average of {names}."


def _averaged_masks(config: FinetuneConfig) -> str:
    """What answers for masks besides the networks that were trained."""
    parts = answering_parts(config)
    said = {
        UNTRAINED: "untrained features answered by it alone",
        GENERAL: "general weights answered by it alone",
        BESIDE: "its answers on general weights were averaged with those of the pretrained network",
    }
    uses = [words for part, words in said.items() if part in parts]
    if not uses:
        return ""
    return (
        " The classes of pixels were also read by a ridge regression, rare classes weighted more, on the standardised "
        f"features of all stages before fine-tuning: {'; '.join(uses)}."
    )


def _reads(config: FinetuneConfig) -> str:
    if config.source == "scratch":
        return " on the features of the last stage"
    stage = {"all": "all four stages", "auto": "the stage that a probe chose"}.get(config.recipe.stage)
    return f" on the features of {stage or 'stage ' + config.recipe.stage}"


def _intervals(said: Methods, config: FinetuneConfig, metrics: FinetuneMetrics) -> str:
    """How the intervals of a result were worked out."""
    if "intervals" not in metrics:  # of version 0.2 and earlier
        return (
            f"Intervals are 95 % percentile bootstraps over test pictures, or groups where given ({RESAMPLES:,} "
            f"resamples) {said.cite(BOOTSTRAP)}, Wilson's where the bootstrap sees no spread {said.cite(WILSON)}; "
            "networks were compared on the same resamples."
        )
    variance = "each class taken as a binomial of its own"
    effective = f"with the effective number of test pictures {said.cite(WILSON, KISH)}"
    if config.kind == "segmentation" or config.data.groups:
        units = "groups of test pictures" if config.data.groups else "test pictures"
        variance = f"the variance taken from {RESAMPLES:,} bootstrap resamples of {units} {said.cite(BOOTSTRAP)}"
    return f"Intervals are 95 % score intervals {effective}, {variance}; networks were compared picture by picture."


def _tested(said: Methods, did: Did, config: FinetuneConfig, metrics: FinetuneMetrics) -> str:
    kept = f"groups ({config.data.groups}) were kept together" if config.data.groups else (
        "pictures were taken to be independent of each other"
    )  # fmt: skip
    if config.folds > 1:
        cited = said.cite(KFOLD)
        how = f"Each labelled picture was tested on once, in {config.folds}-fold cross-validation {cited}; {kept}."
    else:
        how = (
            f"{metrics['n_test']:,} test pictures had been set apart before any training, balanced over the "
            f"classes; {kept}. The weights after the last step were scored; nothing was chosen by test pictures."
        )
    turns = (8 if config.flip else 4) if config.turn and config.kind == "segmentation" else 1
    looks = f" Answers were averaged over {turns} turned and mirrored looks at each picture." if turns > 1 else ""
    views = f" Answers were averaged over {config.views} views of each test picture." if config.views > 1 else ""
    return f"{how}{looks}{views} {_intervals(said, config, metrics)}"
