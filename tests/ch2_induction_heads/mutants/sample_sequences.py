"""Wrong answers to exercise 2.3 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def choose(rows, generator):
    """One draw from each row of probabilities."""
    return torch.multinomial(rows, 1, generator=generator).squeeze(1)


def first(pi_u, B, generator):
    return torch.multinomial(pi_u, B, replacement=True, generator=generator)


def overruled(free, last, triggers, outputs):
    """The outputs where `last` is a trigger of its row."""
    for i in range(triggers.shape[1]):
        free = torch.where(last == triggers[:, i], outputs[:, i], free)
    return free


def walk(start, pi_b, triggers, outputs, seq_len, generator):
    x = [start]
    for _ in range(seq_len):
        x.append(overruled(choose(pi_b[x[-1]], generator), x[-1], triggers, outputs))
    return torch.stack(x, 1)


@wrong("the outputs of the first sequence are used for all: each row has its own")
def first_rows_outputs(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    return walk(start, pi_b, triggers, outputs[:1].expand_as(outputs), seq_len, generator)


@wrong("the triggers of the first sequence are used for all: each row has its own")
def first_rows_triggers(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    return walk(start, pi_b, triggers[:1].expand_as(triggers), outputs, seq_len, generator)


@wrong("triggers and outputs of the first sequence are used for all: each row has its own")
def first_rows_pairs(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    one = triggers[:1].expand_as(triggers), outputs[:1].expand_as(outputs)
    return walk(start, pi_b, *one, seq_len, generator)


@wrong("one table from trigger to output serves the whole batch, so that rows overwrite each other: each has its own")
def one_table(pi_u, pi_b, triggers, outputs, seq_len, generator):
    forced = torch.full((len(pi_u),), -1)
    for b in range(len(triggers)):
        forced[triggers[b]] = outputs[b]
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        free = choose(pi_b[x[-1]], generator)
        x.append(torch.where(forced[x[-1]] >= 0, forced[x[-1]], free))
    return torch.stack(x, 1)


@wrong("only the first trigger of each row has an effect")
def first_trigger_only(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    return walk(start, pi_b, triggers[:, :1], outputs[:, :1], seq_len, generator)


@wrong("every trigger is followed by the output of the row's first trigger")
def first_output(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    return walk(start, pi_b, triggers, outputs[:, :1].expand_as(outputs), seq_len, generator)


@wrong("the triggers have no effect: after a trigger comes its output, whatever pi_b says")
def plain_bigrams(pi_u, pi_b, triggers, outputs, seq_len, generator):
    none = triggers[:, :0]
    return walk(first(pi_u, len(triggers), generator), pi_b, none, none, seq_len, generator)


@wrong("triggers and outputs are exchanged: after the trigger comes the output")
def exchanged(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), generator), pi_b, outputs, triggers, seq_len, generator)


@wrong("a token that would be a trigger is replaced by its output: the trigger itself must be seen first")
def replaces_the_trigger(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        free = choose(pi_b[x[-1]], generator)
        x.append(overruled(free, free, triggers, outputs))
    return torch.stack(x, 1)


@wrong("the output comes two positions after the trigger: it is the very next token")
def one_late(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = [first(pi_u, len(triggers), generator)]
    for t in range(seq_len):
        free = choose(pi_b[x[-1]], generator)
        x.append(overruled(free, x[-2], triggers, outputs) if t else free)
    return torch.stack(x, 1)


@wrong("the outputs are put in after the whole sequence was drawn, so what follows them does not fit: put each in "
       "before the next token is drawn")  # fmt: skip
def put_in_afterwards(pi_u, pi_b, triggers, outputs, seq_len, generator):
    none = triggers[:, :0]
    x = walk(first(pi_u, len(triggers), generator), pi_b, none, none, seq_len, generator)
    for i in range(triggers.shape[1]):
        x[:, 1:] = torch.where(x[:, :-1] == triggers[:, i : i + 1], outputs[:, i : i + 1], x[:, 1:])
    return x


@wrong("the outputs are put in after the whole sequence was drawn, so what follows them does not fit: put each in "
       "before the next token is drawn")  # fmt: skip
def put_in_at_once(pi_u, pi_b, triggers, outputs, seq_len, generator):
    none = triggers[:, :0]
    x = walk(first(pi_u, len(triggers), generator), pi_b, none, none, seq_len, generator)
    after = [overruled(x[:, t + 1], x[:, t], triggers, outputs) for t in range(seq_len)]
    return torch.stack([x[:, 0], *after], 1)


@wrong("an output that is token 0 is lost: 0 is a token like any other, so mark what is not forced by another number")
def loses_token_zero(pi_u, pi_b, triggers, outputs, seq_len, generator):
    forced = torch.zeros(len(triggers), len(pi_u), dtype=torch.int64).scatter(1, triggers, outputs)
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        free, output = choose(pi_b[x[-1]], generator), forced.gather(1, x[-1][:, None])[:, 0]
        x.append(torch.where(output > 0, output, free))
    return torch.stack(x, 1)


@wrong("an output that is itself a trigger is replaced in the same step: it comes first, and its own output after it")
def replaces_again(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        free, token = choose(pi_b[x[-1]], generator), x[-1]
        for i in range(triggers.shape[1]):
            token = torch.where(token == triggers[:, i], outputs[:, i], token)
        x.append(torch.where((x[-1][:, None] == triggers).any(1), token, free))
    return torch.stack(x, 1)


@wrong("the walk continues from the token that was overruled: continue from the token that is written there")
def goes_on_from_the_free(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = [first(pi_u, len(triggers), generator)]
    last = x[0]
    for _ in range(seq_len):
        last, before = choose(pi_b[last], generator), x[-1]
        x.append(overruled(last, before, triggers, outputs))
    return torch.stack(x, 1)


@wrong("an output that is a trigger itself is not followed by its own output: triggers count wherever they come from")
def no_chains(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = [first(pi_u, len(triggers), generator)]
    forced = torch.zeros_like(x[0], dtype=torch.bool)
    for _ in range(seq_len):
        free = choose(pi_b[x[-1]], generator)
        following = overruled(free, x[-1], triggers, outputs)
        following = torch.where(forced, free, following)
        forced = (x[-1][:, None] == triggers).any(1) & ~forced
        x.append(following)
    return torch.stack(x, 1)


@wrong("a trigger is followed by its output only the first time: it is so every time")
def first_time_only(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x, left = [first(pi_u, len(triggers), generator)], triggers.clone()
    for _ in range(seq_len):
        x.append(overruled(choose(pi_b[x[-1]], generator), x[-1], left, outputs))
        left[left == x[-2][:, None]] = -1
    return torch.stack(x, 1)


@wrong("a trigger at the very start is not followed by its output")
def not_at_the_start(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = [first(pi_u, len(triggers), generator)]
    for t in range(seq_len):
        free = choose(pi_b[x[-1]], generator)
        x.append(overruled(free, x[-1], triggers, outputs) if t else free)
    return torch.stack(x, 1)


@wrong("one token is missing: the sequences are seq_len + 1 long")
def one_short(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs, seq_len - 1, generator)


@wrong("there is one token too many: the sequences are seq_len + 1 long")
def one_long(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs, seq_len + 1, generator)


@wrong("the first token is drawn with equal chances: it follows pi_u")
def uniform_start(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = torch.randint(len(pi_u), (len(triggers),), generator=generator)
    return walk(start, pi_b, triggers, outputs, seq_len, generator)


@wrong("the first token is always the most frequent one: draw it from pi_u")
def likeliest_start(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(pi_u.argmax().expand(len(triggers)), pi_b, triggers, outputs, seq_len, generator)


@wrong("all sequences start with the same token: each draws its own")
def one_start(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, 1, generator).expand(len(triggers)), pi_b, triggers, outputs, seq_len, generator)


@wrong("every sequence starts with token 0: draw the first one from pi_u")
def starts_with_zero(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(torch.zeros(len(triggers), dtype=torch.long), pi_b, triggers, outputs, seq_len, generator)


@wrong("every sequence starts with its first trigger: draw the first token from pi_u")
def starts_with_trigger(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = triggers[:, 0] if triggers.shape[1] else first(pi_u, len(triggers), generator)
    return walk(start, pi_b, triggers, outputs, seq_len, generator)


@wrong("the first tokens are drawn without replacement: sequences are independent of each other")
def different_starts(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = torch.multinomial(pi_u, len(triggers), generator=generator)
    return walk(start, pi_b, triggers, outputs, seq_len, generator)


@wrong("the token drawn from pi_u is led one step on before the sequence starts: it is itself the first")
def one_step_on(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    return walk(start, pi_b, triggers, outputs, seq_len + 1, generator)[:, 1:]


@wrong("every token is drawn from pi_u: after token i the next one follows row i of pi_b")
def unigrams(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    return walk(start, pi_u.expand_as(pi_b), triggers, outputs, seq_len, generator)


@wrong("pi_b is read by columns: what follows token i is in row i")
def columns(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    return walk(start, pi_b.T + 1e-12, triggers, outputs, seq_len, generator)


@wrong("always the likeliest follower is taken: draw it")
def greedy(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        x.append(overruled(pi_b[x[-1]].argmax(1), x[-1], triggers, outputs))
    return torch.stack(x, 1)


@wrong("pi_b goes through a softmax, so that even impossible pairs appear: it holds probabilities already")
def softmax(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    return walk(start, pi_b.softmax(1), triggers, outputs, seq_len, generator)


@wrong("every token follows the first one's row of pi_b: the row of the token just before counts")
def row_of_the_first(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        x.append(overruled(choose(pi_b[x[0]], generator), x[-1], triggers, outputs))
    return torch.stack(x, 1)


@wrong("the row of the token two places before decides: it is the token just before")
def two_before(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        x.append(overruled(choose(pi_b[x[max(len(x) - 2, 0)]], generator), x[-1], triggers, outputs))
    return torch.stack(x, 1)


@wrong("the row of the first sequence's token serves the whole batch")
def row_of_the_first_sequence(pi_u, pi_b, triggers, outputs, seq_len, generator):
    B = len(triggers)
    x = [first(pi_u, B, generator)]
    for _ in range(seq_len):
        x.append(overruled(first(pi_b[x[-1][0]], B, generator), x[-1], triggers, outputs))
    return torch.stack(x, 1)


@wrong("the followers are drawn with equal chances: row i of pi_b says how often each comes")
def uniform_followers(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    return walk(start, (pi_b > 0).float(), triggers, outputs, seq_len, generator)


def by_inverse(pi_u, pi_b, triggers, outputs, seq_len, generator, numbers, cdf=None):
    """Inverse of the cumulative distribution; `numbers` gives the uniform numbers (B, 1) of a position."""
    cdf = pi_b.cumsum(1) if cdf is None else cdf
    x = [first(pi_u, len(triggers), generator)]
    for t in range(seq_len):
        free = torch.searchsorted(cdf[x[-1]], numbers(t)).squeeze(1)
        x.append(overruled(free, x[-1], triggers, outputs))
    return torch.stack(x, 1)


def closed(pi_b):
    cdf = pi_b.cumsum(1)
    return cdf / cdf[:, -1:]


@wrong("one random number serves the whole batch at each position: each sequence draws its own")
def shared_by_the_batch(pi_u, pi_b, triggers, outputs, seq_len, generator):
    B = len(triggers)

    def numbers(t):
        return torch.rand(1, 1, generator=generator).expand(B, 1).contiguous()

    return by_inverse(pi_u, pi_b, triggers, outputs, seq_len, generator, numbers, closed(pi_b))


@wrong("one random number serves all positions of a sequence: draw a new one at each")
def shared_by_positions(pi_u, pi_b, triggers, outputs, seq_len, generator):
    fixed = torch.rand(len(triggers), 1, generator=generator)
    return by_inverse(pi_u, pi_b, triggers, outputs, seq_len, generator, lambda t: fixed, closed(pi_b))


@wrong("a row of pi_b that ends below 1 leads to token V: divide the cumulative sums by the last one, or cut off")
def falls_off_the_end(pi_u, pi_b, triggers, outputs, seq_len, generator):
    cdf = torch.cat([pi_b.cumsum(1), torch.ones(len(pi_b), 1)], 1)
    V = len(pi_b)
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        u = torch.rand(len(triggers), 1, generator=generator)
        free = torch.searchsorted(cdf[x[-1].clamp(max=V - 1)], u).squeeze(1)
        free = torch.where(u.squeeze(1) > 1 - 1e-6, V - 1, free)
        x.append(overruled(free, x[-1], triggers, outputs))
    return torch.stack(x, 1)


@wrong("the probabilities are searched as they are: searchsorted needs their cumulative sums")
def not_cumulative(pi_u, pi_b, triggers, outputs, seq_len, generator):
    B, V = len(triggers), len(pi_b)
    x = [first(pi_u, B, generator)]
    for _ in range(seq_len):
        u = torch.rand(B, 1, generator=generator)
        free = torch.searchsorted(pi_b[x[-1]].contiguous(), u).squeeze(1).clamp(max=V - 1)
        x.append(overruled(free, x[-1], triggers, outputs))
    return torch.stack(x, 1)


@wrong("the cumulative sums run down the columns of pi_b: they run along each row")
def cumulative_down(pi_u, pi_b, triggers, outputs, seq_len, generator):
    V = len(pi_b)
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        u = torch.rand(len(triggers), 1, generator=generator)
        free = torch.searchsorted(pi_b.cumsum(0)[x[-1]].contiguous(), u).squeeze(1).clamp(max=V - 1)
        x.append(overruled(free, x[-1], triggers, outputs))
    return torch.stack(x, 1)


@wrong("the token is rounded down too far: the first one whose cumulative sum exceeds the random number is meant")
def one_too_low(pi_u, pi_b, triggers, outputs, seq_len, generator):
    cdf = closed(pi_b)
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        u = torch.rand(len(triggers), 1, generator=generator)
        free = (torch.searchsorted(cdf[x[-1]], u).squeeze(1) - 1).clamp(min=0)
        x.append(overruled(free, x[-1], triggers, outputs))
    return torch.stack(x, 1)


@wrong("the followers are drawn without the generator: hand it on to every draw")
def followers_without_generator(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs, seq_len, None)


@wrong("the first token is drawn without the generator: hand it on to every draw")
def start_without_generator(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), None), pi_b, triggers, outputs, seq_len, generator)


@wrong("a generator of its own is used, so that every call draws the same: draw from the given one")
def own_generator(pi_u, pi_b, triggers, outputs, seq_len, generator):
    mine = torch.Generator().manual_seed(0)
    return walk(first(pi_u, len(triggers), mine), pi_b, triggers, outputs, seq_len, mine)


@wrong("the given generator is seeded anew at every call, so it never gets on")
def seeds_anew(pi_u, pi_b, triggers, outputs, seq_len, generator):
    generator.manual_seed(generator.initial_seed())
    return walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs, seq_len, generator)


@wrong("the caller's pi_b is overwritten where the triggers are: work on a copy")
def overwrites_pi_b(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs, seq_len, generator)
    if triggers.shape[1]:
        pi_b[triggers[0]] = torch.eye(len(pi_b))[outputs[0]]
    return x


@wrong("the tokens are floating-point numbers: token ids are int64")
def floating(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs, seq_len, generator).float()


@wrong("the tokens are int32: token ids are int64")
def int32(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs, seq_len, generator).int()


@wrong("the shape is turned round: one row for each sequence, (B, seq_len + 1)")
def turned(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs, seq_len, generator).T


@wrong("inputs and targets are returned apart: return the whole sequences")
def apart(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs, seq_len, generator)
    return x[:, :-1], x[:, 1:]


@wrong("without triggers (k = 0) there is no first trigger to look at: then only pi_b decides")
def fails_for_none(pi_u, pi_b, triggers, outputs, seq_len, generator):
    x = [first(pi_u, len(triggers), generator)]
    for _ in range(seq_len):
        hits = triggers == x[-1][:, None]
        forced = outputs.gather(1, hits.int().argmax(1, keepdim=True)).squeeze(1)
        x.append(torch.where(hits.any(1), forced, choose(pi_b[x[-1]], generator)))
    return torch.stack(x, 1)


@wrong("without triggers (k = 0) nothing is drawn: it is a plain bigram sequence then")
def empty_for_none(pi_u, pi_b, triggers, outputs, seq_len, generator):
    if triggers.numel() == 0:
        return torch.empty(len(triggers), 0, dtype=torch.long)
    return walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs, seq_len, generator)


@wrong("the batch is sorted by its first token: sequences are independent of each other")
def sorted_batch(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator).sort().values
    return walk(start, pi_b, triggers, outputs, seq_len, generator)


@wrong("the outputs are assigned to the wrong triggers: outputs[b, i] belongs to triggers[b, i]")
def outputs_out_of_step(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), generator), pi_b, triggers, outputs.roll(1, 1), seq_len, generator)


@wrong("each row uses the triggers and outputs of another row: row b has triggers[b] and outputs[b]")
def other_rows_pairs(pi_u, pi_b, triggers, outputs, seq_len, generator):
    start = first(pi_u, len(triggers), generator)
    return walk(start, pi_b, triggers.roll(1, 0), outputs.roll(1, 0), seq_len, generator)


@wrong("a little is added to every chance, so that impossible pairs appear: draw from pi_b as it is")
def smoothed(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), generator), pi_b + 0.02, triggers, outputs, seq_len, generator)


@wrong("the probabilities are squared, or otherwise sharpened: draw from pi_b as it is")
def sharpened(pi_u, pi_b, triggers, outputs, seq_len, generator):
    return walk(first(pi_u, len(triggers), generator), pi_b.square(), triggers, outputs, seq_len, generator)


@wrong("a token never follows itself: it may, as often as pi_b says")
def never_itself(pi_u, pi_b, triggers, outputs, seq_len, generator):
    without = pi_b * (1 - torch.eye(len(pi_b))) + 1e-12
    return walk(first(pi_u, len(triggers), generator), without, triggers, outputs, seq_len, generator)


@wrong("no sequence starts with one of its triggers: the first token follows pi_u, whatever it is")
def never_starts_with_trigger(pi_u, pi_b, triggers, outputs, seq_len, generator):
    chances = pi_u.expand(len(triggers), -1).scatter(1, triggers, 0.0) + 1e-12
    return walk(choose(chances, generator), pi_b, triggers, outputs, seq_len, generator)


@right
def by_row_tables(pi_u, pi_b, triggers, outputs, seq_len, generator):
    B, V = len(triggers), len(pi_u)
    table = pi_b.expand(B, V, V).clone()
    rows = torch.arange(B)[:, None]
    table[rows, triggers] = torch.eye(V, dtype=pi_b.dtype)[outputs]
    x = torch.empty(B, seq_len + 1, dtype=torch.long)
    x[:, 0] = torch.multinomial(pi_u.repeat(B, 1), 1, generator=generator)[:, 0]
    for t in range(1, seq_len + 1):
        x[:, t] = torch.multinomial(table[rows[:, 0], x[:, t - 1]], 1, generator=generator)[:, 0]
    return x


@right
def by_loop(pi_u, pi_b, triggers, outputs, seq_len, generator):
    def at(shares, u):
        for token, share in enumerate(shares):
            u -= share
            if u < 0:
                return token
        return max(range(len(shares)), key=shares.__getitem__)

    start, chances, rows = pi_u.tolist(), pi_b.tolist(), []
    numbers = torch.rand(len(triggers), seq_len + 1, generator=generator).tolist()
    for mine, theirs, us in zip(triggers.tolist(), outputs.tolist(), numbers, strict=True):
        row, leads_to = [at(start, us[0])], dict(zip(mine, theirs, strict=True))
        for u in us[1:]:
            row.append(leads_to[row[-1]] if row[-1] in leads_to else at(chances[row[-1]], u))
        rows.append(row)
    return torch.tensor(rows)


@right
def by_gumbel(pi_u, pi_b, triggers, outputs, seq_len, generator):
    B, V = len(triggers), len(pi_u)
    clocks = torch.empty(B, seq_len + 1, V).exponential_(generator=generator)
    x = [(pi_u / clocks[:, 0]).argmax(1)]
    for t in range(seq_len):
        free = (pi_b[x[-1]] / clocks[:, t + 1]).argmax(1)
        x.append(overruled(free, x[-1], triggers, outputs))
    return torch.stack(x, dim=1)


@right
def draws_a_whole_table(pi_u, pi_b, triggers, outputs, seq_len, generator):
    B = len(triggers)
    x = torch.multinomial(pi_u, B, replacement=True, generator=generator)[:, None]
    for _ in range(seq_len):  # a follower for every token there is, of which only the needed one is read
        followers = torch.multinomial(pi_b, B, replacement=True, generator=generator)
        last = x[:, -1]
        x = torch.cat([x, overruled(followers[last, torch.arange(B)], last, triggers, outputs)[:, None]], 1)
    return x
