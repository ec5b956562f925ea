"""GPT-2's own weights in our model (chapter 1, optional part)."""

import torch
from einops import rearrange
from tokenizers import Tokenizer
from torch import Tensor, nn

from utils.course import CourseError

from .config import TransformerConfig
from .model import Transformer


def load_gpt2_weights(model: nn.Module, state_dict: dict[str, Tensor]) -> nn.Module:
    """Copy the weights of a `transformers` GPT2LMHeadModel into the model, in place; returns the model.

    Its linear layers (Conv1D) hold weights (in, out); `attn.c_attn` holds queries, keys and values side by side, each
    of them head by head; `lm_head.weight` is (V, E). b_U stays zero. Raises ValueError, naming the weight, where one
    is missing or has another shape. Source: transformers, models/gpt2/modeling_gpt2.py.
    """
    # solution
    N, H = model.config.num_attention_heads, model.config.attention_head_dimension

    def put(parameter: Tensor, name: str, pattern: str = "... -> ...", part: int | None = None, **sizes: int) -> None:
        if name not in state_dict:
            raise ValueError(f"The state dict has no weight called {name}.")
        weight = state_dict[name]
        if part is not None:
            weight = weight.chunk(3, dim=-1)[part]
        try:
            weight = rearrange(weight, pattern, **sizes)
        except Exception:  # einops names no weight
            raise ValueError(f"{name} has shape {tuple(state_dict[name].shape)}, not one for N={N}, H={H}.") from None
        if weight.shape != parameter.shape:
            raise ValueError(f"{name} gives shape {tuple(weight.shape)}, but the model has {tuple(parameter.shape)}.")
        parameter.copy_(weight)

    with torch.no_grad():
        put(model.embedding.W_E, "transformer.wte.weight")
        put(model.positional_embedding.W_P, "transformer.wpe.weight")
        for layer, block in enumerate(model.blocks):
            at = f"transformer.h.{layer}"
            put(block.layer_norm_1.w, f"{at}.ln_1.weight")
            put(block.layer_norm_1.b, f"{at}.ln_1.bias")
            for part, letter in enumerate("QKV"):
                W, b = getattr(block.attention, f"W_{letter}"), getattr(block.attention, f"b_{letter}")
                put(W, f"{at}.attn.c_attn.weight", "E (N H) -> N E H", part, N=N, H=H)
                put(b, f"{at}.attn.c_attn.bias", "(N H) -> N H", part, N=N, H=H)
            put(block.attention.W_O, f"{at}.attn.c_proj.weight", "(N H) E -> N H E", N=N, H=H)
            put(block.attention.b_O, f"{at}.attn.c_proj.bias")
            put(block.layer_norm_2.w, f"{at}.ln_2.weight")
            put(block.layer_norm_2.b, f"{at}.ln_2.bias")
            put(block.mlp.W_in, f"{at}.mlp.c_fc.weight")
            put(block.mlp.b_in, f"{at}.mlp.c_fc.bias")
            put(block.mlp.W_out, f"{at}.mlp.c_proj.weight")
            put(block.mlp.b_out, f"{at}.mlp.c_proj.bias")
        put(model.final_layer_norm.w, "transformer.ln_f.weight")
        put(model.final_layer_norm.b, "transformer.ln_f.bias")
        put(model.unembedding.W_U, "lm_head.weight", "V E -> E V")
        model.unembedding.b_U.zero_()
    return model
    # end solution


def pretrained_gpt2(name: str = "gpt2") -> tuple[Transformer, Tokenizer]:
    """Our model with the weights of a GPT-2 from the hub or from a folder, and its tokenizer.

    Raises CourseError where it cannot be loaded (no network, no such name, not a GPT-2) or `transformers` is missing.
    """
    try:
        from transformers import AutoTokenizer, GPT2LMHeadModel
        from transformers.utils import logging
    except ImportError:
        raise CourseError("GPT-2's weights need the package transformers: pip install transformers.") from None
    logging.set_verbosity_error()
    try:
        theirs = GPT2LMHeadModel.from_pretrained(name)
        tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True).backend_tokenizer
    except Exception as error:  # the hub's client raises a dozen kinds; to the user they are one
        raise CourseError(
            f"The model {name!r} could not be loaded ({type(error).__name__}): check the name and the network."
        ) from None
    model = Transformer(gpt2_config(theirs.config))
    return load_gpt2_weights(model, theirs.state_dict()).to(model.config.device), tokenizer


def gpt2_config(theirs) -> TransformerConfig:
    """Our config for a `transformers` GPT2Config."""
    return TransformerConfig(
        embedding_dimension=theirs.n_embd,
        vocabulary_size=theirs.vocab_size,
        context_length=theirs.n_positions,
        attention_head_dimension=theirs.n_embd // theirs.n_head,
        num_attention_heads=theirs.n_head,
        num_transformer_layers=theirs.n_layer,
        mlp_dimension=theirs.n_inner or 4 * theirs.n_embd,
        layer_normalization_epsilon=theirs.layer_norm_epsilon,
        weight_initialization_range=theirs.initializer_range,
    )
