"""Every setting of chapter 2: the data, both models, the optimiser, the two training runs.

Settings may be written as name=value, with dots for what is nested: data_args.k=5 optim_args.use_sgd=True.
"""

import difflib
from dataclasses import dataclass, field, fields, is_dataclass
from types import UnionType
from typing import Any, get_args

from utils.course import CourseError

WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
NOTHING = ("none", "null", "~")


@dataclass
class DataArgs:
    """The bigram task: which tokens are triggers, and what follows them."""

    k: int = 0  # trigger tokens per sequence; 0: plain bigram data, without in-context metrics
    seq_length: int = 256  # T, the tokens that the model reads; sequences are drawn with one more
    show_latents: bool = False  # write the k triggers themselves before each sequence
    fixed_special_toks: bool = False  # True: the same k most frequent tokens everywhere; False: drawn for each sequence
    special_toks_offset: int = 0  # with fixed triggers: skip this many of the most frequent tokens
    output_counter: bool = True  # flags count the occurrences of a trigger (1, 2, ...); False: they are always 1
    no_repeat: bool = False  # a trigger is never its own output


@dataclass
class ModelArgs:
    """The simplified transformer: two layers, one head each, W_Q the identity, some maps frozen at random.

    Source: Bietti et al. 2023, section 4.2.
    """

    vocab_size: int = -1  # V; -1: taken from the data
    dim: int = 64  # d, width of the residual stream and of the one head
    max_length: int = 256  # rows of the position table: the longest sequence
    final_ffn: bool = False  # feed-forward branch in the second layer
    first_ffn: bool = False  # feed-forward branch in the first layer
    linear_final_ffn: bool = True  # the second layer's is one d x d map (W_F); False: a ReLU MLP, 4 d wide
    linear_first_ffn: bool = True  # the same for the first layer's
    freeze_embeddings: bool = False
    freeze_output: bool = False
    tie_output: bool = False  # the unembedding is the embedding table / sqrt(d)
    use_rope: bool = False  # rotary queries and keys in the first layer, and no position table
    sqrtd_embeddings: bool = False  # embeddings and positions of variance 1/d, not 1
    no_sqrtd: bool = False  # attention scores are not divided by sqrt(d)
    sin_cos: bool = False  # sinusoidal positions, not random ones


@dataclass
class FullModelArgs:
    """The full transformer: any number of layers and heads, LayerNorm, MLPs, learned positions."""

    vocab_size: int = -1  # V; -1: taken from the data
    n_layers: int = 2
    dim: int = 128  # d
    n_heads: int = 4  # divides d
    max_length: int = 256
    pre_norm: bool = True  # LayerNorm before attention and MLP, and one at the end; False: after them
    no_ffn: bool = False
    no_norm: bool = False
    linear_ffn: bool = False  # one d x d map for each MLP
    no_first_layer_ffn: bool = False
    freeze_embeddings: bool = False  # tokens and positions
    freeze_output: bool = False
    tie_output: bool = False  # one table for embedding and unembedding; freeze_output has the last word
    freeze_wv: bool = False
    freeze_wo: bool = False
    no_wo: bool = False  # W_O is the identity
    no_wv: bool = False  # W_V is the identity
    sin_cos: bool = False
    parallel_ffn: bool = False  # pre-norm MLPs read the block's input, as the published code does


@dataclass
class OptimArgs:
    """SGD with momentum, or AdamW with betas (0.9, 0.95)."""

    learning_rate: float = 0.2
    weight_decay: float = 1e-4
    momentum: float = 0.9  # of SGD
    batch_size: int = 512
    use_sgd: bool = True


@dataclass
class FullOptimArgs(OptimArgs):
    """AdamW with betas (0.9, 0.99), or SGD with momentum."""

    learning_rate: float = 0.01
    weight_decay: float = 0.01
    batch_size: int = 64
    use_sgd: bool = False


@dataclass
class TrainerArgs:
    """What both training runs share."""

    optim_args: OptimArgs = field(default_factory=OptimArgs)
    data_args: DataArgs = field(default_factory=DataArgs)
    model_args: ModelArgs = field(default_factory=ModelArgs)
    max_iters: int | None = None  # None: until Ctrl-C
    eval_delta: int = 5  # iterations between measurements
    log_norms: bool = False  # print the norms of weights and gradients (the file always has them)
    log_probes: bool = False  # print the memory recall probes (the file always has them)
    freeze_until: str = ""  # "300:layers.0.attention.wk.weight,...": frozen until that iteration
    loss_head_only: bool = True  # loss over in-context positions only; False: over all
    bigram_outs_train: bool = False  # outputs drawn from the trigger's bigrams, not uniformly
    bigram_outs_test: bool = False  # the same in the test batch
    num_data_workers: int = 60  # kept for the published command line: batches are drawn in this process
    seed: int = 42
    save_dir: str | None = None  # folder for params.json, res.jsonl and the model
    root_dir: str = ""  # save_dir is looked for in here


@dataclass
class FullTrainerArgs(TrainerArgs):
    """The full model's run: the loss is over all positions unless said otherwise."""

    optim_args: FullOptimArgs = field(default_factory=FullOptimArgs)
    model_args: FullModelArgs = field(default_factory=FullModelArgs)
    loss_head_only: bool = False


def named(settings, prefix: str = "") -> dict[str, tuple[Any, Any]]:
    """Every setting by its dotted name: (the dataclass object that holds it, its field)."""
    found = {}
    for entry in fields(settings):
        value = getattr(settings, entry.name)
        if is_dataclass(value):
            found |= named(value, f"{prefix}{entry.name}.")
        else:
            found[prefix + entry.name] = (settings, entry)
    return found


def assign(settings, assignments: list[str], prefixes: dict[str, Any] | None = None) -> None:
    """Carry out name=value texts on a dataclass object, in place; of `prefixes`, more objects are known by name.

    Raises CourseError for an unknown name (it names the nearest) and for a value of another type.
    """
    known = named(settings)
    for prefix, more in (prefixes or {}).items():
        known |= named(more, prefix)
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise CourseError(f"There is no setting {name!r}; the nearest is {near[0]!r}.")
        holder, entry = known[name]
        setattr(holder, entry.name, parse(name, text, entry.type))


def parse(name: str, text: str, kind: Any) -> Any:
    """A value of the annotated type. Raises CourseError for a text of another type."""
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    if type(None) in kinds and text.lower() in NOTHING:
        return None
    if bool in kinds:
        if text.lower() not in WORDS:
            raise CourseError(f"{name} must be True or False, but it is {text!r}.")
        return WORDS[text.lower()]
    for number, what in ((int, "a whole number"), (float, "a number")):
        if number in kinds:
            try:
                return number(text)
            except ValueError:
                raise CourseError(f"{name} must be {what}, but it is {text!r}.") from None
    wanted = next(kind for kind in kinds if kind is not type(None))
    return wanted(text)
