"""Wrong answers to exercise 4.1 that learners write, and right ones written differently."""

from pathlib import Path

import torch

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_pieces.py"))
sentences, place_pairs = pieces.sentences, pieces.place_pairs
labels = load_file(Path(__file__).with_name("_sample_batch_labels.py"))
globals().update({name: obj for name, obj in vars(labels).items() if hasattr(obj, "_mutant")})  # the second half


@wrong("fillers are drawn up to the noise token N-1, which must appear only as noise: they end at N-2")
def tau_among_fillers(*given, **named):
    return sentences(*given, **named, tokens=lambda s: s.randint(s.Q, s.N, s.batch, s.H))


@wrong("the last filler N-2 is never drawn: the upper bound of randint is itself left out")
def last_filler_missing(*given, **named):
    return sentences(*given, **named, tokens=lambda s: s.randint(s.Q, s.N - 2, s.batch, s.H))


@wrong("triggers appear among the fillers, which begin at token Q")
def triggers_among_fillers(*given, **named):
    return sentences(*given, **named, tokens=lambda s: s.randint(0, s.N - 1, s.batch, s.H))


@wrong("the outputs never appear as fillers: then y stands out, and the answer could be found by counting")
def outputs_are_no_fillers(*given, **named):
    return sentences(*given, **named, tokens=lambda s: s.randint(s.Q + s.Y, s.N - 1, s.batch, s.H))


@wrong("the fillers avoid the sentence's own y: they are drawn without looking at it")
def fillers_avoid_y(*given, **named):
    return sentences(
        *given,
        **named,
        tokens=lambda s: s.again(lambda: s.randint(s.Q, s.N - 1, s.batch, s.H), lambda x: x == s.y[:, None]),
    )


@wrong("one filler is repeated through the whole sentence: draw one for each position")
def one_filler_a_sentence(*given, **named):
    return sentences(*given, **named, tokens=lambda s: s.randint(s.Q, s.N - 1)[:, None].repeat(1, s.H))


@wrong("all sentences of the batch share their fillers: draw them for each sentence")
def fillers_shared(*given, **named):
    return sentences(*given, **named, tokens=lambda s: s.randint(s.Q, s.N - 1, s.H).repeat(s.batch, 1))


@wrong("every sentence has the same trigger: without noise each of the Q triggers is as likely, in each sentence anew")
def one_trigger(*given, **named):
    return sentences(*given, **named, q=lambda s: s.zeros() + (0 if s.noisy else s.randint(0, s.Q, 1)))


@wrong("one output is drawn for the whole batch: draw one for each sentence")
def one_output(*given, **named):
    return sentences(
        *given,
        **named,
        y=lambda s: s.zeros() + (s.randint(s.Q + s.Y, s.N - 1, 1) if s.ood else s.randint(s.Q, s.Q + s.Y, 1)),
    )


@wrong("the pair (q, y) is at the same place in the whole batch: draw p for each sentence")
def one_place(*given, **named):
    return sentences(*given, **named, p=lambda s: s.zeros() + s.randint(0, s.H - 2, 1))


@wrong("the last trigger is never drawn: the upper bound of randint is itself left out")
def last_trigger_missing(*given, **named):
    return sentences(*given, **named, q=lambda s: s.zeros() if s.noisy else s.randint(0, max(s.Q - 1, 1)))


@wrong("a noisy sentence takes any trigger: with noise only trigger 0 is used")
def any_trigger_with_noise(*given, **named):
    return sentences(*given, **named, q=lambda s: s.randint(0, s.Q))


@wrong("every sentence has the same trigger: without noise each of the Q triggers is as likely, in each sentence anew")
def always_trigger_0(*given, **named):
    return sentences(*given, **named, q=lambda s: s.zeros())


@wrong("the training outputs are drawn from all fillers, unseen ones included: they are Q .. Q+Y-1")
def trains_on_all_outputs(*given, **named):
    return sentences(
        *given,
        **named,
        y=lambda s: s.randint(s.Q + s.Y, s.N - 1) if s.ood else s.randint(s.Q, s.N - 1),
    )


@wrong("with ood the outputs still come from the training set Q .. Q+Y-1")
def ood_ignored(*given, **named):
    return sentences(*given, **{**named, "ood": False})


@wrong("training and unseen outputs are exchanged")
def ood_exchanged(*given, **named):
    return sentences(*given, **{**named, "ood": not named.get("ood", False)})


@wrong("with ood an output of training can be drawn too: the unseen ones begin at Q+Y")
def ood_from_all(*given, **named):
    return sentences(
        *given,
        **named,
        y=lambda s: s.randint(s.Q, s.N - 1) if s.ood else s.randint(s.Q, s.Q + s.Y),
    )


@wrong("with ood the noise token N-1 can be the output: the unseen ones end at N-2")
def ood_reaches_tau(*given, **named):
    return sentences(
        *given,
        **named,
        y=lambda s: s.randint(s.Q + s.Y, s.N) if s.ood else s.randint(s.Q, s.Q + s.Y),
    )


@wrong("with ood the last unseen output N-2 is never drawn: the upper bound of randint is itself left out")
def ood_ends_early(*given, **named):
    return sentences(
        *given,
        **named,
        y=lambda s: s.randint(s.Q + s.Y, s.N - 2) if s.ood else s.randint(s.Q, s.Q + s.Y),
    )


@wrong("the pair (q, y) never takes the last place it may: p goes from 0 to H-3, both included")
def last_place_missing(*given, **named):
    return sentences(*given, **named, p=lambda s: s.randint(0, s.H - 3))


@wrong("the pair (q, y) is never at the beginning: p goes from 0 to H-3, both included")
def first_place_missing(*given, **named):
    return sentences(*given, **named, p=lambda s: s.randint(1, s.H - 2))


@wrong("p can be H-2, where the query overwrites the output: p goes from 0 to H-3")
def y_overwritten(*given, **named):
    def place(s):
        place_pairs(s)
        s.tokens[:, -1] = s.q

    return sentences(*given, **named, p=lambda s: s.randint(0, s.H - 1), place=place)


@wrong("the query is overwritten: the last token must be the trigger q")
def query_overwritten(*given, **named):
    return sentences(*given, **named, p=lambda s: s.randint(0, s.H - 1))


@wrong("there is no query: the last token must be the trigger q")
def no_query(*given, **named):
    def place(s):
        last = s.tokens[:, -1].clone()
        place_pairs(s)
        s.tokens[:, -1] = last

    return sentences(*given, **named, place=place)


@wrong("the pair is the wrong way round: first the trigger q, then the output y")
def y_before_q(*given, **named):
    def place(s):
        place_pairs(s)
        s.tokens[s.rows, s.p], s.tokens[s.rows, s.p + 1] = s.y, s.q

    return sentences(*given, **named, place=place)


@wrong("the pair (q, tau) may overwrite a part of the pair (q, y): the two places must be at least 2 apart")
def no_gap(*given, **named):
    return sentences(*given, **named, p_tau=lambda s: s.randint(0, s.H - 2))


@wrong("the two places are only made to differ: one apart, one pair still overwrites the other")
def gap_of_one(*given, **named):
    return sentences(
        *given,
        **named,
        p_tau=lambda s: s.again(lambda: s.randint(0, s.H - 2), lambda x: x == s.p),
    )


@wrong("the two places are kept 3 apart, where 2 is enough: pairs may follow each other at once")
def gap_of_three(*given, **named):
    def far(s):
        places = torch.arange(s.H - 2)
        legal = (places - s.p[:, None]).abs() >= (3 if s.H > 7 else 2)
        return torch.multinomial(legal.float(), 1, generator=s.generator)[:, 0]

    return sentences(*given, **named, p_tau=far)


@wrong("the pair (q, tau) never comes before the pair (q, y): both orders must occur")
def tau_always_later(*given, **named):
    def later(s):
        s.p = s.again(lambda: s.randint(0, s.H - 2), lambda x: x > s.H - 5)
        return s.again(lambda: s.randint(0, s.H - 2), lambda x: x < s.p + 2)

    return sentences(*given, **named, p_tau=later)


@wrong("both places are drawn again until they fit: p is then no longer uniform, only p' may be drawn again")
def both_again(*given, **named):
    def pair(s):
        bad = torch.ones(s.batch, dtype=torch.bool)
        p_tau = s.zeros()
        while bad.any():
            p_tau = torch.where(bad, s.randint(0, s.H - 2), p_tau)
            s.p = torch.where(bad, s.randint(0, s.H - 2), s.p)
            bad = (s.p - p_tau).abs() < 2
        return p_tau

    return sentences(*given, **named, p_tau=pair)


@wrong("a place that does not fit is moved instead of drawn again: the places next to the pair come too often")
def moved_aside(*given, **named):
    def moved(s):
        x = s.randint(0, s.H - 2)
        aside = torch.where(s.p + 2 <= s.H - 3, s.p + 2, s.p - 2)
        return torch.where((x - s.p).abs() < 2, aside, x)

    return sentences(*given, **named, p_tau=moved)


@wrong("the noise token is only in sentences whose label is noise: it belongs in every noisy sentence")
def tau_only_with_noise_label(*given, **named):
    def place(s):
        kept = s.tokens.clone()
        place_pairs(s)
        if s.noisy:
            clean = s.rows[~s.flips]
            for at in (s.p_tau, s.p_tau + 1):
                s.tokens[clean, at[clean]] = kept[clean, at[clean]]

    return sentences(*given, **named, place=place)


@wrong("there is no pair (q, tau) in noisy sentences")
def no_tau_pair(*given, **named):
    def place(s):
        noisy, s.noisy = s.noisy, False
        place_pairs(s)
        s.noisy = noisy

    return sentences(*given, **named, place=place)


@right
def by_legal_places(*given, **named):
    def legal(s):
        free = (torch.arange(s.H - 2) - s.p[:, None]).abs() >= 2
        return torch.multinomial(free.float(), 1, generator=s.generator).squeeze(1)

    return sentences(*given, **named, p_tau=legal)


@right
def sentence_by_sentence(cfg, batch, noisy, alpha=0.0, ood=False, generator=None):
    """A loop over the sentences; random numbers are drawn for all of them first."""
    N, H, Q, Y = cfg.vocab_size, cfg.H, cfg.Q, cfg.Y
    rand = torch.rand(batch, H + 4, dtype=torch.float64, generator=generator).tolist()
    tokens, labels, outputs = [], [], []
    for u in rand:
        q = 0 if noisy else int(u[H] * Q)
        y = Q + Y + int(u[H + 1] * (N - 1 - Q - Y)) if ood else Q + int(u[H + 1] * Y)
        row = [Q + int(x * (N - 1 - Q)) for x in u[: H - 1]] + [q]
        p = int(u[H + 2] * (H - 2))
        row[p : p + 2] = [q, y]
        label = y
        if noisy:
            free = [x for x in range(H - 2) if abs(x - p) >= 2]
            at = free[int(u[H + 3] * len(free))]
            row[at : at + 2] = [q, N - 1]
            label = N - 1 if u[H - 1] < alpha else y
        tokens.append(row)
        labels.append(label)
        outputs.append(y)
    return torch.tensor(tokens), torch.tensor(labels), torch.tensor(outputs)


@right
def by_floats_and_bernoulli(*given, **named):
    def flips(s):
        return torch.bernoulli(torch.full((s.batch,), float(s.alpha)), generator=s.generator).bool()

    def p(s):
        return (s.rand() * (s.H - 2)).floor().long().clamp(max=s.H - 3)

    return sentences(*given, **named, flips=flips, p=p)
