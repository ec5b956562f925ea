"""A RASP program as the weights of a transformer, and the check that it is the same program (chapter 3).

Source: Lindner et al. 2023 (Tracr); differences are told in the docstrings.
"""

import itertools
import random

from utils.ch3.blocks import CompileError
from utils.ch3.compiled import CompiledModel
from utils.ch3.plan import Plan

from .language import SOp
from .model import Encoder, EncoderConfig
from .values import Atom, RaspError
from .weights import aggregate_to_ov, lookup_mlp, selector_to_head, step_mlp

__all__ = ["CompileError", "CompiledModel", "compile_rasp", "empty_encoder", "same_value", "verify"]


def empty_encoder(plan: Plan, causal: bool = False) -> Encoder:
    """An encoder of the plan's size, without layer norm, its MLPs with ReLU, and every weight 0."""
    config = EncoderConfig(
        vocabulary_size=len(plan.vocab) + 1,
        classes=len(plan.b_U),
        embedding_dimension=plan.width,
        num_attention_heads=plan.most_heads,
        attention_head_dimension=plan.head_width,
        num_transformer_layers=plan.layers,
        mlp_dimension=plan.mlp_width,
        context_length=plan.n + 1,
        positions="embed",
        norm="none",
        causal=causal,
    )
    encoder = Encoder(config)
    for parameter in encoder.parameters():
        parameter.requires_grad_(False).zero_()
    return encoder


def compile_rasp(sop, vocab: list, max_len: int, causal: bool = False) -> CompiledModel:
    """The program as a transformer that is right on every input of 1 to max_len tokens of the vocabulary.

    The model reads BOS first, so that a row that chooses nothing has something to look at. It has as many layers as
    `report` counts, or one more where tokens and positions are mixed before any attention, by a function or by an
    `or` of selectors that can't be counted apart, or where float32 has too few digits to tell several numbers apart
    in one layer. A head's scores are what selector_to_head promises, also where the model's heads are wider than it
    needs, and weights that the plan does not speak of are 0. Hidden width grows like max_len squared: keep it below
    about 30. Raises CompileError, naming the step, for means of other values than 0 and 1, tables that are too large,
    tokens read as another type, and, with `causal`, selectors that look to the right.
    """
    plan = Plan(sop, vocab, max_len, (selector_to_head, aggregate_to_ov, lookup_mlp, step_mlp), causal)
    encoder = empty_encoder(plan, causal)
    # solution
    encoder.embedding.W_E.copy_(plan.W_E)
    encoder.positional_embedding.W_P.copy_(plan.W_P)
    for layer, block in enumerate(encoder.blocks):
        attention, mlp = block.attention, block.mlp
        for n, (W_Q, W_K, W_V, W_O) in enumerate(plan.heads_of(layer)):
            D, D_V = W_Q.shape[1], W_V.shape[1]
            wider = plan.head_width / D  # attention divides by the root of the width that all heads share
            attention.W_Q[n, :, :D] = W_Q * wider**0.5
            attention.W_K[n, :, :D] = W_K
            attention.W_V[n, :, :D_V] = W_V
            attention.W_O[n, :D_V] = W_O
        at = 0
        for W_in, W_out in plan.units_of(layer):
            units = slice(at, at + len(W_out))
            mlp.W_in[:, units] = W_in
            mlp.W_out[units] = W_out
            at += len(W_out)
    encoder.unembedding.W_U.copy_(plan.W_U)
    encoder.unembedding.b_U.copy_(plan.b_U)
    # end solution
    return CompiledModel(encoder, vocab, max_len, plan.values)


def verify(model: CompiledModel, sop: SOp, tries: int = 200, seed: int = 0) -> dict | None:
    """The first difference of model and program on all inputs of up to three tokens and on random ones, or None.

    The difference is {"input", "model", "program"}. Inputs on which the program itself fails are left out.
    """
    generator = random.Random(seed)
    words = [list(w) for k in range(1, min(3, model.max_len) + 1) for w in itertools.product(model.vocab, repeat=k)]
    words += [generator.choices(model.vocab, k=generator.randint(1, model.max_len)) for _ in range(tries)]
    for word in words:
        try:
            expected = sop(word)
        except RaspError:
            continue
        got = model(word)
        if not all(map(same_value, got, expected)):
            return {"input": word, "model": got, "program": expected}
    return None


def same_value(a: Atom, b: Atom) -> bool:
    """Equal, numbers to four digits."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) < 1e-4
    return type(a) is type(b) and a == b
