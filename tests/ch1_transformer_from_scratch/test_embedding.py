"""Hidden tests of exercise 1.1. The fixture Embedding is the class under test: the reference, a learner's, a mutant."""

import torch

from utils.grade import close, only_parameters, require, shaped

B, T, E, V, CONTEXT = 3, 5, 7, 11, 9  # all different: a mixed-up axis shows


def make(draw):
    """A config and random weights; the columns have unequal scales, so that a rescaled table shows."""
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
    return config, {"W_E": draw.normal(V, E, std=1.5, mean=0.5)}


def rows(table, tokens):
    """The oracle, one token at a time."""
    return torch.stack([torch.stack([table[int(token)] for token in row]) for row in tokens])


def test_shape_and_input(Embedding, draw):
    config, weights = make(draw)
    tokens = draw.integers(1, V - 1, B, T)
    out = Embedding.forward(config, weights, tokens)
    shaped(
        out["result"],
        (B, T, E),
        "Embedding must return one vector per token, shape (B, T, E)",
        inputs={"tokens": tokens},
    )
    require(bool(out["args"][0].equal(tokens)), "the tokens were changed in place: they belong to the caller")
    says = "two calls on the same tokens differ: use W_E itself, and nothing random (dropout, a new table)"
    close(Embedding.forward(config, weights, tokens)["result"], out["result"], says)
    only_parameters(out["extra"])


def test_looks_up_rows(Embedding, draw):
    config, weights = make(draw)
    tokens = draw.integers(1, V - 1, B, T)
    got = Embedding.forward(config, weights, tokens)["result"]
    says = "the vector of a token must be that token's own row of W_E, unchanged: look at what indexes the table"
    close(got, rows(weights["W_E"], tokens), says, inputs={"tokens": tokens})


def test_first_and_last_token(Embedding, draw):
    config, weights = make(draw)
    tokens = torch.tensor([[0, V - 1, 0], [V - 1, 0, V - 2]])
    got = Embedding.forward(config, weights, tokens)["result"]
    says = "the first or the last token of the vocabulary does not get its row of W_E: every id counts, 0 included"
    close(got, rows(weights["W_E"], tokens), says, inputs={"tokens": tokens})


def test_gradients(Embedding, draw):
    config, weights = make(draw)
    seed = draw.seed
    tokens = torch.cat([torch.zeros(B, 1, dtype=torch.int64), draw.integers(0, V, B, T - 1)], dim=1)
    out = Embedding.gradients(config, weights, tokens, seed=seed)
    require("W_E" in out["gradients"], "no gradient reaches W_E, so it would never be trained: keep it in the graph")
    direction = torch.randn(B, T, E, generator=torch.Generator().manual_seed(seed))
    expected = torch.zeros(V, E)
    for row, changes in zip(tokens, direction, strict=True):
        for token, change in zip(row, changes, strict=True):
            expected[int(token)] += change
    says = "the gradient of W_E is wrong: a row must learn from every place where its token occurs"
    close(out["gradients"]["W_E"], expected, says, inputs={"tokens": tokens})
