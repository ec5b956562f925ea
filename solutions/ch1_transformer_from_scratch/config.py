"""The two settings classes of chapter 1, and the sizes that suit the embedded text."""

from dataclasses import dataclass

from utils.ch1.config import TransformerConfig
from utils.course import CourseError


@dataclass
class TrainingArgs:
    """How long to train, and how."""

    learning_rate: float = 3e-4  # of AdamW, after the warm-up
    batch_size: int = 8  # sequences in a step
    num_epochs: int = 100  # the model is measured and saved after each
    max_steps_per_epoch: int = 200  # the run takes num_epochs * max_steps_per_epoch steps
    weight_decay: float = 1e-2  # of AdamW
    beta_2: float = 0.999  # AdamW's memory of squared gradients
    warmup_steps: int = 0  # steps over which the learning rate rises to its value
    decay_steps: int = 0  # last steps of the run, over which it falls to zero
    gradient_clip: float = 0.0  # gradients are scaled down to this norm; 0: never
    num_workers: int = 0  # processes that load batches; 0: the training process itself
    num_processes: int = 4  # processes that tokenise a large text
    text_sample_frequency: int = 200  # steps between sampled completions; 0: none
    table_log_frequency: int = 200  # steps between measurements on held-out text; 0: only after each epoch
    evaluation_rows: int = 0  # held-out rows that a measurement reads, spread over all of them; 0: every row
    seed: int = 0  # of the first weights and of the order of the rows
    tracker_project: str | None = None  # project of an experiment tracker (wandb); none: only the JSON lines
    run_name: str | None = None  # name of the run in the tracker

    def __post_init__(self):
        """Raises CourseError for a number that makes no sense."""
        may_be_zero = (
            *("weight_decay", "warmup_steps", "decay_steps", "gradient_clip", "num_workers", "text_sample_frequency"),
            *("table_log_frequency", "evaluation_rows", "seed"),
        )
        for name, value in vars(self).items():
            if isinstance(value, (int, float)) and not (value > 0 or (name in may_be_zero and value == 0)):
                raise CourseError(f"{name} must be {'zero or ' * (name in may_be_zero)}above zero, but it is {value}.")


def preset(name: str) -> tuple[TransformerConfig, TrainingArgs]:
    """Both settings at once: "notebook" (embedded text, under a minute on two cores) or "gpt2" (the defaults).

    Raises CourseError for another name.
    """
    if name == "gpt2":
        return TransformerConfig(), TrainingArgs()
    if name != "notebook":
        raise CourseError(f"There is no preset {name!r}: choose notebook or gpt2.")
    config = TransformerConfig(
        embedding_dimension=128,
        vocabulary_size=512,
        context_length=64,
        attention_head_dimension=32,
        num_attention_heads=4,
        num_transformer_layers=2,
        mlp_dimension=512,
        weight_initialization_range=0.06,  # about 1 / sqrt(E): with 0.02 a model this small starts slowly
    )
    args = TrainingArgs(
        learning_rate=4e-3,
        beta_2=0.95,
        warmup_steps=20,
        decay_steps=350,
        gradient_clip=1.0,
        batch_size=32,
        num_epochs=5,
        max_steps_per_epoch=100,
        num_processes=1,
        text_sample_frequency=250,
        table_log_frequency=100,
        evaluation_rows=256,
    )
    return config, args
