"""Wrong answers to exercise 2.2 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def fixed_ones(pi_u, k, batch):
    return pi_u.argsort(descending=True)[:k].repeat(batch, 1)


def drawn(pi_u, k, batch, generator):
    """k different tokens in each row, one after the other."""
    if k == 0:
        return torch.empty(batch, 0, dtype=torch.long)
    return torch.multinomial(pi_u.expand(batch, -1), k, generator=generator)


def triggers_of(pi_u, k, batch, fixed, generator):
    return fixed_ones(pi_u, k, batch) if fixed else drawn(pi_u, k, batch, generator)


def outputs_for(triggers, V, no_repeat, generator):
    outputs = torch.randint(V - no_repeat, triggers.shape, generator=generator)
    return outputs + (outputs >= triggers) if no_repeat else outputs


def uniform(V, shape, generator):
    return torch.randint(V, shape, generator=generator)


@wrong("a sequence can draw the same trigger twice: draw without replacement")
def with_replacement(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = fixed_ones(pi_u, k, batch)
    if not fixed and k:
        triggers = torch.multinomial(pi_u, batch * k, replacement=True, generator=generator).view(batch, k)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("the triggers are drawn once and used for every sequence: each sequence draws its own")
def one_draw_of_triggers(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, 1, fixed, generator).repeat(batch, 1)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("the outputs are drawn once and used for every sequence: each sequence draws its own")
def one_draw_of_outputs(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    outputs = outputs_for(triggers[:1], len(pi_u), no_repeat and fixed, generator).repeat(batch, 1)
    if no_repeat and not fixed:
        outputs = torch.where(outputs == triggers, outputs_for(triggers, len(pi_u), True, generator), outputs)
    return triggers, outputs


@wrong("with fixed triggers the outputs are fixed as well: they are drawn anew for each sequence")
def fixed_outputs(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    outputs = outputs_for(triggers, len(pi_u), no_repeat, generator)
    return triggers, outputs[:1].repeat(batch, 1) if fixed else outputs


@wrong("all triggers of a sequence get the same output: each has its own")
def one_output_a_sequence(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    outputs = uniform(len(pi_u), (batch, 1), generator).expand(batch, k).clone()
    if no_repeat:
        outputs = torch.where(outputs == triggers, outputs_for(triggers, len(pi_u), True, generator), outputs)
    return triggers, outputs


@wrong("fixed is the wrong way round: True means the k most frequent tokens, False draws them")
def fixed_reversed(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, not fixed, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("fixed is ignored: with fixed=True every sequence has the k most frequent tokens")
def never_fixed(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, False, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("the fixed triggers are the least frequent tokens: sort from the largest down")
def least_frequent(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = pi_u.argsort()[:k].repeat(batch, 1) if fixed else drawn(pi_u, k, batch, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("the fixed triggers are the first k token ids: take the k with the largest pi_u")
def first_ids(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = torch.arange(k).repeat(batch, 1) if fixed else drawn(pi_u, k, batch, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("the fixed triggers are drawn once at random: they are the k most frequent tokens")
def fixed_by_chance(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = drawn(pi_u, k, 1, generator).repeat(batch, 1) if fixed else drawn(pi_u, k, batch, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("the fixed triggers start at the second most frequent token: the most frequent is one of them")
def without_the_first(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    if fixed and k < len(pi_u):
        triggers = pi_u.argsort(descending=True)[1 : k + 1].repeat(batch, 1)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("random triggers are drawn with equal chances: draw them from pi_u")
def uniform_triggers(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, True, generator)
    if not fixed:
        triggers = torch.rand(batch, len(pi_u), generator=generator).argsort(1)[:, :k]
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("random noise times pi_u, sorted, favours frequent tokens too much: draw one after the other from pi_u")
def noise_times_share(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, True, generator)
    if not fixed:
        noise = torch.rand(batch, len(pi_u), generator=generator)
        triggers = (noise * pi_u).argsort(1, descending=True)[:, :k]
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("a row is thrown away when a trigger repeats, which favours rare tokens: only the token just drawn is out")
def rejects_rows(pi_u, k, batch, fixed, no_repeat, generator):
    if fixed or not k:
        triggers = fixed_ones(pi_u, k, batch)
    else:
        triggers = torch.multinomial(pi_u, batch * k, replacement=True, generator=generator).view(batch, k)
        for _ in range(2000):
            ordered = triggers.sort(1).values
            again = (ordered[:, 1:] == ordered[:, :-1]).any(1)
            if not again.any():
                break
            fresh = torch.multinomial(pi_u, int(again.sum()) * k, replacement=True, generator=generator)
            triggers[again] = fresh.view(-1, k)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("pi_u is put through a softmax, which makes all tokens nearly equally likely: it holds probabilities already")
def softmax(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u if fixed else pi_u.softmax(0), k, batch, fixed, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("outputs are drawn from pi_u: they are uniform")
def outputs_from_pi_u(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    table = pi_u.expand(batch, k, -1).clone()
    if no_repeat:
        table.scatter_(2, triggers[:, :, None], 0)
    flat = table.view(batch * k, -1)
    outputs = torch.multinomial(flat, 1, generator=generator).view(batch, k) if k else triggers.clone()
    return triggers, outputs


@wrong("the outputs of a sequence are all different: they are drawn independently, two may be equal")
def different_outputs(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    if no_repeat:
        return triggers, outputs_for(triggers, len(pi_u), True, generator)
    return triggers, torch.rand(batch, len(pi_u), generator=generator).argsort(1)[:, :k]


@wrong("no output is a trigger of its sequence: it may be any token, with no_repeat any but its own trigger")
def outputs_avoid_triggers(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    allowed = torch.ones(batch, len(pi_u)).scatter(1, triggers, 0.0)
    if k == 0 or k == len(pi_u):
        return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)
    return triggers, torch.multinomial(allowed, k, replacement=True, generator=generator)


@wrong("the outputs are the triggers in another order: they are uniform over the vocabulary")
def shuffled_triggers(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return triggers, triggers.roll(1, 1)


@wrong("no_repeat is ignored: with no_repeat=True no output is its own trigger")
def ignores_no_repeat(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return triggers, outputs_for(triggers, len(pi_u), False, generator)


@wrong("outputs never repeat their trigger, also with no_repeat=False: then all V tokens are allowed")
def always_no_repeat(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return triggers, outputs_for(triggers, len(pi_u), True, generator)


@wrong("no_repeat is the wrong way round")
def no_repeat_reversed(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return triggers, outputs_for(triggers, len(pi_u), not no_repeat, generator)


@wrong("an output that hits its trigger is drawn again only once, so that it can hit it again")
def drawn_again_once(pi_u, k, batch, fixed, no_repeat, generator):
    V, triggers = len(pi_u), triggers_of(pi_u, k, batch, fixed, generator)
    outputs = uniform(V, (batch, k), generator)
    if no_repeat:
        outputs = torch.where(outputs == triggers, uniform(V, (batch, k), generator), outputs)
    return triggers, outputs


@wrong("an output that hits its trigger moves on to the next token, which comes twice as often then")
def next_token(pi_u, k, batch, fixed, no_repeat, generator):
    V, triggers = len(pi_u), triggers_of(pi_u, k, batch, fixed, generator)
    outputs = uniform(V, (batch, k), generator)
    if no_repeat:
        outputs = torch.where(outputs == triggers, (outputs + 1) % V, outputs)
    return triggers, outputs


@wrong("an output that hits its trigger becomes token 0, which comes too often then")
def becomes_zero(pi_u, k, batch, fixed, no_repeat, generator):
    V, triggers = len(pi_u), triggers_of(pi_u, k, batch, fixed, generator)
    outputs = uniform(V, (batch, k), generator)
    if no_repeat:
        outputs = torch.where(outputs == triggers, (triggers == 0).long(), outputs)
    return triggers, outputs


@wrong("only a number equal to the trigger is moved up: all larger ones must move as well (>=, not ==)")
def only_equal_ones_move(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    outputs = uniform(len(pi_u) - no_repeat, (batch, k), generator)
    return triggers, outputs + (outputs == triggers) if no_repeat else outputs


@wrong("of the V - 1 numbers those equal to the trigger are not moved up: step over it with >=, not >")
def steps_too_late(pi_u, k, batch, fixed, no_repeat, generator):
    V, triggers = len(pi_u), triggers_of(pi_u, k, batch, fixed, generator)
    outputs = uniform(V - no_repeat, (batch, k), generator)
    return triggers, outputs + (outputs > triggers) if no_repeat else outputs


@wrong("the trigger is stepped over, but the numbers are drawn below V, so the last one can lie outside")
def steps_outside(pi_u, k, batch, fixed, no_repeat, generator):
    V, triggers = len(pi_u), triggers_of(pi_u, k, batch, fixed, generator)
    outputs = uniform(V, (batch, k), generator)
    return triggers, outputs + (outputs >= triggers) if no_repeat else outputs


@wrong("the last token never comes as an output: the upper end of randint is not drawn, so it is V")
def never_the_last(pi_u, k, batch, fixed, no_repeat, generator):
    V, triggers = len(pi_u), triggers_of(pi_u, k, batch, fixed, generator)
    if no_repeat:
        return triggers, outputs_for(triggers, V, True, generator)
    return triggers, uniform(V - 1, (batch, k), generator)


@wrong("every output is one step above its trigger at least and two below at most: draw from 1 to V - 1 steps")
def steps_too_few(pi_u, k, batch, fixed, no_repeat, generator):
    V, triggers = len(pi_u), triggers_of(pi_u, k, batch, fixed, generator)
    if not no_repeat:
        return triggers, outputs_for(triggers, V, False, generator)
    return triggers, (triggers + torch.randint(1, V - 1, (batch, k), generator=generator)) % V


@wrong("the two tensors come in the wrong order: triggers first, then outputs")
def swapped(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return outputs_for(triggers, len(pi_u), no_repeat, generator), triggers


@wrong("only the triggers are returned: the result is the pair (triggers, outputs)")
def triggers_only(pi_u, k, batch, fixed, no_repeat, generator):
    return triggers_of(pi_u, k, batch, fixed, generator)


@wrong("the fixed triggers have no batch axis: repeat them for each sequence, (B, k)")
def one_row(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    outputs = outputs_for(triggers, len(pi_u), no_repeat, generator)
    return (triggers[0] if fixed else triggers), outputs


@wrong("the shape is turned round: one row for each sequence, (B, k)")
def turned(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return triggers.T, outputs_for(triggers, len(pi_u), no_repeat, generator).T


@wrong("the outputs are floating-point numbers: token ids are int64")
def floating(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator).float()


@wrong("the token ids are int32: they must be int64")
def int32(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return triggers.int(), outputs_for(triggers, len(pi_u), no_repeat, generator).int()


@wrong("the generator is not used for the outputs: hand it on to every draw")
def outputs_without_generator(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, None)


@wrong("the generator is not used for the triggers: hand it on to every draw")
def triggers_without_generator(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, None)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("a generator of its own is used, so that every call draws the same: draw from the given one")
def own_generator(pi_u, k, batch, fixed, no_repeat, generator):
    mine = torch.Generator().manual_seed(0)
    triggers = triggers_of(pi_u, k, batch, fixed, mine)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, mine)


@wrong("the given generator is seeded anew at every call, so it never gets on")
def seeds_anew(pi_u, k, batch, fixed, no_repeat, generator):
    generator.manual_seed(generator.initial_seed())
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("multinomial draws at least one token: with k = 0 there are no triggers, and both tensors are (B, 0)")
def fails_for_none(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = fixed_ones(pi_u, k, batch)
    if not fixed:
        triggers = torch.multinomial(pi_u.expand(batch, -1), k, generator=generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("with k = 0 the batch is lost from the shape: both tensors are (B, 0)")
def shapeless_none(pi_u, k, batch, fixed, no_repeat, generator):
    if k == 0:
        return torch.empty(0, dtype=torch.long), torch.empty(0, dtype=torch.long)
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("the caller's pi_u is set to zero where a token was drawn: work on a copy")
def zeros_pi_u(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    outputs = outputs_for(triggers, len(pi_u), no_repeat, generator)
    pi_u[triggers[0]] = 0
    return triggers, outputs


@wrong("the chances of the triggers are flattened or sharpened (a root or a square): draw from pi_u as it is")
def squared(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u if fixed else pi_u.square(), k, batch, fixed, generator)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("the most frequent token is always among the random triggers: it is drawn like the others")
def always_the_first(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    if k and not fixed:
        best = pi_u.argmax()
        rest = pi_u.clone()
        rest[best] = 0
        triggers = torch.cat([best.expand(batch, 1), drawn(rest, k - 1, batch, generator)], 1)
    return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)


@wrong("a trigger that was drawn already moves on to the next token: draw from what is left, in proportion to pi_u")
def moves_on(pi_u, k, batch, fixed, no_repeat, generator):
    V, triggers = len(pi_u), fixed_ones(pi_u, k, batch)
    if k and not fixed:
        triggers = torch.multinomial(pi_u, batch * k, replacement=True, generator=generator).view(batch, k)
        for i in range(1, k):
            for _ in range(V):
                taken = (triggers[:, i : i + 1] == triggers[:, :i]).any(1)
                triggers[:, i] = torch.where(taken, (triggers[:, i] + 1) % V, triggers[:, i])
    return triggers, outputs_for(triggers, V, no_repeat, generator)


@wrong("with no_repeat only the first trigger is kept out of the outputs: each output avoids its own trigger")
def first_trigger_only(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = triggers_of(pi_u, k, batch, fixed, generator)
    if not no_repeat or k == 0:
        return triggers, outputs_for(triggers, len(pi_u), no_repeat, generator)
    return triggers, outputs_for(triggers[:, :1].expand(-1, k), len(pi_u), True, generator)


@right
def by_loop(pi_u, k, batch, fixed, no_repeat, generator):
    V, shares, triggers, outputs = len(pi_u), pi_u.tolist(), [], []
    numbers = torch.rand(batch, 2, k, dtype=torch.float64, generator=generator).tolist()
    for for_triggers, for_outputs in numbers:
        left, mine = dict(enumerate(shares)), []
        for u in for_triggers:
            at = u * sum(left.values())
            token = max(left, key=left.get)
            for other, share in () if fixed else left.items():
                at -= share
                if at < 0:
                    token = other
                    break
            mine.append(token)
            del left[token]
        pools = [[token for token in range(V) if token != q or not no_repeat] for q in mine]
        outputs.append([pool[int(u * len(pool))] for pool, u in zip(pools, for_outputs, strict=True)])
        triggers.append(mine)
    shape = (batch, k)
    return torch.tensor(triggers).long().reshape(shape), torch.tensor(outputs).long().reshape(shape)


@right
def by_gumbel(pi_u, k, batch, fixed, no_repeat, generator):
    V, scores = len(pi_u), pi_u.double().log().expand(batch, -1)
    if not fixed:
        scores = scores - torch.empty(batch, V, dtype=torch.float64).exponential_(generator=generator).log()
    triggers = scores.topk(k, dim=1).indices
    steps = torch.randint(int(no_repeat), V, (batch, k), generator=generator)
    return [triggers, (triggers + steps) % V]


@right
def draws_until_it_fits(pi_u, k, batch, fixed, no_repeat, generator):
    V, triggers = len(pi_u), triggers_of(pi_u, k, batch, fixed, generator)
    outputs = torch.randint(0, V, (batch, k), generator=generator)
    while no_repeat and (outputs == triggers).any():
        outputs = torch.where(outputs == triggers, torch.randint(0, V, (batch, k), generator=generator), outputs)
    return triggers, outputs


@right
def by_weights(pi_u, k, batch, fixed, no_repeat, generator):
    triggers = pi_u.topk(k).indices.flip(0).expand(batch, k) if fixed else drawn(pi_u, k, batch, generator)
    weights = torch.ones(batch, k, len(pi_u))
    if no_repeat:
        weights.scatter_(2, triggers.unsqueeze(-1), 0.0)
    columns = [torch.multinomial(weights[:, i], 1, generator=generator) for i in range(k)]
    return triggers, torch.cat(columns, 1) if columns else triggers.clone()
