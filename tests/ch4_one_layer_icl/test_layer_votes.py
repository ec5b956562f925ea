"""Hidden tests of exercise 4.17, on a model whose logits are read from a table."""

import torch

from utils.grade import equal, require
from utils.grade.judge import a_thing

B, T, N = 5, 3, 9


def probe_votes(layer_votes, xi, xi_A, xi_F, batch):
    """Votes on a model that looks its logits up by the first token; the forms of what is returned, and the batch."""

    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.xi, self.xi_A, self.xi_F = nn.Parameter(xi), nn.Parameter(xi_A), nn.Parameter(xi_F)

        def forward(self, tokens):
            if tokens.ndim != 2:
                raise ValueError(f"the model takes tokens (B, T), but was given the shape {tuple(tokens.shape)}")
            rows = tokens[:, 0]
            return self.xi[rows], self.xi_A[rows], self.xi_F[rows]

    return {"result": layer_votes(Table(), batch), "batch": batch}


def votes(layer_votes, draw):
    """Random logits whose three winners differ; the votes are judged in form."""
    tables = [draw.normal(B, N, std=2) for _ in range(3)]
    winners = torch.stack([draw.permutation(N)[:3] for _ in range(B)])
    winners[0], winners[1] = torch.tensor([0, N - 1, 1]), torch.tensor([2, 3, N - 1])  # the last token can win
    for table, winner in zip(tables, winners.T, strict=True):
        table[torch.arange(B), winner] = table.amax(1) + 1.0
        table[: B // 2] -= 8.0  # in these rows the largest logit is the smallest in absolute value
        table[torch.arange(B // 2, B), winner[B // 2 :]] += 8.0
    tokens = draw.integers(0, N, B, T)
    tokens[:, 0] = draw.permutation(B)
    batch = (tokens, draw.integers(0, N, B), draw.integers(0, N, B))
    got = layer_votes.run(probe_votes, *tables, batch)
    result = got["result"]
    says = "layer_votes must return a pair: the votes of attention and those of the feed-forward layer"
    require(result is not None, f"{says}, but it returns {a_thing(result)}")
    require(isinstance(result, (tuple, list)) and len(result) == 2 and all(torch.is_tensor(x) for x in result), says)
    for part, name in zip(result, ("attention", "the feed-forward layer"), strict=True):
        shape = tuple(part.shape)
        require(shape == (B,), f"the votes of {name} must have the shape (B,), one for each sentence, not {shape}")
        require(part.dtype == torch.int64, f"the votes of {name} must be token ids (int64), not {part.dtype}")
    return result, winners[tokens[:, 0]]


def test_votes_of_attention(layer_votes, draw):
    result, winners = votes(layer_votes, draw)
    says = "the first votes are not the tokens with the largest logits of the attention layer, xi_A"
    equal(result[0], winners[:, 1], says)


def test_votes_of_the_feed_forward_layer(layer_votes, draw):
    result, winners = votes(layer_votes, draw)
    says = "the second votes are not the tokens with the largest logits of the feed-forward layer, xi_F"
    equal(result[1], winners[:, 2], says)
