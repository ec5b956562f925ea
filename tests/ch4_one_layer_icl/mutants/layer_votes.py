"""Wrong answers to exercise 4.17 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


@wrong("both votes are those of the whole model, xi: each layer votes with its own logits")
def whole_model(model, batch):
    xi, _, _ = model(batch[0])
    return xi.argmax(-1), xi.argmax(-1)


@wrong("the first votes are those of the whole model, xi: attention votes with xi_A")
def whole_model_for_attention(model, batch):
    xi, _, xi_F = model(batch[0])
    return xi.argmax(-1), xi_F.argmax(-1)


@wrong("the second votes are those of the whole model, xi: the feed-forward layer votes with xi_F")
def whole_model_for_feed_forward(model, batch):
    xi, xi_A, _ = model(batch[0])
    return xi_A.argmax(-1), xi.argmax(-1)


@wrong("the votes come in the wrong order: attention first, then the feed-forward layer")
def order_exchanged(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return xi_F.argmax(-1), xi_A.argmax(-1)


@wrong("the logits are averaged over the batch first: every sentence votes for itself")
def mean_first(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return xi_A.mean(0).argmax(), xi_F.mean(0).argmax()


@wrong("the logits are averaged over the batch first, and one vote counts for all: every sentence votes for itself")
def mean_for_all(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return tuple(xi.mean(0).argmax().expand(len(xi)) for xi in (xi_A, xi_F))


@wrong("argmax runs over the batch: for each sentence the best token is wanted")
def over_the_batch(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return xi_A.argmax(0), xi_F.argmax(0)


@wrong("argmax without an axis flattens the logits: for each sentence the best token is wanted")
def flattened(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return xi_A.argmax(), xi_F.argmax()


@wrong("the largest logits are returned: their token ids are wanted")
def largest_logits(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return xi_A.max(-1).values, xi_F.max(-1).values


@wrong("max returns values and indices together: only the indices are votes")
def values_and_indices(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return tuple(xi_A.max(-1)), tuple(xi_F.max(-1))


@wrong("an axis of size 1 is left: the votes are (B,)")
def axis_kept(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return xi_A.argmax(-1, keepdim=True), xi_F.argmax(-1, keepdim=True)


@wrong("the least likely tokens are returned")
def least(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return xi_A.argmin(-1), xi_F.argmin(-1)


@wrong("the largest absolute values are taken: a very negative logit isn't a vote")
def absolute(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return xi_A.abs().argmax(-1), xi_F.abs().argmax(-1)


@wrong("the first token above the average is taken: the vote is the token with the largest logit")
def above_average(model, batch):
    return tuple((xi > xi.mean(-1, keepdim=True)).int().argmax(-1) for xi in model(batch[0])[1:])


@wrong("the first token with a positive logit is taken: the vote is the token with the largest logit")
def first_positive(model, batch):
    return tuple((xi > 0).int().argmax(-1) for xi in model(batch[0])[1:])


@wrong("the second best tokens are returned: the vote is the token with the largest logit")
def second_best(model, batch):
    return tuple(xi.topk(2).indices[:, 1] for xi in model(batch[0])[1:])


@wrong("the votes are drawn at random from the probabilities: the vote is the token with the largest logit")
def sampled(model, batch):
    g = torch.Generator().manual_seed(0)
    return tuple(torch.multinomial((xi / 9).softmax(-1), 1, generator=g)[:, 0] for xi in model(batch[0])[1:])


@wrong("only the tokens of the sentence are candidates: every token of the vocabulary has a logit")
def within_the_sentence(model, batch):
    tokens, _, _ = batch
    return tuple(tokens.gather(1, xi.gather(1, tokens).argmax(1, keepdim=True))[:, 0] for xi in model(tokens)[1:])


@wrong("lists are returned: the votes are two tensors, which later cells compare with tensors")
def lists(model, batch):
    return tuple(xi.argmax(-1).tolist() for xi in model(batch[0])[1:])


@wrong("the votes are floating-point numbers: token ids are int64")
def floats(model, batch):
    return tuple(xi.argmax(-1).float() for xi in model(batch[0])[1:])


@wrong("it is returned whether the votes agree with the labels: the votes themselves are wanted")
def agrees_with_labels(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return xi_A.argmax(-1) == batch[1], xi_F.argmax(-1) == batch[1]


@wrong("the share of right votes is returned: the votes of every sentence are wanted")
def shares(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return (xi_A.argmax(-1) == batch[2]).float().mean(), (xi_F.argmax(-1) == batch[1]).float().mean()


@wrong("the model is given the labels instead of the sentences")
def reads_labels(model, batch):
    _, xi_A, xi_F = model(batch[1])
    return xi_A.argmax(-1), xi_F.argmax(-1)


@wrong("the whole batch is handed to the model: it takes the tokens, the first of the three")
def reads_the_batch(model, batch):
    _, xi_A, xi_F = model(batch)
    return xi_A.argmax(-1), xi_F.argmax(-1)


@wrong("the last token is never voted for: all N logits take part, that of the noise token too")
def without_tau(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return xi_A[:, :-1].argmax(-1), xi_F[:, :-1].argmax(-1)


@wrong("only the votes of attention are returned: those of the feed-forward layer belong to it")
def attention_alone(model, batch):
    return model(batch[0])[1].argmax(-1)


@wrong("the second votes are where xi_F is larger than xi_A: each layer votes alone")
def difference(model, batch):
    _, xi_A, xi_F = model(batch[0])
    return (xi_A - xi_F).argmax(-1), (xi_F - xi_A).argmax(-1)


@right
def by_max(model, batch):
    tokens, labels, outputs = batch
    xi, xi_A, xi_F = model(tokens)
    return torch.max(xi_A, dim=1)[1], torch.max(xi_F, dim=1).indices


@right
def by_differences(model, batch):
    """xi is the sum of the other two."""
    xi, xi_A, xi_F = model(batch[0])
    return (xi - xi_F).argmax(-1), (xi - xi_A).argmax(-1)


@right
def by_topk(model, batch):
    with torch.no_grad():
        logits = torch.stack(model(batch[0])[1:])
    attention, feed_forward = logits.topk(1, dim=-1).indices.squeeze(-1)
    return [attention, feed_forward]


@right
def by_probabilities(model, batch):
    votes = [xi.softmax(-1).argsort(dim=-1, descending=True)[:, 0] for xi in model(batch[0])[1:]]
    return votes[0], votes[1]
