"""Hidden tests of exercise 1.2. The fixture PositionalEmbedding is the class under test."""

import torch

from utils.grade import close, only_parameters, require, shaped

E, V, CONTEXT = 7, 11, 9
SIZES = [(3, 5), (4, 2)]  # (B, T) by draw: T below B in the second, always below the context


def make(draw):
    config = {
        "embedding_dimension": E,
        "vocabulary_size": V,
        "context_length": CONTEXT,
        "attention_head_dimension": 4,
        "num_attention_heads": 2,
        "num_transformer_layers": 3,
        "mlp_dimension": 13,
        "layer_normalization_epsilon": 1e-5,
        "weight_initialization_range": 0.02,
        "device": "cpu",
    }
    B, T = SIZES[draw.index % 2]
    return config, {"W_P": draw.normal(CONTEXT, E, std=1.5, mean=0.5)}, draw.integers(0, CONTEXT, B, T)


def rows(table, tokens):
    """The oracle: position by position, whatever the tokens are."""
    B, T = tokens.shape
    return torch.stack([torch.stack([table[t] for t in range(T)]) for _ in range(B)])


def test_shape_and_input(PositionalEmbedding, draw):
    config, weights, tokens = make(draw)
    out = PositionalEmbedding.forward(config, weights, tokens)
    shaped(
        out["result"],
        (*tokens.shape, E),
        "PositionalEmbedding must return one vector for each position of each row, shape (B, T, E)",
        inputs={"tokens": tokens},
    )
    require(bool(out["args"][0].equal(tokens)), "the tokens were changed in place: they belong to the caller")
    only_parameters(out["extra"])


def test_rows_by_position(PositionalEmbedding, draw):
    config, weights, tokens = make(draw)
    got = PositionalEmbedding.forward(config, weights, tokens)["result"]
    says = "position t of every row of the batch must get row t of W_P: look at which rows are taken, and in what order"
    close(got, rows(weights["W_P"], tokens), says, inputs={"tokens": tokens})


def test_full_context_and_one_token(PositionalEmbedding, draw):
    config, weights, _ = make(draw)
    tokens = draw.integers(0, CONTEXT, 2, CONTEXT) if draw.index % 2 == 0 else draw.integers(0, CONTEXT, 2, 1)
    got = PositionalEmbedding.forward(config, weights, tokens)["result"]
    says = f"the result is wrong for sequences of length {tokens.shape[1]} where the context is {CONTEXT}"
    close(got, rows(weights["W_P"], tokens), says, inputs={"tokens": tokens})


def test_gradients(PositionalEmbedding, draw):
    config, weights, tokens = make(draw)
    (B, T), seed = tokens.shape, draw.seed
    out = PositionalEmbedding.gradients(config, weights, tokens, seed=seed)
    require("W_P" in out["gradients"], "no gradient reaches W_P, so it would never be trained: keep it in the graph")
    direction = torch.randn(B, T, E, generator=torch.Generator().manual_seed(seed))
    expected = torch.cat([direction.sum(0), torch.zeros(CONTEXT - T, E)])
    says = "the gradient of W_P is wrong: position t must learn from every row of the batch"
    close(out["gradients"]["W_P"], expected, says, inputs={"tokens": tokens})
