"""The sizes of a transformer (chapter 1)."""

from dataclasses import dataclass, field

from utils.course import CourseError
from utils.train import best_device


@dataclass
class TransformerConfig:
    """Shape of a GPT-2-style transformer; the defaults are those of GPT-2 small (Radford et al. 2019, table 2).

    N * H need not equal E.
    """

    embedding_dimension: int = 768  # E, width of the residual stream
    vocabulary_size: int = 50257  # V, number of tokens
    context_length: int = 1024  # the longest sequence
    attention_head_dimension: int = 64  # H, width of one head
    num_attention_heads: int = 12  # N, heads per block
    num_transformer_layers: int = 12  # L, blocks
    mlp_dimension: int = 3072  # M, hidden width of the MLP
    layer_normalization_epsilon: float = 1e-5  # added to the variance
    weight_initialization_range: float = 0.02  # standard deviation of every weight matrix at the start
    device: str = field(default_factory=best_device)  # cuda, mps or cpu

    def __post_init__(self):
        """Raises CourseError for a size that is not above zero."""
        for name, value in vars(self).items():
            if name != "device" and not value > 0:
                raise CourseError(f"{name} must be above zero, but it is {value}.")
