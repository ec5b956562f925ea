"""Every setting of chapter 2: the data, both models, the optimiser, the two training runs."""

from dataclasses import dataclass, field


@dataclass
class DataArgs:
    """The bigram task: which tokens are triggers, and what follows them."""

    k: int = 0  # trigger tokens in a sequence; 0: plain bigram data, no in-context metrics
    seq_length: int = 256  # T, tokens that the model reads; sequences are drawn with one more
    show_latents: bool = False  # write the k triggers themselves before each sequence
    fixed_special_toks: bool = False  # True: the same k most frequent tokens all run long; False: drawn per sequence
    special_toks_offset: int = 0  # with fixed triggers: pass over so many of the most frequent tokens
    output_counter: bool = True  # flags count a trigger's occurrences (1, 2, ...); False: they are always 1
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
