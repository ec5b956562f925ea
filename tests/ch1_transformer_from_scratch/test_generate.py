"""Hidden tests of exercise 1.21, on a small model whose logits depend on every token it reads and on its place."""

import torch

from utils.grade import a_thing, equal, require

V, CONTEXT = 9, 6


def probe_text(generate, table, prompt, max_new_tokens, more, rank, training):
    """Generate with a model that notes what it reads; `rank`: sample the token of that rank (None: the default)."""

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.config = SimpleNamespace(context_length=table.shape[0], vocabulary_size=table.shape[1])
            self.table, self.dropout, self.read = nn.Parameter(table), nn.Dropout(0.0), []

        def forward(self, tokens):
            if tokens.ndim != 2:
                raise ValueError(f"the model takes tokens (B, T), but was given the shape {tuple(tokens.shape)}")
            self.read.append(list(tokens.shape))
            calm.append(not (self.training or self.dropout.training))
            recording.append(torch.is_grad_enabled())
            places = torch.arange(tokens.shape[1]).clamp(max=len(self.table) - 1)
            return self.table[places, tokens].cumsum(1)

    model = Reader().train(training)
    seen, spreads, calm, recording = [], [], [], []

    def sample(logits):
        seen.append(list(logits.shape))
        spreads.append((logits.max() - logits.min()).item())
        return int(logits.flatten().argsort(descending=True)[rank]) % table.shape[1]

    if rank is not None:
        more = {**more, "sample": sample}
    with torch.enable_grad():  # whatever it leaves behind ends here
        result = generate(model, prompt, max_new_tokens, **more)
        trainable = torch.is_grad_enabled() and model.table.requires_grad
    return {
        "result": result,
        "prompt": prompt,
        "longest": max((shape[1] for shape in model.read), default=0),
        "seen": seen,
        "spreads": spreads,
        "modes": [model.training, model.dropout.training],
        "calm": all(calm),
        "recording": any(recording),
        "trainable": trainable,
    }


def expected(table, prompt, max_new_tokens, rank=0, stop=None):
    """The oracle: the model's sum taken token by token over the last CONTEXT tokens."""
    tokens = prompt.tolist()
    for _ in range(max_new_tokens):
        logits = sum(table[place, token] for place, token in enumerate(tokens[-CONTEXT:]))
        tokens.append(int(logits.argsort(descending=True)[rank]))
        if tokens[-1] == stop:
            break
    return torch.tensor(tokens)


def run(generate, draw, length, new, rank=None, training=False, table=None, prompt=None, **more):
    table = draw.normal(CONTEXT, V, V, std=2) if table is None else table
    prompt = draw.integers(0, V, length) if prompt is None else prompt
    got = generate.run(probe_text, table, prompt, new, more, rank, training)
    return got, expected(table, prompt, new, rank or 0, more.get("stop")), prompt


def check_tokens(got, right, says, prompt):
    result = got
    require(torch.is_tensor(result), f"the result must be an int64 tensor of tokens, but it is {a_thing(got)}")
    require(
        result.ndim == 1, f"the result must have one axis, (T + new,), but its shape is {tuple(result.shape)}", got=got
    )
    require(result.dtype == torch.int64, f"the result must hold token ids as int64, not as {result.dtype}")
    shown = {"expected": right, "got": result, "inputs": {"prompt": prompt}}
    require(torch.equal(result[: len(prompt)], prompt), "the result must begin with the prompt", **shown)
    require(
        len(result) == len(right),
        f"{len(result) - len(prompt)} tokens are new, not {len(right) - len(prompt)}",
        **shown,
    )
    equal(result, right, says, inputs={"prompt": prompt})


def test_greedy_continuation(generate, draw):
    got, right, prompt = run(generate, draw, 2, 3 + draw.index)
    check_tokens(got["result"], right, "the new tokens are not those that greedy sampling gives here", prompt)


def test_given_sampler_is_used(generate, draw):
    got, right, prompt = run(generate, draw, 2, 4, rank=1 + draw.index)
    require(got["seen"], "the given `sample` is never called")
    require(
        all(shape == [V] for shape in got["seen"]),
        f"`sample` takes the logits of one position, (V,) = ({V},), but was given the shape {tuple(got['seen'][0])}",
    )
    check_tokens(got["result"], right, "the new tokens are not those that the given `sample` chose", prompt)
    says = "`sample` must be given the logits themselves, before any softmax: samplers do that on their own"
    require(min(got["spreads"]) > 1.5, says)  # the logits span several units, probabilities never more than one


def test_past_the_context(generate, draw):
    for length in (3, CONTEXT + 2):  # grows beyond the context, starts beyond it
        got, right, prompt = run(generate, draw, length, 6 + draw.index)
        require(
            got["longest"] <= CONTEXT,
            f"the model was given {got['longest']} tokens, but its context holds {CONTEXT}: pass on the last ones only",
        )
        says = "once the text is longer than the context, the model must read exactly its last context_length tokens"
        check_tokens(got["result"], right, says, prompt)


def test_no_new_tokens(generate, draw):
    got, right, prompt = run(generate, draw, 3, 0)
    check_tokens(got["result"], right, "with max_new_tokens = 0 the result is the prompt", prompt)


def test_stop_is_kept(generate, draw):
    new = []
    while not new:  # a token that comes up for the first time, with more to follow
        table, prompt = draw.normal(CONTEXT, V, V, std=2), draw.integers(0, V, 2)
        whole = expected(table, prompt, 8)[2:].tolist()
        new = [i for i in range(1, 6) if whole[i] not in whole[:i] + prompt.tolist()]
    at = new[-1]
    got, right, _ = run(generate, draw, 2, 8, table=table, prompt=prompt, stop=whole[at])
    says = "generation must end right after the first new token that equals `stop`, which is kept"
    check_tokens(got["result"], right, says, prompt)


def test_stop_zero(generate, draw):
    table, prompt = draw.normal(CONTEXT, V, V, std=2), draw.integers(1, V, 2)
    table[1, :, 0] += 40.0  # the first new token is 0
    got, right, _ = run(generate, draw, 2, 5, table=table, prompt=prompt, stop=0)
    check_tokens(got["result"], right, "a stop token with the id 0 must stop the text like any other", prompt)


def test_stop_in_the_prompt(generate, draw):
    table, prompt = draw.normal(CONTEXT, V, V, std=2), draw.integers(0, V, 3)
    prompt[0] = V - 1
    prompt[2] = V - 1
    table[:, :, V - 1] -= 60.0  # the stop token never comes up again
    got, right, _ = run(generate, draw, 3, 4, table=table, prompt=prompt, stop=V - 1)
    check_tokens(got["result"], right, "a stop token in the prompt must not end the text", prompt)


def test_eval_mode_without_gradients(generate, draw):
    got, *_ = run(generate, draw, 3, 4, training=True)
    require(got["calm"], "the model was still in train mode when it was asked for logits: switch to eval mode first")
    says = "the model was asked for logits while gradients were recorded: use torch.no_grad()"
    require(not got["recording"], says)
    says = "after the text nothing can be trained any more: turn gradients off only while the model writes"
    require(got["trainable"], says)


def test_prompt_and_mode_are_left_alone(generate, draw):
    table = draw.normal(CONTEXT, V, V, std=2)
    got, _, prompt = run(generate, draw, 3, 4, training=draw.index == 1, table=table)
    equal(got["prompt"], prompt, "the caller's prompt is different after the call")
    mode = draw.index == 1
    says = "the model ends in another mode (train or eval) than it came in"
    equal(got["modes"], [mode, mode], says)
    first = int(got["result"][3]) if torch.is_tensor(got["result"]) else 0
    got, *_ = run(generate, draw, 3, 4, training=mode, table=table, prompt=prompt, stop=first)
    equal(got["modes"], [mode, mode], says + " when `stop` ends the text early")
