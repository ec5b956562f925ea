"""Settings of chapter 5: the world of scenes, the model, the schedule of a training run."""

import math
from dataclasses import dataclass

from utils.course import CourseError

KINDS = ("single", "double", "composition")  # what is on a board, by its number 0, 1, 2


@dataclass(frozen=True)
class WorldConfig:
    """The world of scenes, under the names of the published data set. Raises CourseError for a world that cannot be."""

    dataset_len: int = 1000  # boards in an epoch
    board_dim: int = 8  # side of the board
    vocab_bck: int = 10  # background tokens: 0, 1, ...
    vocab_token: int = 10  # object tokens, which follow the background's
    abs_n: int = 10  # root objects
    abs_dim: int = 3  # side of a root object
    abs_c: int | None = None  # cells of a root that are filled (none: all); the background shows through the others
    abs_w_c: int | None = None  # filled cells that are fuzzy: they may hold one of several tokens
    abs_w_m: int = 1  # tokens that a fuzzy cell may hold
    comp_n: int = 5  # composite objects
    comp_dim: int = 2  # a composite is a square of comp_dim x comp_dim roots
    comp_margin: int = 1  # empty cells between its roots
    comp_c: int | None = None  # slots of a composite that are filled (none: all)
    board_types_proba: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)  # single, double, composition
    double_rule: str = "apart"  # apart: two objects never overlap; original: rows and columns both differ; any
    bool_split: bool = True  # hold boards out
    split_method: str = "balanced"  # balanced, fraction or stringent
    card_val: float = 0  # boards held out for validation, per group (balanced) or as a fraction
    card_test: float = 4

    @property
    def filled(self) -> int:
        """Filled cells of a root."""
        return self.abs_dim**2 if self.abs_c is None else self.abs_c

    @property
    def slots(self) -> int:
        """Filled slots of a composite."""
        return self.comp_dim**2 if self.comp_c is None else self.comp_c

    @property
    def span(self) -> int:
        """Side of a composite."""
        return self.comp_dim * self.abs_dim + (self.comp_dim - 1) * self.comp_margin

    def __post_init__(self):
        for name in ("dataset_len", "board_dim", "vocab_bck", "vocab_token", "abs_n", "abs_dim", "comp_dim", "abs_w_m"):
            if getattr(self, name) < 1:
                raise CourseError(f"{name} must be at least 1, but it is {getattr(self, name)}.")
        if self.comp_n < 0 or self.comp_margin < 0:
            raise CourseError("comp_n and comp_margin cannot be negative.")
        if self.abs_dim > self.board_dim:
            raise CourseError(f"An object of side {self.abs_dim} does not fit on a board of side {self.board_dim}.")
        if not 1 <= self.filled <= self.abs_dim**2:
            raise CourseError(
                f"abs_c is {self.abs_c}, but an object of side {self.abs_dim} has {self.abs_dim**2} cells."
            )
        if not 1 <= self.slots <= self.comp_dim**2:
            raise CourseError(f"comp_c is {self.comp_c}, but a composite has {self.comp_dim**2} slots.")
        self._check_fuzzy()
        self._check_kinds()
        if self.double_rule not in ("apart", "original", "any"):
            raise CourseError(f"double_rule is {self.double_rule!r}: choose apart, original or any.")
        if self.split_method not in ("balanced", "fraction", "stringent"):
            raise CourseError(f"split_method is {self.split_method!r}: choose balanced, fraction or stringent.")

    def _check_fuzzy(self) -> None:
        if self.abs_w_c is None and self.abs_w_m != 1:
            raise CourseError("abs_w_m says how many tokens a fuzzy cell may hold, so it needs abs_w_c as well.")
        if self.abs_w_c is not None and not 0 <= self.abs_w_c <= self.filled:
            raise CourseError(f"abs_w_c is {self.abs_w_c}, but only {self.filled} cells of an object are filled.")
        if self.abs_w_m > self.vocab_token:
            raise CourseError(
                f"A fuzzy cell cannot choose from {self.abs_w_m} tokens where there are {self.vocab_token}."
            )

    def _check_kinds(self) -> None:
        shares = self.board_types_proba
        if len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 0.02:
            raise CourseError(f"board_types_proba must be three shares that add up to 1, but it is {shares}.")
        if shares[1] > 0 and self.double_rule == "apart" and 2 * self.abs_dim > self.board_dim:
            raise CourseError(
                f"Two objects of side {self.abs_dim} do not fit side by side on a board of side {self.board_dim}."
            )
        if shares[2] > 0:
            if self.comp_n < 1:
                raise CourseError("There are boards with composites, but comp_n is 0.")
            if self.span > self.board_dim:
                raise CourseError(f"A composite of side {self.span} does not fit on a board of side {self.board_dim}.")


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a transformer that reads a board as T tokens. Raises ValueError for values that cannot be.

    The last four are settings of the published script that it leaves without effect, as these defaults do.
    """

    vocab: int = 21  # V
    cells: int = 64  # T, the board's side squared
    n_layers: int = 3  # L
    n_heads: int = 2  # N
    d_content: int = 64  # D, width of the residual stream
    d_pos: int = 32  # P, width of the position vectors
    dropout: float = 0.0  # of what attention and MLP add to the stream
    attn_pdrop: float = 0.0  # dropout of the attention weights
    embd_pdrop: float = 0.0  # dropout of the token embeddings
    n_unmasked: int | None = None  # cells that see each other; from there on, cells see what is before (none: all)

    @property
    def restricted(self) -> bool:
        """Whether attention has a dropout or a mask."""
        return self.dropout > 0 or self.attn_pdrop > 0 or self.n_unmasked not in (None, self.cells)

    def __post_init__(self):
        for name in ("dropout", "attn_pdrop", "embd_pdrop"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, but it is {getattr(self, name)}")
        if self.n_unmasked is not None and not 0 <= self.n_unmasked <= self.cells:
            raise ValueError(f"n_unmasked is {self.n_unmasked}, but a board has {self.cells} cells")
        if self.d_content % self.n_heads:
            raise ValueError(f"{self.n_heads} heads do not divide a width of {self.d_content}.")


@dataclass(frozen=True)
class Schedule:
    """How a training run goes: what is drawn at each step, and how fast the weights move.

    `masking` and `patches` rise from their first value to their last over the first `ramp` share of the steps, and
    the shares of the three kinds of boards go from `kinds_first` to `kinds_last` in the same time.
    """

    batch: int = 64
    lr: float = 3e-3  # at the start; it falls to zero along half a cosine (or stays, with constant_lr)
    constant_lr: bool = False
    weight_decay: float = 0.01  # on the weights of Linear layers only
    beta2: float = 0.999  # of AdamW; the published script's 0.95 learns a little more slowly here
    masking: tuple[float, float] = (0.25, 0.25)  # probability that a cell is hidden, first and last
    patches: tuple[float, float] = (0.5, 0.5)  # probability that a board has a patch hidden as well
    kinds_first: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)
    kinds_last: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)
    ramp: float = 0.0
    where: str = "all"  # cells that count in the loss: all or masked
    every: int = 250  # steps between two measurements
    measured: int = 300  # boards of a measurement

    def at(self, step: int, steps: int) -> dict:
        """What holds at this step of `steps`: {"lr", "masking", "patches", "kinds"}."""
        way = min(1.0, step / (self.ramp * steps)) if self.ramp > 0 else 1.0

        def mix(first: float, last: float) -> float:
            return first + way * (last - first)

        fall = 1.0 if self.constant_lr else 0.5 * (1 + math.cos(math.pi * step / steps))
        return {
            "lr": self.lr * fall,
            "masking": mix(*self.masking),
            "patches": mix(*self.patches),
            "kinds": tuple(mix(a, b) for a, b in zip(self.kinds_first, self.kinds_last, strict=True)),
        }


SMALL_WORLD = WorldConfig(board_dim=6, abs_dim=2)  # the one that a learner trains on: one minute
SMALL_MODEL = ModelConfig(cells=36, d_content=32, d_pos=16)


@dataclass(frozen=True)
class RunConfig:
    """A training run in epochs of dataset_len boards, under the names and with the values of the published script."""

    masking_p: float = 0.25  # probability that a cell is hidden, once the masking has risen
    masking_patch_epoch: int = 750  # masking rises until this epoch, and patches start there (0: all from the start)
    masking_patch_p: float = 0.5  # probability that a board has a patch hidden as well
    board_curriculum: bool = True  # the shares of the kinds of boards change; else they are board_types_proba
    board_proba_epoch_start: int = 250
    board_proba_epoch_end: int = 1000
    board_proba_start: tuple[float, float, float] = (0.8, 0.1, 0.1)
    board_proba_end: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)
    learning_rate: float = 1e-3
    lr_schedule: str = "constant"  # constant, or cosine: down to zero at the end of the run
    batch_size: int = 64
    weight_decay: float = 0.01
    beta2: float = 0.95  # of AdamW
    where: str = "all"  # cells that count in the loss: all, or masked

    def __post_init__(self):
        for name in ("masking_p", "masking_patch_p"):
            if not 0 <= getattr(self, name) <= 1:
                raise CourseError(f"{name} is a probability, but it is {getattr(self, name)}.")
        for name in ("board_proba_start", "board_proba_end"):
            shares = getattr(self, name)
            if len(shares) != 3 or min(shares) < 0 or abs(sum(shares) - 1) > 0.02:
                raise CourseError(f"{name} must be three shares that add up to 1, but it is {shares}.")
        if self.lr_schedule not in ("constant", "cosine"):
            raise CourseError(f"lr_schedule is {self.lr_schedule!r}: choose constant or cosine.")
        if self.where not in ("all", "masked"):
            raise CourseError(f"where is {self.where!r}: choose all or masked.")
        if self.learning_rate <= 0:
            raise CourseError(f"learning_rate must be above 0, but it is {self.learning_rate}.")
        if self.batch_size < 1:
            raise CourseError(f"batch_size must be at least 1, but it is {self.batch_size}.")
        if not 0 <= self.beta2 < 1:
            raise CourseError(f"beta2 must be at least 0 and below 1, but it is {self.beta2}.")

    def kinds(self, epoch: int, without: tuple[float, float, float]) -> tuple[float, ...]:
        """Shares of the kinds of boards in this epoch; `without` where there is no curriculum."""
        if not self.board_curriculum:
            return without
        way = ramp(epoch, self.board_proba_epoch_start, self.board_proba_epoch_end)
        return tuple(a + way * (b - a) for a, b in zip(self.board_proba_start, self.board_proba_end, strict=True))

    def masking(self, epoch: int) -> tuple[float, float]:
        """(probability that a cell is hidden, probability of a patch) in this epoch."""
        rise = min(1.0, epoch / self.masking_patch_epoch) if self.masking_patch_epoch > 0 else 1.0
        return max(self.masking_p * rise, 0.01), self.masking_patch_p if epoch >= self.masking_patch_epoch else 0.0


@dataclass(frozen=True)
class LEARunConfig(RunConfig):
    """A training run of LEA, under the names and with the values of the published script.

    `continuous_epoch` and `blur` are ours: before that epoch the sentence is heard as it was composed, but for noise of
    standard deviation `blur`, and at it the words get their start from data (0: words from the first step, from random
    places, as published).
    """

    masking_patch_epoch: int | None = None  # masking rises until this epoch (none: the last one, 0: no rise)
    masking_patch_p: float = 0.0
    board_proba_epoch_start: int = 1000
    board_proba_epoch_end: int = 2000
    board_proba_start: tuple[float, float, float] = (0.95, 0.05, 0.0)
    board_proba_end: tuple[float, float, float] = (0.6, 0.4, 0.0)
    loss_rfs_epoch_start: int = 250  # the weight of the speech losses rises from 0 to 1 between these epochs
    loss_rfs_epoch_end: int = 1000
    loss_speech_epoch_start: int = 1000  # the weight of the sparsity loss goes from its first value to its last
    loss_speech_epoch_end: int = 3000
    loss_speech_start: float = 0.0
    loss_speech_end: float = 0.0
    usage_cost: float = 0.25  # weight of the usage loss, which asks for words that are used equally often
    continuous_epoch: int = 0
    blur: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        if min(self.loss_speech_start, self.loss_speech_end, self.usage_cost, self.blur) < 0:
            raise CourseError("usage_cost, loss_speech_start, loss_speech_end and blur cannot be negative.")

    def speech_weights(self, epoch: int) -> tuple[float, float]:
        """(weight of the speech losses, weight of the sparsity loss) in this epoch."""
        heard = ramp(epoch, self.loss_rfs_epoch_start, self.loss_rfs_epoch_end)
        way = ramp(epoch, self.loss_speech_epoch_start, self.loss_speech_epoch_end)
        return heard, self.loss_speech_start + way * (self.loss_speech_end - self.loss_speech_start)


def ramp(at: float, first: float, last: float) -> float:
    """0 up to `first`, 1 from `last` on, a straight line between."""
    return min(1.0, max(0.0, (at - first) / (last - first))) if last > first else float(at >= last)
