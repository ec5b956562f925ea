"""Wrong answers to exercise 4.15 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def row_of(cfg, f=None, mean=1.0, once=1.0, fillers=None, triggers=2.0, pairs=None, after_y=None):
    """The closed form with parts that can be changed."""
    N, H, Q, Y = cfg.vocab_size, cfg.H, cfg.Q, cfg.Y
    fillers = fillers or N - 1 - Q
    f = (H - 3) / fillers if f is None else f
    pairs = (H - 3) * (H - 4) / (H - 2) / fillers**2 if pairs is None else pairs
    after_y = (H - 3) / (H - 2) / fillers if after_y is None else after_y
    row = torch.zeros(2 * N)
    row[0], row[N] = -mean * triggers / N, 1 - mean / N
    row[Q : N - 1], row[N + Q : 2 * N - 1] = -mean * f / N, pairs - mean * f / N
    row[Q : Q + Y] = (once + f) / Y - mean * (f + 1 / Y) / N
    row[N + Q : N + Q + Y] += (after_y - mean / N) / Y
    return row


@wrong("the mean over the vocabulary is missing: the gradient of the loss at W = 0 holds - 1/N for every token")
def without_mean(cfg):
    return row_of(cfg, mean=0.0)


@wrong("y is counted only where it follows the trigger: outputs also occur among the fillers")
def y_once(cfg):
    row = row_of(cfg)
    row[cfg.Q : cfg.Q + cfg.Y] -= (cfg.H - 3) / (cfg.vocab_size - 1 - cfg.Q) / cfg.Y
    return row


@wrong("y is counted only among the fillers: it also comes after the trigger")
def y_among_fillers(cfg):
    return row_of(cfg, once=0.0)


@wrong("the row is divided by Q: it is given that the trigger is q")
def divided_by_q(cfg):
    return row_of(cfg) / cfg.Q


@wrong("the row has the wrong sign: minus the gradient is asked for, the direction of the step")
def gradient_itself(cfg):
    return -row_of(cfg)


@wrong("the row is divided by H: linear attention sums over the positions")
def divided_by_h(cfg):
    return row_of(cfg) / cfg.H


@wrong("the row is normalised: the plain gradient is asked for")
def normalised(cfg):
    return row_of(cfg) / row_of(cfg).norm()


@wrong("the halves are exchanged: first the columns E, then Ebar")
def halves_exchanged(cfg):
    return row_of(cfg).roll(cfg.vocab_size)


@wrong("only the first half is returned: the row has 2N columns")
def first_half(cfg):
    return row_of(cfg)[: cfg.vocab_size]


@wrong("fillers are counted in H - 2 places: p, p + 1 and the query leave H - 3")
def h_minus_2(cfg):
    return row_of(cfg, f=(cfg.H - 2) / (cfg.vocab_size - 1 - cfg.Q))


@wrong("fillers are counted in all H places: p, p + 1 and the query leave H - 3")
def all_places(cfg):
    return row_of(cfg, f=cfg.H / (cfg.vocab_size - 1 - cfg.Q))


@wrong("the fillers are counted as N - Q: tau is none of them, which leaves N - 1 - Q")
def tau_is_filler(cfg):
    return row_of(cfg, fillers=cfg.vocab_size - cfg.Q)


@wrong("the outputs are left out of the fillers: they are drawn as fillers too")
def outputs_no_fillers(cfg):
    return row_of(cfg, fillers=cfg.vocab_size - 1 - cfg.Q - cfg.Y)


@wrong("the trigger is counted once: it is at p and at the end")
def trigger_once(cfg):
    return row_of(cfg, triggers=1.0)


@wrong("the query at the end gets a successor: Ebar(q) is followed by y alone")
def query_followed(cfg):
    row = row_of(cfg)
    row[cfg.vocab_size] -= 1 / cfg.vocab_size
    return row


@wrong("all triggers are in the row: it is given that the trigger is q = 0")
def all_triggers(cfg):
    row = row_of(cfg)
    for at in (0, cfg.vocab_size):
        row[at : at + cfg.Q] = row[at] / cfg.Q
    return row


@wrong("the column E(0) is left zero: the trigger is never y, but each of its two places loses 1/N")
def trigger_zero(cfg):
    row = row_of(cfg)
    row[0] = 0
    return row


@wrong("tau's column E has a gradient: tau never occurs in a noiseless sentence")
def tau_in_first_half(cfg):
    row, N = row_of(cfg), cfg.vocab_size
    row[N - 1] = row[N - 2]
    return row


@wrong("for an output only - f/N is subtracted: it also comes after the trigger, in a share 1/Y of the sentences")
def y_not_in_the_mean(cfg):
    row, N, Q, Y = row_of(cfg), cfg.vocab_size, cfg.Q, cfg.Y
    row[Q : Q + Y] += 1 / (Y * N)
    return row


@wrong("the column Ebar(0) is 1: what comes after the trigger loses 1/N as every place does")
def rule_without_mean(cfg):
    row = row_of(cfg)
    row[cfg.vocab_size] = 1.0
    return row


@wrong(
    "neighbours of free places are counted as H - 4: there are (H-3)(H-4)/(H-2) on average, over all places of the pair"
)
def pairs_h_minus_4(cfg):
    return row_of(cfg, pairs=(cfg.H - 4) / (cfg.vocab_size - 1 - cfg.Q) ** 2)


@wrong(
    "what follows the y after the trigger is always counted as a filler: at the last place of the pair it is the query"
)
def y_always_followed(cfg):
    return row_of(cfg, after_y=1 / (cfg.vocab_size - 1 - cfg.Q))


@wrong("all triggers get the column of trigger 0: it is given that the trigger is q = 0")
def other_triggers_too(cfg):
    row = row_of(cfg)
    for at in (0, cfg.vocab_size):
        row[at : at + cfg.Q] = row[at].clone()
    return row


@wrong("the columns Ebar of the fillers are left zero: a filler can come before y as well")
def no_fillers_before(cfg):
    row = row_of(cfg)
    row[cfg.vocab_size + cfg.Q :] = 0
    return row


@wrong("the columns Ebar hold only - f/N: what follows a filler is y now and then")
def fillers_before_lose(cfg):
    f = (cfg.H - 3) / (cfg.vocab_size - 1 - cfg.Q)
    row = row_of(cfg)
    row[cfg.vocab_size + cfg.Q : -1] = -f / cfg.vocab_size
    return row


@wrong("neighbours are counted as if every filler place were followed by another: some are followed by q")
def all_neighbours_fillers(cfg):
    fillers = cfg.vocab_size - 1 - cfg.Q
    return row_of(cfg, pairs=(cfg.H - 3) / fillers**2, after_y=1 / fillers)


@wrong("the output after the trigger is not counted as a token before: something follows y too")
def y_not_before(cfg):
    N, H, Q, Y = cfg.vocab_size, cfg.H, cfg.Q, cfg.Y
    row = row_of(cfg)
    row[N + Q : N + Q + Y] -= ((H - 3) / (H - 2) / (N - 1 - Q) - 1 / N) / Y
    return row


@wrong("the chance of each output, 1/Y, is missing: y is one of Y")
def without_y(cfg):
    row, Q, Y = row_of(cfg), cfg.Q, cfg.Y
    row[Q : Q + Y] *= Y
    return row


@wrong("tau has a gradient: it never occurs in a noiseless sentence")
def tau_too(cfg):
    row, N = row_of(cfg), cfg.vocab_size
    row[N - 1], row[2 * N - 1] = row[N - 2], row[2 * N - 2]
    return row


@wrong("the gradient is estimated from random sentences: the exact expectation is asked for")
def monte_carlo(cfg):
    N, H, Q, Y, B = cfg.vocab_size, cfg.H, cfg.Q, cfg.Y, 2000
    g = torch.Generator().manual_seed(0)
    tokens = torch.randint(Q, N - 1, (B, H), generator=g)
    y, p = torch.randint(Q, Q + Y, (B,), generator=g), torch.randint(0, H - 2, (B,), generator=g)
    rows = torch.arange(B)
    tokens[rows, p], tokens[rows, p + 1], tokens[:, -1] = 0, y, 0
    gain = (tokens == y[:, None]).float() - 1 / N
    hot = torch.nn.functional.one_hot(tokens, N).float()
    return torch.cat([(gain[..., None] * hot).sum(1), (gain[:, 1:, None] * hot[:, :-1]).sum(1)], 1).mean(0)


@right
def place_by_place(cfg):
    N, H, Q, Y = cfg.vocab_size, cfg.H, cfg.Q, cfg.Y
    eye, filler = torch.eye(N), torch.zeros(N)
    filler[Q : N - 1] = 1 / (N - 1 - Q)
    total = torch.zeros(2 * N)
    for y in range(Q, Q + Y):
        for p in range(H - 2):
            dist = filler.repeat(H, 1)
            dist[p], dist[p + 1], dist[-1] = eye[0], eye[y], eye[0]
            gain = dist[:, y] - 1 / N
            total[:N] += dist[:, y].sum() * eye[y] - dist.sum(0) / N
            total[N:] += (gain[1:, None] * dist[:-1]).sum(0)
    return total / (Y * (H - 2))


@right
def in_float64(cfg):
    return row_of(cfg).double()


@right
def by_autograd(cfg):
    """Autograd on the expected sentence statistics: the loss is linear in W to first order."""
    row = row_of(cfg)
    w = torch.zeros(2 * cfg.vocab_size, requires_grad=True)
    (-(w @ row)).backward()
    return -w.grad
