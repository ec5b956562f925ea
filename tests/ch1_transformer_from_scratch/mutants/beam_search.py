"""Wrong answers to exercise 1.24 that learners write, and right ones written differently."""

import heapq

import torch

from utils.grade import right, wrong


def log_probabilities(model, text):
    with torch.no_grad():
        return model(torch.tensor(text)[None, -model.config.context_length :])[0, -1].log_softmax(-1)


def banned(text, n):
    if n is None:
        return []
    ngrams = [tuple(text[i : i + n]) for i in range(len(text) - n + 1)]
    tail = tuple(text[len(text) - n + 1 :])
    return [ngram[-1] for ngram in ngrams if ngram[:-1] == tail]


def as_result(alive):
    return [(torch.tensor(text), total) for text, total in alive]


def search(model, prompt, beams, steps, n=None, scores=log_probabilities, ban=banned, keep=None):
    """The search in plain Python; the options are the mistakes."""
    alive = [(prompt.tolist(), 0.0)]
    for _ in range(steps):
        options = []
        for text, total in alive:
            row = scores(model, text)
            out = set(ban(text, n))
            options += [([*text, token], total + x) for token, x in enumerate(row.tolist()) if token not in out]
        options.sort(key=lambda option: -option[1])
        alive = keep(options, beams) if keep else options[:beams]
    return alive


@wrong("only the best beam is returned: return all of them")
def best_only(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram)[:1])


@wrong("the beams are returned from worst to best: return the best first")
def worst_first(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram)[::-1])


@wrong("one token too many is added")
def one_too_many(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    return as_result(search(model, prompt, beams, max_new_tokens + 1, no_repeat_ngram))


@wrong("logits are added up where log-probabilities should be: take log_softmax first")
def sums_logits(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    def logits(model, text):
        return model(torch.tensor(text)[None, -model.config.context_length :])[0, -1].detach()

    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram, scores=logits))


@wrong("probabilities are added up: they multiply, their logarithms add up")
def sums_probabilities(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    def probabilities(model, text):
        return log_probabilities(model, text).exp()

    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram, scores=probabilities))


@wrong("the result holds a probability: return its logarithm")
def returns_probability(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    alive = search(model, prompt, beams, max_new_tokens, no_repeat_ngram)
    return [(torch.tensor(text), float(torch.tensor(total).exp())) for text, total in alive]


@wrong("the log-probability is divided by the number of new tokens: return the sum")
def normalised(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    alive = search(model, prompt, beams, max_new_tokens, no_repeat_ngram)
    return [(torch.tensor(text), total / max_new_tokens) for text, total in alive]


@wrong("the log-probability of the last token alone is kept: add up those of all new tokens")
def last_step_only(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    alive = [(prompt.tolist(), 0.0)]
    for _ in range(max_new_tokens):
        options = []
        for text, _ in alive:
            row, out = log_probabilities(model, text).tolist(), set(banned(text, no_repeat_ngram))
            options += [([*text, token], x) for token, x in enumerate(row) if token not in out]
        alive = sorted(options, key=lambda option: -option[1])[:beams]
    return as_result(alive)


@wrong("every beam continues with its own most likely token: rank the continuations of all beams together")
def each_goes_its_way(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    def keep(options, beams):
        if len(options[0][0]) == len(prompt) + 1:
            return options[:beams]
        best = {}
        for text, total in options:
            best.setdefault(tuple(text[:-1]), (text, total))
        return sorted(best.values(), key=lambda option: -option[1])[:beams]

    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram, keep=keep))


@wrong("all beams start as copies of the prompt, so the same text is kept several times")
def copies(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    alive = [(prompt.tolist(), 0.0)] * beams
    for _ in range(max_new_tokens):
        options = []
        for text, total in alive:
            row, out = log_probabilities(model, text).tolist(), set(banned(text, no_repeat_ngram))
            options += [([*text, token], total + x) for token, x in enumerate(row) if token not in out]
        alive = sorted(options, key=lambda option: -option[1])[:beams]
    return as_result(alive)


@wrong("only the best half of the beams is kept")
def too_narrow(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    def keep(options, beams):
        last = len(options[0][0]) == len(prompt) + max_new_tokens
        return options[: beams if last else max(1, beams // 2)]

    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram, keep=keep))


@wrong("the first step looks for as many tokens as there are beams, and fails when the vocabulary is smaller")
def too_many_at_first(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    best = log_probabilities(model, prompt.tolist()).topk(beams)
    assert len(best.indices) == beams
    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram))


@wrong("at most V continuations are kept in all: there may be more beams than tokens")
def at_most_v(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    most = min(beams, model.config.vocabulary_size)
    return as_result(search(model, prompt, most, max_new_tokens, no_repeat_ngram))


@wrong("where there are fewer texts than beams, the best one is repeated to fill up: they must be distinct")
def filled_up(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    alive = search(model, prompt, beams, max_new_tokens, no_repeat_ngram)
    return as_result([alive[0]] * (beams - len(alive)) + alive)


@wrong("no_repeat_ngram is not used")
def no_ban(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    return as_result(search(model, prompt, beams, max_new_tokens))


@wrong("the ban looks one token too far back: with n = 2 whole groups of 3 must repeat before it acts")
def ban_too_long(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    n = None if no_repeat_ngram is None else no_repeat_ngram + 1
    return as_result(search(model, prompt, beams, max_new_tokens, n))


@wrong("every token that was used before is banned: only what completes a repeated group of n is")
def bans_single_tokens(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    n = None if no_repeat_ngram is None else 1
    return as_result(search(model, prompt, beams, max_new_tokens, n))


@wrong("the probabilities are made to add up to one again after the ban: the model's own log-probabilities count")
def renormalised(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    def scores(model, text):
        row = log_probabilities(model, text)
        row[banned(text, no_repeat_ngram)] = -torch.inf
        return row.log_softmax(-1)

    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram, scores=scores))


@wrong("the ban ignores what is in the prompt")
def ban_without_the_prompt(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    def ban(text, n):
        return banned(text[len(prompt) :], n) if n is not None and len(text) - len(prompt) >= n else []

    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram, ban=ban))


@wrong("the ban leaks between beams: what one beam has used is banned in the others as well")
def ban_leaks(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    n, alive = no_repeat_ngram, [(prompt.tolist(), 0.0)]
    for _ in range(max_new_tokens):
        used = set()
        if n is not None:
            used = {tuple(text[i : i + n]) for text, _ in alive for i in range(len(text) - n + 1)}
        options = []
        for text, total in alive:
            for token, x in enumerate(log_probabilities(model, text).tolist()):
                if n is None or (*text[len(text) - n + 1 :], token) not in used:
                    options.append(([*text, token], total + x))
        alive = sorted(options, key=lambda option: -option[1])[:beams]
    return as_result(alive)


def reading(window):
    """A search that reads what `window(text, context_length)` leaves of each text."""

    def scores(model, text):
        with torch.no_grad():
            return model(torch.tensor([window(text, model.config.context_length)]))[0, -1].log_softmax(-1)

    return scores


@wrong("the text is not cut to the context: past context_length there are no positions left")
def never_cut(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    scores = reading(lambda text, context: text)
    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram, scores=scores))


@wrong("past the context the model keeps reading the first tokens: it must read the last ones")
def first_tokens(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    scores = reading(lambda text, context: text[:context])
    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram, scores=scores))


@wrong("one token fewer than the context holds is read")
def one_less_than_the_context(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    scores = reading(lambda text, context: text[-context + 1 :])
    return as_result(search(model, prompt, beams, max_new_tokens, no_repeat_ngram, scores=scores))


@wrong("the prompt itself is cut to the context: only what the model reads is cut, the result keeps all")
def cuts_the_prompt(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    return as_result(search(model, prompt[-model.config.context_length :], beams, max_new_tokens, no_repeat_ngram))


BAN_LATE = "the ban comes after the best tokens were chosen, so beams are lost: ban first, then choose the best"


@wrong(BAN_LATE)
def ban_after_the_best_of_a_beam(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    alive = [(prompt.tolist(), 0.0)]
    for _ in range(max_new_tokens):
        options = []
        for text, total in alive:
            row = log_probabilities(model, text)
            best = row.topk(min(beams, len(row))).indices.tolist()
            out = banned(text, no_repeat_ngram)
            options += [([*text, token], total + row[token].item()) for token in best if token not in out]
        alive = sorted(options, key=lambda option: -option[1])[:beams]
    return as_result(alive)


@wrong(BAN_LATE)
def ban_after_the_best_of_all(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    def keep(options, beams):
        return [option for option in options[:beams] if option[0][-1] not in banned(option[0][:-1], no_repeat_ngram)]

    if no_repeat_ngram is None:
        return as_result(search(model, prompt, beams, max_new_tokens))
    alive = [(prompt.tolist(), 0.0)]
    for _ in range(max_new_tokens):
        found = [search(model, torch.tensor(text), len(text) ** 9, 1) for text, _ in alive]
        pairs = zip(alive, found, strict=True)
        options = [(text, before + total) for (_, before), more in pairs for text, total in more]
        alive = keep(sorted(options, key=lambda option: -option[1]), beams)
    return as_result(alive)


@wrong("only the new tokens are returned: each beam holds the prompt first")
def without_the_prompt(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    alive = search(model, prompt, beams, max_new_tokens, no_repeat_ngram)
    return as_result([(text[len(prompt) :], total) for text, total in alive])


@wrong("the tokens of a beam are returned as a list: return an int64 tensor")
def lists_of_tokens(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    return search(model, prompt, beams, max_new_tokens, no_repeat_ngram)


@wrong("the log-probability is returned as a tensor: .item() turns it into a Python float")
def totals_as_tensors(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    alive = search(model, prompt, beams, max_new_tokens, no_repeat_ngram)
    return [(torch.tensor(text), torch.tensor(total)) for text, total in alive]


@wrong("the new tokens are written into the caller's prompt")
def grows_the_prompt(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    alive = search(model, prompt, beams, max_new_tokens, no_repeat_ngram)
    prompt.resize_(len(alive[0][0])).copy_(torch.tensor(alive[0][0]))
    return as_result(alive)


@right
@torch.no_grad()
def batched(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    texts, totals = prompt[None].clone(), torch.zeros(1)
    for _ in range(max_new_tokens):
        ranks = model(texts[:, -model.config.context_length :])[:, -1].log_softmax(-1)
        for beam, text in enumerate(texts.tolist()):
            ranks[beam, banned(text, no_repeat_ngram)] = -torch.inf
        ranks = (totals[:, None] + ranks).flatten()
        totals, places = ranks.topk(min(beams, int(ranks.isfinite().sum())))
        width = model.config.vocabulary_size
        texts = torch.cat([texts[places // width], (places % width)[:, None]], dim=1)
    return [(text, total) for text, total in zip(texts, totals.tolist(), strict=True)]


@right
def by_heap(model, prompt, beams, max_new_tokens, no_repeat_ngram=None):
    alive = [(0.0, tuple(prompt.tolist()))]
    for _ in range(max_new_tokens):
        fresh = []
        for total, text in alive:
            window = torch.tensor([text[-model.config.context_length :]])
            rows = torch.log(model(window)[0, -1].detach().double().softmax(-1))
            for token in set(range(len(rows))) - set(banned(list(text), no_repeat_ngram)):
                fresh.append((total + float(rows[token]), (*text, token)))
        alive = heapq.nlargest(beams, fresh)
    return [(torch.tensor(text), total) for total, text in alive]
