"""Generation that computes keys and values once (chapter 1, optional part)."""

from collections.abc import Callable
from copy import deepcopy

import torch
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from .attention import apply_causal_mask
from .sampling import greedy


class KVCache:
    """The keys and values of every layer for the tokens read so far.

    Shapes: `append` takes keys and values (B, T, N, H) of new tokens, and returns those of all tokens
    (B, T_all, N, H). Source: Shazeer 2019, section 2.4 (incremental inference).
    """

    def __init__(self, config, batch_size: int):
        N, H = config.num_attention_heads, config.attention_head_dimension
        self.keys = [torch.zeros(batch_size, 0, N, H) for _ in range(config.num_transformer_layers)]
        self.values = [torch.zeros(batch_size, 0, N, H) for _ in range(config.num_transformer_layers)]

    def append(
        self, layer: int, keys: Float[Tensor, "B T N H"], values: Float[Tensor, "B T N H"]
    ) -> tuple[Float[Tensor, "B T_all N H"], Float[Tensor, "B T_all N H"]]:
        """Append the new tokens of one layer to the stored ones; returns all keys and all values of the layer."""
        # solution
        self.keys[layer] = torch.cat([self.keys[layer].to(keys), keys], dim=1)
        self.values[layer] = torch.cat([self.values[layer].to(values), values], dim=1)
        return self.keys[layer], self.values[layer]
        # end solution

    @property
    def length(self) -> int:
        """Number of tokens that every layer has read."""
        # solution
        return min(keys.shape[1] for keys in self.keys)
        # end solution


def cached_forward(model: nn.Module, tokens: Int[Tensor, "B T"], cache) -> Float[Tensor, "B T V"]:
    """Logits of the new tokens only; what came before them is in the cache (a KVCache), which grows by T.

    Shapes: tokens (B, T) -> logits (B, T, V), equal to the last T rows of the uncached logits for any split of a text
    into chunks. Raises ValueError when the tokens do not fit the context. Source: Shazeer 2019, section 2.4.
    """
    # solution
    start, end = cache.length, cache.length + tokens.shape[1]
    if end > model.config.context_length:
        raise ValueError(f"{end} tokens do not fit the context of {model.config.context_length}.")
    residual = model.embedding(tokens) + model.positional_embedding.W_P[start:end]
    for layer, block in enumerate(model.blocks):
        attention = block.attention
        normalized = block.layer_norm_1(residual)
        queries = einsum(normalized, attention.W_Q, "B T E, N E H -> B T N H") + attention.b_Q
        keys = einsum(normalized, attention.W_K, "B T E, N E H -> B T N H") + attention.b_K
        values = einsum(normalized, attention.W_V, "B T E, N E H -> B T N H") + attention.b_V
        keys, values = cache.append(layer, keys, values)
        scores = einsum(queries, keys, "B T_Q N H, B T_K N H -> B N T_Q T_K") / queries.shape[-1] ** 0.5
        pattern = apply_causal_mask(scores).softmax(dim=-1)
        mixed = einsum(pattern, values, "B N T_Q T_K, B T_K N H -> B T_Q N H")
        residual = residual + einsum(mixed, attention.W_O, "B T N H, N H E -> B T E") + attention.b_O
        residual = residual + block.mlp(block.layer_norm_2(residual))
    return model.unembedding(model.final_layer_norm(residual))
    # end solution


@torch.no_grad()
def fast_reader(model: nn.Module) -> nn.Module:
    """A copy that computes the same for `cached_forward`, faster: for one token the calls cost more than the numbers.

    Layer norms and MLPs are torch's own kernels; W_Q, W_K, W_V are stored with E first, so that the product over E
    copies no weights.
    """
    copied = deepcopy(model)

    def linear(weight: Tensor, bias: Tensor) -> nn.Linear:
        layer = nn.Linear(*weight.shape, device=weight.device)
        layer.weight.data, layer.bias.data = rearrange(weight.data, "I O -> O I"), bias.data
        return layer

    def norm(ours: nn.Module) -> nn.LayerNorm:
        layer = nn.LayerNorm(len(ours.w), ours.config.layer_normalization_epsilon, device=ours.w.device)
        layer.weight.data, layer.bias.data = ours.w.data, ours.b.data
        return layer

    for block in copied.blocks:
        for name in ("W_Q", "W_K", "W_V"):
            weight = getattr(block.attention, name)
            weight.data = rearrange(rearrange(weight.data, "N E H -> E N H").contiguous(), "E N H -> N E H")
        mlp = block.mlp
        block.mlp = nn.Sequential(linear(mlp.W_in, mlp.b_in), nn.GELU("tanh"), linear(mlp.W_out, mlp.b_out))
        block.layer_norm_1, block.layer_norm_2 = norm(block.layer_norm_1), norm(block.layer_norm_2)
    copied.final_layer_norm = norm(copied.final_layer_norm)
    return copied


def generate_cached(
    model: nn.Module,
    prompt: Int[Tensor, "T"],
    max_new_tokens: int,
    sample: Callable[[Tensor], int] = greedy,
    stop: int | None = None,
) -> Int[Tensor, "T_all"]:
    """Like `generate`, token for token, but every token is read only once as long as the text fits the context.

    Past the context the window slides: every position then changes with each token, so nothing in the cache stays
    valid, and the last context_length tokens are read again.
    """
    before = model.training
    model.eval()
    context = model.config.context_length
    cache = KVCache(model.config, 1)
    tokens, reader = prompt, fast_reader(model)
    with torch.no_grad():
        for _ in range(max_new_tokens):
            if len(tokens) > context:
                logits = model(tokens[None, -context:])
            else:
                logits = cached_forward(reader, tokens[None, cache.length :], cache)
            token = sample(logits[0, -1])
            tokens = torch.cat([tokens, tokens.new_tensor([token])])
            if token == stop:
                break
    model.train(before)
    return tokens
