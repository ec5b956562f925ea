"""Hidden tests of exercise 4.17, on a model whose logits are read from a table."""

import torch

from utils.grade import equal, require
from utils.grade.judge import a_thing

B, T, N = 5, 3, 9
# tokens that are the best of xi_A, of xi_F, of xi, then second and last of xi_A and of xi_F; the last token wins too
FIXED = [(8, 5, 3, 0, 1, 2, 4), (4, 8, 6, 1, 3, 0, 2), (3, 7, 0, 5, 6, 8, 1)]


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
    """Logits whose winners differ, for xi, their sum, too; the votes are judged in form."""
    xi_A, xi_F = draw.normal(B, N, std=0.3), draw.normal(B, N, std=0.3)
    places = torch.stack([draw.permutation(N)[:7] for _ in range(B)])
    places[: len(FIXED)] = torch.tensor(FIXED)
    rows, (best_A, best_F, best, second_A, least_A, second_F, least_F) = torch.arange(B), places.T
    xi_A[rows, best_A], xi_A[rows, second_A], xi_A[rows, least_A] = 8.0, 7.0, -6.0
    xi_F[rows, best_F], xi_F[rows, second_F], xi_F[rows, least_F] = 8.0, 7.0, -6.0
    xi_A[rows, best], xi_F[rows, best] = 6.0, 6.0  # the sum is largest here
    xi_A[rows, best_F], xi_F[rows, best_A] = 3.0, 3.0
    xi_A[rows, second_F], xi_F[rows, second_A] = 4.0, 4.0  # where a layer exceeds the other most is another place
    for table in (xi_A, xi_F):
        table[::3] -= 20.0  # in these rows the largest logit is the smallest in absolute value
    tables = (xi_A + xi_F, xi_A, xi_F)
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
    return result, places[tokens[:, 0]]


def test_votes_of_attention(layer_votes, draw):
    result, places = votes(layer_votes, draw)
    says = "the first votes are not the tokens with the largest logits of the attention layer, xi_A"
    equal(result[0], places[:, 0], says)


def test_votes_of_the_feed_forward_layer(layer_votes, draw):
    result, places = votes(layer_votes, draw)
    says = "the second votes are not the tokens with the largest logits of the feed-forward layer, xi_F"
    equal(result[1], places[:, 1], says)
