"""Settings of one training run, under the names of the original, and the name of its folder (chapter 3)."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from utils.course import CourseError
from utils.train import best_device, usable_device

from .languages import Language, language


@dataclass
class RunArgs:
    """One training run; the defaults are those of the authors' script generic_run. Raises CourseError if one is off."""

    lang: str  # key of a language; all of them: the command peep
    nheads: int = 1
    nlayers: int = 1
    d_model: int = 128
    ff: int = 0  # width of the MLP; 0: twice d_model
    batch_size: int = 50
    dropout: float = 0.0
    initial_lr: float = 3e-4
    gamma: float = 0.98  # the learning rate is multiplied by it after each epoch
    n_epochs: int = 50
    optim: Literal["adam", "sgd"] = "adam"
    reset_patience: int = 10  # more epochs than this without a lower validation loss: back to the best weights
    attn_loss_c: float = 100.0  # weight of the attention loss, in languages with attention targets
    positional_encoding_type: Literal["sin", "embed"] = "sin"
    max_len: int = 5000  # longest sequence the model can take
    add_BOS: bool = False  # put § in front inside the model, and drop its output
    with_causal_mask: bool = False  # no position sees a later one
    overfit: bool = False  # one sequence for all splits, and plain SGD
    tiny: int = 0  # so many sequences in every split; 0: all
    crop_train: int = 0  # so many sequences in the training set; 0: all
    crop_all: int = 0  # so many sequences in every split; 0: all
    subfolder: str = ""
    index: int = 1
    no_timestamp: bool = False  # the folder's name holds no date
    overwrite: bool = False  # an existing folder may be written again
    longest: int = 100  # length of the longest training sequence
    n_train: int = 50_000
    n_valid: int = 1000
    n_test: int = 1000
    longer: int = 0  # also test on sequences up to this length, all longer than those of training; 0: no
    clip: float = 0.0  # gradients longer than this are shortened to it; 0: never
    bucket: int = 16  # batches that are sorted by length together: less padding; 1: none
    seed: int = 0
    folder: Path = Path("lms")
    device: str = field(default_factory=best_device)
    threads: int | None = None  # CPU threads; none: torch's choice

    @property
    def language(self) -> Language:
        return language(self.lang)

    @property
    def width(self) -> int:
        return self.ff or 2 * self.d_model

    @property
    def attention(self) -> bool:
        """Whether attention is supervised."""
        return self.language.supervised and self.attn_loss_c > 0

    def check(self) -> None:
        """Raises CourseError for what cannot be."""
        lang = self.language
        may_be_zero = (
            "ff",
            "dropout",
            "attn_loss_c",
            "tiny",
            "crop_train",
            "crop_all",
            "longer",
            "clip",
            "index",
            "seed",
        )
        may_be_zero += ("reset_patience",)
        for part in fields(self):
            value = getattr(self, part.name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if number and not (value > 0 or (part.name in may_be_zero and value == 0)):
                about = "zero or above zero" if part.name in may_be_zero else "above zero"
                raise CourseError(f"{part.name} must be {about}, but it is {value}.")
        if self.d_model % self.nheads:
            raise CourseError(f"d_model ({self.d_model}) must be a multiple of nheads ({self.nheads}).")
        if self.longer and self.longer <= self.longest:
            raise CourseError(f"longer must be above longest ({self.longest}), but it is {self.longer}.")
        if self.attention:
            for layer, heads in enumerate(lang.heads):
                if layer >= self.nlayers or heads > self.nheads:
                    need = f"{len(lang.heads)} layers and {max(lang.heads)} heads"
                    has = f"{self.nlayers} and {self.nheads}"
                    raise CourseError(
                        f"{self.lang} supervises head ({layer}, {heads - 1}): it needs {need}, not {has}."
                    )
        if max(self.longest, self.longer) + 2 > self.max_len:
            raise CourseError(f"max_len ({self.max_len}) is too short for sequences of {self.longest} symbols and §.")
        if ".." in Path(self.subfolder).parts or Path(self.subfolder).is_absolute():
            raise CourseError(f"subfolder must lie inside {self.folder}, but it is {self.subfolder!r}.")
        usable_device(self.device)

    @property
    def name(self) -> str:
        """Name of the run's folder, without a date."""
        bos = "_withBOS" if self.add_BOS else ""
        return (
            f"L{self.nlayers}_H{self.nheads}_D{self.d_model}_FF{self.width}_drop{self.dropout}_epochs{self.n_epochs}"
            f"_pos-{self.positional_encoding_type}_lr-start{self.initial_lr}_gamma{self.gamma}_max-len{self.max_len}"
            f"_res-index0{bos}_{self.index}"
        )

    @property
    def place(self) -> Path:
        return self.folder / self.subfolder / self.lang / self.name


# The words of generic_run: what each is called here.
WORDS = {
    "lang": "lang",
    "heads": "nheads",
    "layers": "nlayers",
    "dim": "d_model",
    "ff": "ff",
    "batch": "batch_size",
    "dropout": "dropout",
    "lr": "initial_lr",
    "gamma": "gamma",
    "epochs": "n_epochs",
    "optim": "optim",
    "attn_c": "attn_loss_c",
    "position": "positional_encoding_type",
    "overfit": "overfit",
    "tinyset": "tiny",
    "traincrop": "crop_train",
    "subfolder": "subfolder",
    "index": "index",
}
SMALL = {"nheads": 4, "d_model": 16, "ff": 20, "nlayers": 2, "tiny": 100}  # what small=true stands for


def options_of(arguments: Sequence[str]) -> list[str]:
    """The arguments with every word such as lang=reverse_10 as an option; small=true becomes its five settings.

    Raises CourseError for an unknown word, and names the nearest.
    """
    found: list[str] = []
    small: list[str] = []
    for argument in arguments:
        word, equals, value = argument.partition("=")
        if argument.startswith("-") or not equals:
            found.append(argument)
            continue
        if word == "small":
            if _yes(word, value):
                for name, number in SMALL.items():
                    small += [f"--{name.replace('_', '-')}", str(number)]
            continue
        name = WORDS.get(word, word.replace("-", "_"))
        kinds = {part.name: part.type for part in fields(RunArgs)}
        if name not in kinds:
            near = difflib.get_close_matches(word, [*WORDS, "small"], n=1, cutoff=0.0)[0]
            raise CourseError(f"There is no setting {word!r}; the nearest is {near!r}.")
        option = name.replace("_", "-")
        if kinds[name] is bool:
            found.append(f"--{option}" if _yes(word, value) else f"--no-{option}")
        else:
            found += [f"--{option}", value]
    return small + found


def _yes(word: str, value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0", "yes", "no"):
        raise CourseError(f"{word} must be true or false, but it is {value!r}.")
    return value.lower() in ("true", "1", "yes")
