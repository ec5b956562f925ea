"""What is trained on what: the sizes of the data, the 18 models, and every setting of a run (chapter 4)."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from utils.course import CourseError


@dataclass(frozen=True)
class DataConfig:
    """Sizes and roles of the tokens: triggers 0 .. Q-1, outputs Q .. Q+Y-1, fillers Q .. N-2, noise token N-1.

    Outputs are fillers, too; those from Q+Y on are never outputs in training. The defaults are the
    paper's sizes. Raises CourseError for sizes that leave no room for a sentence, an output or an unseen output.
    Source: Nguyen and Nguyen-Tang 2025 (arXiv 2505.15009), section 3; their released code.
    """

    vocab_size: int = 60  # N
    H: int = 256  # tokens in a sentence, the query at its end
    Q: int = 5  # triggers
    Y: int = 4  # outputs seen in training

    def __post_init__(self):
        if self.H < 4:
            raise CourseError(f"H must be at least 4 (6 with noise), but it is {self.H}.")
        for name, value in (("Q", self.Q), ("Y", self.Y)):
            if value < 1:
                raise CourseError(f"{name} must be above zero, but it is {value}.")
        if self.vocab_size < self.Q + self.Y + 2:
            raise CourseError(
                f"{self.Q} triggers, {self.Y} outputs, an unseen output and the noise token need a vocab_size of "
                f"{self.Q + self.Y + 2}, but it is {self.vocab_size}."
            )


SMALL = DataConfig(vocab_size=24, H=32, Q=3, Y=3)  # the notebook's sizes: seconds instead of hours

MODEL_TYPES = ("origin", "reparam", "reparamW")
KINDS = ("linear", "softmax", "relu")
ALPHAS = (0.0, 0.2, 0.5, 0.8)
RATES = (0.1, 0.5)

# (model_type, kind, kappa): all, and the 13 that the paper compares
ALL_MODELS = tuple((m, a, k) for m in MODEL_TYPES for a in KINDS for k in (0, 1))
PAPER_MODELS = tuple(v for v in ALL_MODELS if v[0] != "reparamW" or v == ("reparamW", "linear", 1))
FINITE_MODELS = tuple((m, a, 1) for m in ("reparam", "reparamW", "origin") for a in ("relu", "linear"))


def label(model_type: str, kind: str, kappa: int) -> str:
    """Name of a model as figures show it: ("reparamW", "linear", 1) -> Reparam-Linear-W-FA."""
    attention = {"linear": "Linear", "softmax": "Softmax", "relu": "ReLU"}[kind]
    middle = "-W" if model_type == "reparamW" else ""
    return f"{'Origin' if model_type == 'origin' else 'Reparam'}-{attention}{middle}-{'FA' if kappa else 'F'}"


@dataclass(frozen=True)
class Run:
    """Everything one training run depends on; the same Run gives the same numbers on the same machine.

    Raises CourseError for settings that can't be.
    """

    model_type: str = "origin"  # origin, reparam, reparamW
    kind: str = "linear"  # attention: linear, softmax, relu
    kappa: int = 1  # 1: the feed-forward layer sees what attention read
    alpha: float = 0.0  # probability that the label is the noise token; 0: no noise token at all
    lr: float = 0.1
    seed: int = 0
    nsteps: int = 2000  # steps, each on a fresh batch; of a finite run: epochs
    batch_size: int = 512
    finite_nsteps: int = 0  # batches of a finite training set; 0: fresh sentences for ever
    rule: str = "ngd"  # ngd: per-tensor normalised gradient descent; gd: plain gradient descent
    source: str = "torch"  # torch: sentences drawn on the fly; files: those of --from-files; plain: those of `train`
    data: DataConfig = field(default_factory=DataConfig)

    def __post_init__(self):
        for name, value, known in (
            ("model_type", self.model_type, MODEL_TYPES),
            ("att_type", self.kind, KINDS),
            ("kappa", self.kappa, (0, 1)),
            ("rule", self.rule, ("ngd", "gd")),
            ("source", self.source, ("torch", "files", "plain")),
        ):
            if value not in known:
                raise CourseError(f"There is no {name} {value!r}: choose {', '.join(map(str, known))}.")
        check_alpha(self.alpha)
        if self.noisy and self.data.H < 6:
            raise CourseError(f"A noisy sentence needs H of at least 6, but it is {self.data.H}.")
        if not (self.lr > 0 and math.isfinite(self.lr)):
            raise CourseError(f"lr must be above zero, but it is {self.lr}.")
        if self.seed < 0:
            raise CourseError(f"seed must be zero or above zero, but it is {self.seed}.")
        for name in ("nsteps", "batch_size"):
            if getattr(self, name) < 1:
                raise CourseError(f"{name} must be above zero, but it is {getattr(self, name)}.")
        if self.finite_nsteps < 0:
            raise CourseError(f"finite_nsteps must be above zero, but it is {self.finite_nsteps}.")

    @property
    def noisy(self) -> bool:
        return self.alpha > 0

    @property
    def label(self) -> str:
        return label(self.model_type, self.kind, self.kappa)

    @property
    def name(self) -> str:
        """Start of the names of its files: every setting is in it, with all digits of its numbers."""
        d = self.data
        finite = f"-fnsteps{self.finite_nsteps}" if self.finite_nsteps else ""
        return (
            f"{'finite-' if finite else ''}seed{self.seed}-model{self.model_type}-att{self.kind}-kappa{self.kappa}"
            f"-noise{self.noisy}-alpha{self.alpha!r}-lr{self.lr!r}-nsteps{self.nsteps}{finite}-batch{self.batch_size}"
            f"-N{d.vocab_size}-H{d.H}-Q{d.Q}-Y{d.Y}-{self.rule}-{self.source}"
        )

    def settings(self) -> dict:
        return asdict(self)


def check_alpha(alpha: float) -> None:
    """Raises CourseError unless alpha is 0 (no noise) or lies between 0 and 1."""
    if alpha != 0 and not 0 < alpha < 1:
        raise CourseError(f"With noise, alpha must lie between 0 and 1 (neither of them), but it is {alpha}.")


def grid(
    models: Sequence[tuple[str, str, int]] = PAPER_MODELS,
    alphas: Sequence[float] = ALPHAS,
    rates: Sequence[float] = RATES,
    **settings,
) -> list[Run]:
    """One run for every model, alpha and learning rate; 13 x 4 x 2 = 104 by default."""
    return [
        Run(model_type, kind, kappa, alpha, lr, **settings)
        for model_type, kind, kappa in models
        for alpha in alphas
        for lr in rates
    ]
