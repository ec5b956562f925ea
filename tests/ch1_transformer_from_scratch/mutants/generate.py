"""Wrong answers to exercise 1.21 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def greedy(logits):
    return int(logits.argmax())


def next_token(model, tokens, sample):
    return sample(model(tokens[None, -model.config.context_length :])[0, -1])


def extend(tokens, token):
    return torch.cat([tokens, torch.tensor([token])])


@wrong("only the new tokens are returned: the prompt comes first")
def without_the_prompt(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt, max_new_tokens, sample, stop)[len(prompt) :]


@wrong("the result keeps the batch axis: return one axis, (T + new,)")
def keeps_the_batch(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt, max_new_tokens, sample, stop)[None]


@wrong("the model is given the prompt without a batch axis: it takes (B, T)")
def no_batch_axis(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        tokens = extend(tokens, sample(model(tokens[-model.config.context_length :])[-1]))
        if tokens[-1] == stop:
            break
    return tokens


@wrong("one token too many is generated")
def one_too_many(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt, max_new_tokens + 1, sample, stop)


@wrong("one token too few is generated")
def one_too_few(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt, max_new_tokens - 1, sample, stop)


@wrong("max_new_tokens is taken as the length of the whole text: it counts the new tokens")
def whole_length(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt, max_new_tokens - len(prompt), sample, stop)


@wrong("the logits of the first position are used: the next token follows from the last one")
def first_position(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        tokens = extend(tokens, sample(model(tokens[None, -model.config.context_length :])[0, 0]))
        if tokens[-1] == stop:
            break
    return tokens


@wrong("the model reads only the last token: it needs all that went before")
def last_token_only(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        tokens = extend(tokens, sample(model(tokens[None, -1:])[0, -1]))
        if tokens[-1] == stop:
            break
    return tokens


@wrong("the model reads the prompt again and again: the tokens it has written must be read too")
def prompt_only(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        tokens = extend(tokens, next_token(model, prompt, sample))
        if tokens[-1] == stop:
            break
    return tokens


@wrong("the given `sample` is not used: greedy chooses every token")
def always_greedy(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt, max_new_tokens, greedy, stop)


@wrong("`sample` is given probabilities or logits of another shape than (V,): pass on the last row only")
def batch_of_logits(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        logits = model(tokens[None, -model.config.context_length :])[:, -1]
        tokens = extend(tokens, int(greedy(logits[0])) if sample is greedy else int(sample(logits)))
        if tokens[-1] == stop:
            break
    return tokens


@wrong("the text is not cut to the context: past context_length the model has no position left")
def never_cut(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        tokens = extend(tokens, sample(model(tokens[None])[0, -1]))
        if tokens[-1] == stop:
            break
    return tokens


@wrong("past the context the first tokens are read on and on: read the last ones")
def first_tokens(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        tokens = extend(tokens, sample(model(tokens[None, : model.config.context_length])[0, -1]))
        if tokens[-1] == stop:
            break
    return tokens


@wrong("one token less than the context holds is read")
def one_less_than_the_context(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        tokens = extend(tokens, sample(model(tokens[None, -model.config.context_length + 1 :])[0, -1]))
        if tokens[-1] == stop:
            break
    return tokens


@wrong("generation ends at the context length: let the window slide on")
def ends_at_the_context(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        if len(tokens) >= model.config.context_length:
            break
        tokens = extend(tokens, next_token(model, tokens, sample))
        if tokens[-1] == stop:
            break
    return tokens


@wrong("a first token is always generated, also where max_new_tokens is 0")
def at_least_one(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt, max(1, max_new_tokens), sample, stop)


@wrong("`stop` is not used: generation goes on after it")
def never_stops(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt, max_new_tokens, sample, None)


@wrong("the stop token is cut off: it is kept")
def cuts_the_stop(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        token = next_token(model, tokens, sample)
        if token == stop:
            break
        tokens = extend(tokens, token)
    return tokens


@wrong("one more token follows the stop token")
def stops_late(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens, done = prompt, False
    for _ in range(max_new_tokens):
        tokens = extend(tokens, next_token(model, tokens, sample))
        if done:
            break
        done = tokens[-1] == stop
    return tokens


@wrong("a stop token with the id 0 is taken for none: compare `stop` with None")
def zero_is_none(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt, max_new_tokens, sample, stop or None)


@wrong("a stop token anywhere in the text ends it, even in the prompt: look at the new token only")
def looks_everywhere(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        tokens = extend(tokens, next_token(model, tokens, sample))
        if stop in tokens.tolist():
            break
    return tokens


@wrong(
    "the last token is compared with `stop` before anything is written, so that a prompt ending in it stays as it is"
)
def looks_before_writing(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        if tokens[-1] == stop:
            break
        tokens = extend(tokens, next_token(model, tokens, sample))
    return tokens


@wrong("the new tokens are written into the caller's prompt")
def grows_the_prompt(model, prompt, max_new_tokens, sample=greedy, stop=None):
    result = simple(model, prompt, max_new_tokens, sample, stop)
    prompt.resize_(len(result)).copy_(result)
    return prompt.clone()


@wrong("the model is left in eval mode: restore the mode it had before")
def left_in_eval_mode(model, prompt, max_new_tokens, sample=greedy, stop=None):
    model.eval()
    return simple(model, prompt, max_new_tokens, sample, stop)


@wrong("the model is always left in train mode: restore the mode it had before")
def left_in_train_mode(model, prompt, max_new_tokens, sample=greedy, stop=None):
    model.eval()
    result = simple(model, prompt, max_new_tokens, sample, stop)
    model.train()
    return result


@wrong("`sample` is given the logits of all positions: the last position alone predicts the next token")
def all_positions(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        tokens = extend(tokens, sample(model(tokens[None, -model.config.context_length :])[0]))
    return tokens


@wrong("`sample` must be given the logits themselves, before any softmax: samplers do that on their own")
def probabilities(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt, max_new_tokens, lambda logits: sample(logits.softmax(-1)), stop)


@wrong("one token more than the context holds is read")
def one_more_than_the_context(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt
    for _ in range(max_new_tokens):
        tokens = extend(tokens, sample(model(tokens[None, -model.config.context_length - 1 :])[0, -1]))
        if tokens[-1] == stop:
            break
    return tokens


@wrong("the prompt itself is cut to the context: only what the model reads is cut, the result keeps all")
def cuts_the_prompt(model, prompt, max_new_tokens, sample=greedy, stop=None):
    return simple(model, prompt[-model.config.context_length :], max_new_tokens, sample, stop)


@wrong("when `stop` ends the text early the model stays in eval mode: restore its mode on every way out")
def stays_in_eval_mode(model, prompt, max_new_tokens, sample=greedy, stop=None):
    was_training, tokens = model.training, prompt
    model.eval()
    for _ in range(max_new_tokens):
        tokens = extend(tokens, next_token(model, tokens, sample))
        if tokens[-1] == stop:
            return tokens
    model.train(was_training)
    return tokens


@right
@torch.no_grad()
def simple(model, prompt, max_new_tokens, sample=greedy, stop=None):
    tokens = prompt.clone()
    for _ in range(max_new_tokens):
        tokens = extend(tokens, next_token(model, tokens, sample))
        if tokens[-1] == stop:
            break
    return tokens


@right
def by_list(model, prompt, max_new_tokens, sample=greedy, stop=None):
    was_training = model.training
    model.eval()
    text, limit = prompt.tolist(), len(prompt) + max_new_tokens
    with torch.inference_mode():
        while len(text) < limit:
            window = torch.tensor(text[max(0, len(text) - model.config.context_length) :])
            text.append(int(sample(model(window.unsqueeze(0)).squeeze(0)[-1])))
            if stop is not None and text[-1] == stop:
                break
    model.train(was_training)
    return torch.tensor(text)


@right
def by_buffer(model, prompt, max_new_tokens, sample=greedy, stop=None):
    length, context = len(prompt), model.config.context_length
    buffer = torch.cat([prompt, prompt.new_zeros(max_new_tokens)])[None]
    end = length
    while end < length + max_new_tokens and (
        end == length or int(buffer[0, end - 1]) != (-1 if stop is None else stop)
    ):
        with torch.no_grad():
            buffer[0, end] = sample(model(buffer[:, max(0, end - context) : end])[0, -1, :])
        end += 1
    return buffer[0, :end]


@right
def by_recursion(model, prompt, max_new_tokens, sample=greedy, stop=None):
    if max_new_tokens == 0:
        return prompt
    tokens = extend(prompt, next_token(model, prompt, sample))
    return tokens if tokens[-1] == stop else by_recursion(model, tokens, max_new_tokens - 1, sample, stop)
