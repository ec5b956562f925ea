"""Hidden tests of exercise 4.2, against a loop over sentences and positions."""

import torch

from utils.grade import close, equal, require, shaped


def probe_embedding(embed, tokens, cfg):
    """The embedding, its type, and the tokens afterwards."""
    result = embed(tokens, SimpleNamespace(**cfg))
    kind = str(result.dtype) if torch.is_tensor(result) else type(result).__name__
    return {"result": result, "kind": kind, "tokens": tokens}


def expected(tokens, N):
    """The oracle: one row at a time."""
    x = torch.zeros(*tokens.shape, 2 * N)
    for b, sentence in enumerate(tokens.tolist()):
        for h, token in enumerate(sentence):
            x[b, h, token] = 1
            if h > 0:
                x[b, h, N + sentence[h - 1]] = 1
    return x


def embedded(embed, draw, B, T, N, absent=0):
    """Embeds random tokens, among them the first of the vocabulary and, but for `absent`, the last; cfg.H is not T."""
    last = N - 1 - absent
    tokens = draw.integers(0, last + 1, B, T)
    tokens[0, 0], tokens[-1, -1], tokens[-1, 0] = 0, last, last
    cfg = {"vocab_size": N, "H": T + 3, "Q": 2, "Y": 2}
    got = embed.run(probe_embedding, tokens, cfg)
    dtype = got["result"].dtype if torch.is_tensor(got["result"]) else torch.float32
    shaped(got["result"], (B, T, 2 * N), "the shape must be (B, T, 2N)", dtype=dtype, inputs={"tokens": tokens})
    says = f"the embedding must be of torch's default float type, float32, as the weights are, and not {dtype}"
    require(dtype == torch.float32, says)
    return got, tokens, expected(tokens, N)


def test_current_token(embed, draw):
    N = 6 + draw.index
    got, tokens, right = embedded(embed, draw, 3, 5, N, absent=2 * draw.index)
    says = "the first N columns are not one-hot in the current token"
    close(got["result"][..., :N], right[..., :N], says, inputs={"tokens": tokens})


def test_previous_token(embed, draw):
    N = 6 + draw.index
    got, tokens, right = embedded(embed, draw, 3, 5, N)
    says = "the last N columns are not one-hot in the token before"
    close(got["result"][:, 1:, N:], right[:, 1:, N:], says, inputs={"tokens": tokens})


def test_first_position(embed, draw):
    N = 6 + draw.index
    for T in (4, 1):
        got, tokens, right = embedded(embed, draw, 3, T, N)
        says = "position 0 has no token before it: its last N columns must all be zero"
        close(got["result"], right, says, inputs={"tokens": tokens})


def test_tokens_are_left_alone(embed, draw):
    got, tokens, _ = embedded(embed, draw, 2, 4, 5)
    equal(got["tokens"], tokens, "the caller's tokens are different after the call")
