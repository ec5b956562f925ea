"""Hidden tests of exercise 1.24: beams against the judge's own search, every probability against the model's.

The model is built in the probe, of the chapter's names, so that a search may call it or use a cache.
"""

import torch
import torch.nn.functional as F

from utils.grade import close, require

V, T = 7, 3
CONFIG = {
    "embedding_dimension": 12,
    "vocabulary_size": V,
    "context_length": 12,
    "attention_head_dimension": 5,
    "num_attention_heads": 3,
    "num_transformer_layers": 2,
    "mlp_dimension": 20,
    "layer_normalization_epsilon": 1e-5,
    "weight_initialization_range": 0.02,
    "device": "cpu",
}


def probe_search(beam_search, config, weights, prompt, beams, max_new_tokens, more):
    """Run the search on a transformer with these weights; its beams, and the prompt afterwards."""
    settings = SimpleNamespace(**config)

    class Part(nn.Module):
        def __init__(self, prefix):
            super().__init__()
            self.config = settings
            for name, value in weights.items():
                if name.startswith(prefix) and "." not in name[len(prefix) :]:
                    self.register_parameter(
                        name[len(prefix) :], nn.Parameter(value, requires_grad=not name.endswith("b_U"))
                    )

    class Embedding(Part):
        def forward(self, tokens):
            return F.embedding(tokens, self.W_E)

    class PositionalEmbedding(Part):
        def forward(self, tokens):
            return self.W_P[: tokens.shape[1]].expand(len(tokens), -1, -1)

    class LayerNorm(Part):
        def forward(self, x):
            return F.layer_norm(x, x.shape[-1:], self.w, self.b, settings.layer_normalization_epsilon)

    class MLP(Part):
        def forward(self, x):
            return F.gelu(x @ self.W_in + self.b_in, approximate="tanh") @ self.W_out + self.b_out

    class Unembedding(Part):
        def forward(self, x):
            return x @ self.W_U + self.b_U

    class Attention(Part):
        def forward(self, x):
            q, k, v = (
                torch.einsum("bte,neh->bnth", x, getattr(self, "W_" + c)) + getattr(self, "b_" + c)[:, None]
                for c in "QKV"
            )
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return torch.einsum("bnth,nhe->bte", mixed, self.W_O) + self.b_O

    class Block(Part):
        def forward(self, x):
            x = x + self.attention(self.layer_norm_1(x))
            return x + self.mlp(self.layer_norm_2(x))

    class Transformer(Part):
        def forward(self, tokens):
            x = self.embedding(tokens) + self.positional_embedding(tokens)
            for block in self.blocks:
                x = block(x)
            return self.unembedding(self.final_layer_norm(x))

    model = Transformer("-")
    model.embedding, model.positional_embedding = Embedding("embedding."), PositionalEmbedding("positional_embedding.")
    model.blocks = nn.ModuleList(Block("-") for _ in range(settings.num_transformer_layers))
    for i, block in enumerate(model.blocks):
        block.layer_norm_1, block.layer_norm_2 = (
            LayerNorm(f"blocks.{i}.layer_norm_1."),
            LayerNorm(f"blocks.{i}.layer_norm_2."),
        )
        block.attention, block.mlp = Attention(f"blocks.{i}.attention."), MLP(f"blocks.{i}.mlp.")
    model.final_layer_norm, model.unembedding = LayerNorm("final_layer_norm."), Unembedding("unembedding.")
    found = beam_search(model, prompt, beams, max_new_tokens, **more)
    pairs = isinstance(found, (list, tuple)) and all(isinstance(b, (list, tuple)) and len(b) == 2 for b in found)
    if not pairs or not all(torch.as_tensor(total).numel() == 1 for _, total in found):
        return {"beams": None, "prompt": prompt}
    return {"beams": [(torch.as_tensor(tokens), float(total)) for tokens, total in found], "prompt": prompt}


def random_weights(draw, config):
    """Weights whose attention scores have a standard deviation of about 1.5; random gains and biases."""
    E, V, N, H = (
        config[k] for k in ("embedding_dimension", "vocabulary_size", "num_attention_heads", "attention_head_dimension")
    )
    M, std = config["mlp_dimension"], (1.5 / E) ** 0.5
    weights = {"embedding.W_E": draw.normal(V, E), "positional_embedding.W_P": draw.normal(config["context_length"], E)}
    for i in range(config["num_transformer_layers"]):
        at = f"blocks.{i}"
        for norm in ("layer_norm_1", "layer_norm_2"):
            weights |= {f"{at}.{norm}.w": draw.normal(E, mean=1, std=0.3), f"{at}.{norm}.b": draw.normal(E, std=0.3)}
        for letter in "QKV":
            weights[f"{at}.attention.W_{letter}"] = draw.normal(N, E, H, std=std)
            weights[f"{at}.attention.b_{letter}"] = draw.normal(N, H, std=0.5)
        weights |= {
            f"{at}.attention.W_O": draw.normal(N, H, E, std=std),
            f"{at}.attention.b_O": draw.normal(E, std=0.5),
        }
        weights |= {f"{at}.mlp.W_in": draw.normal(E, M, std=std), f"{at}.mlp.b_in": draw.normal(M, std=0.5)}
        weights |= {f"{at}.mlp.W_out": draw.normal(M, E, std=M**-0.5), f"{at}.mlp.b_out": draw.normal(E, std=0.5)}
    weights |= {"final_layer_norm.w": draw.normal(E, mean=1, std=0.3), "final_layer_norm.b": draw.normal(E, std=0.3)}
    return weights | {"unembedding.W_U": draw.normal(E, V, std=std * 1.5), "unembedding.b_U": draw.normal(V, std=0.5)}


def whole_logits(weights, config, tokens):
    """The oracle: all positions at once, with torch's own layer norm, attention and GELU."""

    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.w"], weights[f"{name}.b"], 1e-5)

    x = weights["embedding.W_E"][tokens] + weights["positional_embedding.W_P"][: tokens.shape[1]]
    for i in range(config["num_transformer_layers"]):
        a = {k: weights[f"blocks.{i}.attention.{k}"] for k in ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O")}
        y = norm(x, f"blocks.{i}.layer_norm_1")[:, None]
        q, k, v = (y @ a[f"W_{letter}"] + a[f"b_{letter}"][:, None] for letter in "QKV")
        x = x + (F.scaled_dot_product_attention(q, k, v, is_causal=True) @ a["W_O"]).sum(1) + a["b_O"]
        m = {k: weights[f"blocks.{i}.mlp.{k}"] for k in ("W_in", "b_in", "W_out", "b_out")}
        hidden = F.gelu(norm(x, f"blocks.{i}.layer_norm_2") @ m["W_in"] + m["b_in"], approximate="tanh")
        x = x + hidden @ m["W_out"] + m["b_out"]
    return norm(x, "final_layer_norm") @ weights["unembedding.W_U"] + weights["unembedding.b_U"]


def banned(text, n):
    """Tokens that would complete n tokens in a row that the text already holds."""
    if n is None:
        return set()
    seen = {tuple(text[i : i + n]) for i in range(len(text) - n + 1)}
    return {token for token in range(V) if (*text[len(text) - n + 1 :], token) in seen}


def search(weights, prompt, beams, steps, n=None, leak=False):
    """The oracle: all continuations of all beams, ranked; `leak` bans what any beam holds (to find telling inputs)."""
    alive = [(prompt.tolist(), 0.0)]
    for _ in range(steps):
        logits = whole_logits(weights, CONFIG, torch.tensor([text for text, _ in alive]))[:, -1]
        options, rows = [], logits.double().log_softmax(-1).tolist()
        for row, (text, total) in zip(rows, alive, strict=True):
            out = banned(text, n)
            if leak and n:
                seen = {tuple(other[i : i + n]) for other, _ in alive for i in range(len(other) - n + 1)}
                out = {token for token in range(V) if (*text[len(text) - n + 1 :], token) in seen}
            options += [([*text, token], total + row[token]) for token in range(V) if token not in out]
        alive = sorted(options, key=lambda option: -option[1])[:beams]
    return alive


def telling(draw, tells, prompt=None):
    """Weights and a prompt for which `tells(weights, prompt)` holds: inputs on which a mistake shows."""
    for _ in range(60):
        weights = random_weights(draw, CONFIG)
        text = draw.integers(0, V, T) if prompt is None else prompt(draw)
        if tells(weights, text):
            return weights, text
    raise RuntimeError("no telling input was drawn")


def run(beam_search, weights, prompt, beams, steps, **more):
    got = beam_search.run(probe_search, CONFIG, weights, prompt, beams, steps, more)
    says = "the result must be a list of pairs, tokens and log-probability, one for each beam"
    require(got["beams"] is not None, says)
    found = []
    for tokens, total in got["beams"]:
        require(tokens.ndim == 1, f"the tokens of a beam must have one axis, not the shape {tuple(tokens.shape)}")
        listed = [int(token) for token in tokens]
        found.append(
            (listed if len(listed) != steps else prompt.tolist() + listed, total)
        )  # the prompt may be left out
    return found, got


def check(found, right, says, prompt):
    """Beams in the right order, with the right totals."""
    shown = {"inputs": {"prompt": prompt}}
    for text, _ in found:
        require(len(text) == len(right[0][0]), "a beam must hold the prompt and max_new_tokens new tokens", **shown)
        require(text[: len(prompt)] == prompt.tolist(), "a beam does not begin with the prompt", **shown)
    require(len({tuple(text) for text, _ in found}) == len(found), "the same text is returned more than once", **shown)
    require(len(found) == len(right), f"{len(found)} beams are returned, not {len(right)}", **shown)
    totals = [total for _, total in found]
    require(totals == sorted(totals, reverse=True), "the beams are not ordered from most to least likely", **shown)
    expected = torch.tensor([text for text, _ in right])
    require([text for text, _ in found] == expected.tolist(), says, expected=expected, **shown)
    close(
        torch.tensor(totals),
        torch.tensor([total for _, total in right]),
        "the texts are right, but a log-probability is not the sum of the model's own over the new tokens",
        rtol=1e-3,
        atol=1e-3,
    )


def clear(right):
    """Whether the totals keep a distance that rounding cannot bridge."""
    totals = [total for _, total in right]
    return all(a - b > 1e-3 for a, b in zip(totals, totals[1:], strict=False))


def test_one_beam_is_greedy(beam_search, draw):
    steps = 3 + draw.index
    weights, prompt = telling(draw, lambda w, p: clear(search(w, p, 3, steps)))
    found, _ = run(beam_search, weights, prompt, 1, steps)
    check(found, search(weights, prompt, 1, steps), "one beam must follow the most likely token at every step", prompt)


def test_several_beams(beam_search, draw):
    beams, steps = 3 + draw.index, 4

    def tells(weights, prompt):  # the best text is not the greedy one
        right = search(weights, prompt, beams, steps)
        return (
            clear(search(weights, prompt, beams + 1, steps)) and right[0][0] != search(weights, prompt, 1, steps)[0][0]
        )

    weights, prompt = telling(draw, tells)
    found, _ = run(beam_search, weights, prompt, beams, steps)
    check(found, search(weights, prompt, beams, steps), "other beams were kept than the most likely ones", prompt)


def test_more_beams_than_tokens(beam_search, draw):
    beams = V + 4 + draw.index
    weights, prompt = telling(draw, lambda w, p: clear(search(w, p, beams + 1, 2)))
    found, _ = run(beam_search, weights, prompt, beams, 2)
    check(found, search(weights, prompt, beams, 2), "with more beams than tokens the wrong ones were kept", prompt)


def test_fewer_texts_than_beams(beam_search, draw):
    weights, prompt = telling(draw, lambda w, p: clear(search(w, p, V * V, 1 + draw.index)))
    found, _ = run(beam_search, weights, prompt, V * V + 2, 1 + draw.index)
    says = "with more beams than texts there are, every text must be found, once"
    check(found, search(weights, prompt, V * V + 2, 1 + draw.index), says, prompt)


def test_ban_within_a_beam(beam_search, draw):
    n = 1 + draw.index  # single tokens, then pairs

    def prompt(draw):
        return draw.permutation(V)[:1]  # nothing in it to repeat

    def tells(weights, text):
        right = search(weights, text, 1, 5, n)
        return clear(search(weights, text, 3, 5, n)) and right != search(weights, text, 1, 5)

    weights, text = telling(draw, tells, prompt)
    found, _ = run(beam_search, weights, text, 1, 5, no_repeat_ngram=n)
    check(
        found,
        search(weights, text, 1, 5, n),
        f"with one beam and no {n} tokens in a row repeated the text is off",
        text,
    )


def test_ban_covers_the_prompt(beam_search, draw):
    def prompt(draw):
        a, b, c = draw.permutation(V)[:3].tolist()
        return torch.tensor([a, b, c, a])  # b must not follow

    def tells(weights, text):
        first = whole_logits(weights, CONFIG, text[None])[0, -1].argmax()
        return first == text[1] and clear(search(weights, text, 2, 3, 2))

    weights, text = telling(draw, tells, prompt)
    found, _ = run(beam_search, weights, text, 1, 3, no_repeat_ngram=2)
    check(found, search(weights, text, 1, 3, 2), "what the prompt holds must not be repeated either", text)


def test_ban_is_each_beams_own(beam_search, draw):
    def tells(weights, text):
        right = search(weights, text, 3, 4, 2)
        return clear(search(weights, text, 4, 4, 2)) and right != search(weights, text, 3, 4, 2, leak=True)

    weights, text = telling(draw, tells)
    found, _ = run(beam_search, weights, text, 3, 4, no_repeat_ngram=2)
    says = "with several beams the ban goes wrong: one beam may use what only another has used"
    check(found, search(weights, text, 3, 4, 2), says, text)


def test_prompt_is_left_alone(beam_search, draw):
    weights, prompt = random_weights(draw, CONFIG), draw.integers(0, V, T)
    _, got = run(beam_search, weights, prompt, 2, 3)
    require(torch.equal(got["prompt"], prompt), "the caller's prompt is different after the call")
