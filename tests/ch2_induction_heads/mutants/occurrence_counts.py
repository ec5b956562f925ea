"""Wrong answers to exercise 2.4 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def hits_of(x, triggers):
    """(B, T, k): whether position t holds trigger i of its row."""
    return (x[:, :, None] == triggers[:, None, :]).long()


def counted(x, triggers):
    hits = hits_of(x, triggers)
    return (hits.cumsum(1) * hits).sum(2)


@wrong("all triggers share one count: each trigger is counted by itself")
def counts_together(x, triggers):
    hit = hits_of(x, triggers).sum(2)
    return hit.cumsum(1) * hit


@wrong("every trigger gets 1, however often it has occurred: count its occurrences so far")
def ones(x, triggers):
    return hits_of(x, triggers).sum(2)


@wrong("the occurrences before this one are counted: this one counts too, so the first is 1")
def before_only(x, triggers):
    hits = hits_of(x, triggers)
    return ((hits.cumsum(1) - 1) * hits).sum(2)


@wrong("every occurrence gets the total of its row: count only up to the position itself, the future is not known yet")
def totals(x, triggers):
    hits = hits_of(x, triggers)
    return (hits.sum(1, keepdim=True) * hits).sum(2)


@wrong("the counts run backwards, from the end of the row")
def backwards(x, triggers):
    hits = hits_of(x, triggers)
    return (hits.flip(1).cumsum(1).flip(1) * hits).sum(2)


@wrong("the count comes one position late, on the output: it belongs to the trigger itself")
def one_late(x, triggers):
    counts = counted(x, triggers)
    return torch.cat([torch.zeros_like(counts[:, :1]), counts[:, :-1]], 1)


@wrong("the count comes one position early: it belongs to the trigger itself")
def one_early(x, triggers):
    counts = counted(x, triggers)
    return torch.cat([counts[:, 1:], torch.zeros_like(counts[:, :1])], 1)


@wrong("positions without a trigger keep a running count: they must be 0")
def unmasked(x, triggers):
    return hits_of(x, triggers).cumsum(1).sum(2)


@wrong("every token is counted, also those that are not triggers: they must be 0")
def every_token(x, triggers):
    same = (x[:, :, None] == x[:, None, :]).long()
    return same.tril().sum(2)


@wrong("the triggers of the first row are used for all rows")
def first_rows_triggers(x, triggers):
    return counted(x, triggers[:1].expand_as(triggers))


@wrong("a trigger of any row counts in every row: each row has its own triggers")
def any_rows_triggers(x, triggers):
    return counted(x, triggers.unique().expand(len(x), -1))


@wrong("the count runs on from one row into the next: each row starts anew")
def runs_on(x, triggers):
    hits = hits_of(x, triggers)
    so_far = hits.flatten(0, 1).cumsum(0).view_as(hits)
    return (so_far * hits).sum(2)


@wrong("the count runs down the batch: it must run along the sequence, the axis of T")
def down_the_batch(x, triggers):
    hits = hits_of(x, triggers)
    return (hits.cumsum(0) * hits).sum(2)


@wrong("only the first trigger of each row is counted")
def first_trigger_only(x, triggers):
    return counted(x, triggers[:, :1])


@wrong("the first row alone is counted, the others stay 0")
def first_row_only(x, triggers):
    counts = counted(x, triggers)
    counts[1:] = 0
    return counts


@wrong("the axis of the k triggers is still there: add it up, there is at most one trigger at a position")
def keeps_the_axis(x, triggers):
    hits = hits_of(x, triggers)
    return hits.cumsum(1) * hits


@wrong("the counts are averaged over the k triggers: at most one of them occurs at a position, so add them up")
def mean_over_triggers(x, triggers):
    hits = hits_of(x, triggers)
    return (hits.cumsum(1) * hits).sum(2) // max(triggers.shape[1], 1)


@wrong("the counts are floating-point numbers: they must be whole numbers")
def floats(x, triggers):
    return counted(x, triggers).float()


@wrong("the result says only whether there is a trigger: count its occurrences")
def booleans(x, triggers):
    return hits_of(x, triggers).sum(2) > 0


@wrong("int8 ends at 127: a trigger can occur more often")
def small_numbers(x, triggers):
    return counted(x, triggers).to(torch.int8)


@wrong("the count starts anew after every break: occurrences need not be next to each other")
def runs_only(x, triggers):
    hit = hits_of(x, triggers).sum(2)
    counts = hit.clone()
    for t in range(1, x.shape[1]):
        counts[:, t] = torch.where(x[:, t] == x[:, t - 1], counts[:, t - 1] + 1, 1) * hit[:, t]
    return counts


@wrong("a trigger right after the same trigger is not counted: every occurrence counts")
def not_twice_in_a_row(x, triggers):
    hits = hits_of(x, triggers)
    new = hits.clone()
    new[:, 1:] = hits[:, 1:] * (1 - hits[:, :-1])
    return (new.cumsum(1) * hits).sum(2)


@wrong("the counts stop at 2: every further occurrence adds 1")
def stops_at_two(x, triggers):
    return counted(x, triggers).clamp(max=2)


@wrong("with k = 0 there is no trigger to take a maximum over: all counts are 0 then")
def maximum(x, triggers):
    hits = hits_of(x, triggers)
    return (hits.cumsum(1) * hits).max(2).values


@wrong("with k = 0 there is nothing to stack: all counts are 0 then")
def stack_of_none(x, triggers):
    hits = [(x == triggers[:, i : i + 1]).long() for i in range(triggers.shape[1])]
    return torch.stack([hit.cumsum(1) * hit for hit in hits]).sum(0)


@wrong("x and triggers are compared without an axis for both: x[:, :, None] == triggers[:, None, :] gives (B, T, k)")
def does_not_broadcast(x, triggers):
    hits = (x == triggers).long()
    return hits.cumsum(1) * hits


@wrong("squeeze() takes away every axis of length 1, also that of the batch or of the sequence")
def squeezed(x, triggers):
    return counted(x, triggers).squeeze()


@wrong("the counts are written into x, the caller's own tokens: make a new tensor")
def into_x(x, triggers):
    x.copy_(counted(x, triggers))
    return x


@wrong("each token of the vocabulary has its place in a table that is too small for large ids")
def table_of_65(x, triggers):
    counts, tally = torch.zeros_like(x), torch.zeros(len(x), 65, dtype=torch.long)
    for t in range(x.shape[1]):
        tally[torch.arange(len(x)), x[:, t]] += 1
        counts[:, t] = tally.gather(1, x[:, t : t + 1]).squeeze(1) * (x[:, t : t + 1] == triggers).any(1)
    return counts


@wrong("the place of the trigger in the row of triggers is returned: count its occurrences")
def place_of_trigger(x, triggers):
    return (hits_of(x, triggers) * torch.arange(1, triggers.shape[1] + 1)).sum(2)


@wrong("the position of the trigger is returned: count its occurrences")
def position(x, triggers):
    return hits_of(x, triggers).sum(2) * torch.arange(1, x.shape[1] + 1)


@wrong("the count starts at 2: the first occurrence is number 1")
def one_too_many(x, triggers):
    counts = counted(x, triggers)
    return counts + (counts > 0)


@wrong("positions without a trigger get -1: they must be 0")
def minus_one(x, triggers):
    counts = counted(x, triggers)
    return torch.where(counts == 0, -1, counts)


@wrong("only the last trigger of each row is counted")
def last_trigger_only(x, triggers):
    return counted(x, triggers[:, -1:])


@wrong("a trigger on the first position is not counted")
def not_at_the_start(x, triggers):
    hits = hits_of(x, triggers)
    hits[:, 0] = 0
    return (hits.cumsum(1) * hits).sum(2)


@wrong("the number of different triggers seen so far is returned: count the occurrences of this one")
def different_ones(x, triggers):
    hits = hits_of(x, triggers)
    return (hits.cumsum(1) > 0).sum(2) * hits.sum(2)


@wrong("the shape is turned round: one row for each sequence")
def turned(x, triggers):
    return counted(x, triggers).T


@wrong("with k = 0 the positions are lost from the shape: there is a count of 0 for each")
def shapeless_none(x, triggers):
    return counted(x, triggers) if triggers.shape[1] else x[:, :0]


@wrong("the counts are a list: return a tensor")
def as_list(x, triggers):
    return counted(x, triggers).tolist()


@wrong("all counts stay 0: where a dict holds them its keys must be numbers, for two equal tensors are different keys")
def tensors_as_keys(x, triggers):
    tally, counts = {}, torch.zeros_like(x)
    for b, row in enumerate(x):
        for t, token in enumerate(row):
            if token in triggers[b]:
                tally[token] = tally.get(token, 0) + 1
                counts[b, t] = tally.get(x[b, t], 0)
    return counts


@wrong("a trigger with a larger id than all tokens of x falls out of the table: it need not occur at all")
def table_of_seen_tokens(x, triggers):
    V = int(x.max()) + 1
    running = torch.nn.functional.one_hot(x, V).cumsum(1).gather(2, x[:, :, None])[:, :, 0]
    return running * torch.zeros(len(x), V, dtype=torch.int64).scatter(1, triggers, 1).gather(1, x)


@wrong("token 0 is taken for a blank: it is a token, and a trigger, like any other")
def token_zero_is_blank(x, triggers):
    hits = (x[:, :, None] == triggers[:, None, :]).long()
    return (hits.cumsum(1) * hits).sum(-1) * (x != 0)


@wrong("token 0 is taken for a blank: it is a token, and a trigger, like any other")
def trigger_zero_is_blank(x, triggers):
    hits = ((x[:, :, None] == triggers[:, None, :]) & (triggers[:, None, :] > 0)).long()
    return (hits.cumsum(1) * hits).sum(-1)


@right
def by_loop(x, triggers):
    counts = torch.zeros_like(x)
    for b in range(x.shape[0]):
        tally = {int(q): 0 for q in triggers[b]}
        for t in range(x.shape[1]):
            if int(x[b, t]) in tally:
                tally[int(x[b, t])] += 1
                counts[b, t] = tally[int(x[b, t])]
    return counts


@right
def by_comparing_positions(x, triggers):
    same = x.unsqueeze(2) == x.unsqueeze(1)
    so_far = torch.tril(same).sum(-1)
    return torch.where(torch.any(x.unsqueeze(2) == triggers.unsqueeze(1), dim=2), so_far, 0)


@right
def trigger_by_trigger(x, triggers):
    counts = torch.zeros(x.shape, dtype=torch.int32)
    for trigger in triggers.T:
        hit = x == trigger[:, None]
        counts += (hit * hit.cumsum(1)).int()
    return counts


@right
def by_einsum(x, triggers):
    hits = (x[..., None] == triggers[:, None]).double()
    before = torch.ones(x.shape[1], x.shape[1], dtype=torch.double).tril()
    return torch.einsum("ts,bsk,btk->bt", before, hits, hits).round().to(torch.int64)
