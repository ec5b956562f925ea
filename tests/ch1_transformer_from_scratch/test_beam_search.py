"""Hidden tests of exercise 1.24: beams against the judge's own search, every probability against the model's.

The model is built in the probe, of the chapter's names, so that a search may call it or use a cache.
"""

from pathlib import Path

import torch

from utils.grade import a_thing, close, load_file, plain_number, require, takes_along

ours = load_file(Path(__file__).with_name("_stand_in.py"))

V, T = 7, 3
CONFIG = ours.CONFIG | {"vocabulary_size": V, "context_length": 12}


@takes_along(ours.stand_in, ours.whole_logits)
def probe_search(beam_search, config, weights, prompt, beams, max_new_tokens, more):
    """Run the search on a transformer with these weights; its beams as they are, and the prompt afterwards."""
    model = stand_in(config, weights)
    found = beam_search(model, prompt, beams, max_new_tokens, **more)
    pairs = isinstance(found, list) and all(isinstance(beam, (list, tuple)) and len(beam) == 2 for beam in found)
    return {"beams": [tuple(beam) for beam in found] if pairs else None, "prompt": prompt}


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
        read = torch.tensor([text[-CONFIG["context_length"] :] for text, _ in alive])
        logits = ours.whole_logits(weights, CONFIG, read)[:, -1]
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
        weights = ours.random_weights(draw, CONFIG, sharpness=1.5)
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
        is_text = torch.is_tensor(tokens) and tokens.dtype == torch.int64
        require(is_text, f"the tokens of a beam must be an int64 tensor, but they are {a_thing(tokens)}")
        require(tokens.ndim == 1, f"the tokens of a beam must have one axis, not the shape {tuple(tokens.shape)}")
        plain_number(total, float, "the log-probability of a beam")
        found.append((tokens.tolist(), total))
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
    check(found, search(weights, prompt, beams, steps), "the beams that were kept are not the most likely ones", prompt)


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


def test_past_the_context(beam_search, draw):
    length, steps = [(CONFIG["context_length"] - 1, 4), (CONFIG["context_length"] + 2, 2)][draw.index]

    def tells(weights, text):
        return clear(search(weights, text, 3, steps))

    weights, prompt = telling(draw, tells, lambda draw: draw.integers(0, V, length))
    found, _ = run(beam_search, weights, prompt, 2, steps)
    says = "once a text is longer than the context, the model must read exactly its last context_length tokens"
    check(found, search(weights, prompt, 2, steps), says, prompt)


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
        f"with one beam and no {n} tokens in a row repeated the text is wrong",
        text,
    )


def test_ban_covers_the_prompt(beam_search, draw):
    def prompt(draw):
        a, b, c = draw.permutation(V)[:3].tolist()
        return torch.tensor([a, b, c, a])  # b must not follow

    def tells(weights, text):
        first = ours.whole_logits(weights, CONFIG, text[None])[0, -1].argmax()
        return first == text[1] and clear(search(weights, text, 2, 3, 2))

    weights, text = telling(draw, tells, prompt)
    found, _ = run(beam_search, weights, text, 1, 3, no_repeat_ngram=2)
    check(found, search(weights, text, 1, 3, 2), "what is in the prompt must not be repeated either", text)


def test_ban_is_each_beams_own(beam_search, draw):
    def tells(weights, text):
        right = search(weights, text, 3, 4, 2)
        return clear(search(weights, text, 4, 4, 2)) and right != search(weights, text, 3, 4, 2, leak=True)

    weights, text = telling(draw, tells)
    found, _ = run(beam_search, weights, text, 3, 4, no_repeat_ngram=2)
    says = "with several beams the ban goes wrong: one beam may use what only another has used"
    check(found, search(weights, text, 3, 4, 2), says, text)


def test_prompt_is_left_alone(beam_search, draw):
    weights, prompt = ours.random_weights(draw, CONFIG, sharpness=1.5), draw.integers(0, V, T)
    _, got = run(beam_search, weights, prompt, 2, 3)
    require(torch.equal(got["prompt"], prompt), "the caller's prompt is different after the call")
