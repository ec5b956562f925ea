"""Wrong answers to exercise 3.23 that learners write, and right ones written differently."""

import copy
import math

import torch
import torch.nn.functional as F

from utils.grade import right, slips


def sequence_loss(logits, targets):
    losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    return (losses.sum(1) / (targets != -100).sum(1)).mean()


def attention_loss(patterns, selectors, mask):
    block = mask[:, :, None] & mask[:, None, :]
    found = []
    for (layer, head), chosen in selectors.items():
        wanted = chosen / chosen.sum(-1, keepdim=True).clamp(min=1)
        squares = (patterns[layer][:, head] - wanted) ** 2 * block
        found.append((squares.sum((1, 2)) / block.sum((1, 2))).mean())
    return torch.stack(found).mean()


@torch.no_grad()
def evaluate(model, batches, attention_weight=0.0, bos=False):
    before = model.training
    model.eval()
    rows = positions = 0
    one = two = hits = 0.0
    for tokens, targets, mask, selectors in batches:
        logits, patterns = model(tokens, mask)
        one += sequence_loss(logits, targets).item() * len(tokens)
        if selectors:
            two += attention_loss(patterns, selectors, mask).item() * len(tokens)
        hits += int((logits.argmax(-1) == targets)[:, int(bos) :].sum())
        rows, positions = rows + len(tokens), positions + int((targets[:, int(bos) :] != -100).sum())
    model.train(before)
    found = {"sequence_loss": one / rows, "attention_loss": two / rows, "accuracy": hits / positions}
    return {"loss": (one + attention_weight * two) / rows} | found


slip = slips(
    None,
    """
    def train(model, epochs, validation, optimizer, gamma=1.0, attention_weight=0.0, bos=False, patience=10,
              after_epoch=None):
        history = []
        best, lowest, waited, perfect = None, math.inf, 0, 0
        try:
            for number, batches in enumerate(epochs):
                model.train()
                for tokens, targets, mask, selectors in batches:
                    logits, patterns = model(tokens, mask)
                    loss = sequence_loss(logits, targets)
                    if selectors:
                        loss = loss + attention_weight * attention_loss(patterns, selectors, mask)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                for group in optimizer.param_groups:
                    group["lr"] = group["lr"] * gamma
                found = evaluate(model, validation, attention_weight, bos)
                found["epoch"] = number + 1
                history.append(found)
                waited += 1
                value = found["loss"]
                if best is None or value < lowest:
                    best = copy.deepcopy(model.state_dict())
                    lowest, waited = value, 0
                if after_epoch is not None:
                    after_epoch(found)
                perfect = perfect + 1 if found["accuracy"] == 1 else 0
                if perfect == 3:
                    break
                if waited > patience:
                    model.load_state_dict(best)
                    optimizer.state.clear()
                    waited = 0
        except KeyboardInterrupt:
            pass
        if best is not None:
            model.load_state_dict(best)
        return history
    """,
)

BEST = "best = copy.deepcopy(model.state_dict())"
NoClearing = slip("the gradients of earlier steps are never cleared", "optimizer.zero_grad()", "pass")
EvalMode = slip("training runs in eval mode: switch to train mode for the steps", "model.train()\n", "pass\n")
NoStep = slip("the optimizer never steps", "optimizer.step()", "pass")
LastWeights = slip(
    "the model ends with the weights of the last epoch: load the best ones",
    "if best is not None:\n",
    "if False:\n",
)
SHARED = "the best weights are kept without a copy, so that later steps change them: clone them"
Shared = slip(SHARED, BEST, "best = model.state_dict()")
ShallowCopy = slip(SHARED, BEST, "best = dict(model.state_dict())")
BestByAccuracy = slip(
    "the best epoch is chosen by accuracy: it is the one with the lowest validation loss",
    'value = found["loss"]',
    'value = -found["accuracy"]',
)
BestBySequenceLoss = slip(
    "the best epoch is chosen by sequence_loss alone: `loss` holds the attention's part, too",
    'value = found["loss"]',
    'value = found["sequence_loss"]',
)
EqualIsBetter = slip(
    "an equal loss counts as a lower one, so that patience never ends: it must be lower",
    "value < lowest",
    "value <= lowest",
)
InTotal = slip(
    "patience counts all epochs that brought nothing: a lower loss starts the count anew",
    "lowest, waited = value, 0",
    "lowest, waited = value, waited - 1",
)
FirstGroup = slip(
    "only the first group of parameters gets its learning rate multiplied: do it for all of them",
    "in optimizer.param_groups:",
    "in optimizer.param_groups[:1]:",
)
SwallowsErrors = slip(
    "every error is swallowed, so that nobody learns of it: catch KeyboardInterrupt alone",
    "except KeyboardInterrupt:",
    "except BaseException:",
)
OncePerEpoch = slip(
    "the gradients are cleared once an epoch: clear them before every step",
    "optimizer.zero_grad()",
    "pass",
    "model.train()\n",
    "model.train()\n            optimizer.zero_grad()\n",
)
ORDER = "the steps change nothing, because the gradients are gone by then: first clear, then backward, then step"
ClearedTooLate = slip(
    ORDER,
    "                optimizer.zero_grad()\n                loss.backward()",
    "                loss.backward()\n                optimizer.zero_grad()",
)
StepFirst = slip(
    ORDER,
    "                loss.backward()\n                optimizer.step()",
    "                optimizer.step()\n                loss.backward()",
)
Clipped = slip(
    "long gradients are shortened: a step takes those of its batch as they are",
    "loss.backward()",
    "loss.backward()\n                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
)
AttentionAlways = slip(
    "attention_loss is asked also where a batch has no selectors: add it only where there are some",
    "if selectors:",
    "if True:",
)
OneRate = slip(
    "all groups of parameters get the same learning rate: multiply each by gamma",
    'group["lr"] = group["lr"] * gamma',
    'group["lr"] = optimizer.defaults["lr"] * gamma ** (number + 1)',
)
DecayFirst = slip(
    "the learning rate is multiplied before the steps of an epoch: gamma comes after them",
    'group["lr"] = group["lr"] * gamma',
    "pass",
    "model.train()\n",
    "for g in optimizer.param_groups:\n                g['lr'] = g['lr'] * gamma\n            model.train()\n",
)
TwoPerfect = slip("training ends after two perfect epochs: it takes three", "if perfect == 3:", "if perfect == 2:")
BestFromTheStart = slip(
    "the weights from before the training count as the best: after an interrupted first epoch, those of then are kept",
    "best, lowest, waited, perfect = None,",
    "best, lowest, waited, perfect = copy.deepcopy(model.state_dict()),",
)
BestByTraining = slip(
    "the best epoch is chosen by the training loss: it is the one with the lowest validation loss",
    'value = found["loss"]',
    "value = loss.item()",
)
HighestLoss = slip(
    "the weights of the highest validation loss are kept: it must be the lowest",
    'value = found["loss"]',
    'value = -found["loss"]',
)
LowestForgotten = slip(
    "the lowest loss is never noted, so that every epoch counts as the best", "lowest, waited = value, 0", "waited = 0"
)
BetterThanBefore = slip(
    "each epoch is compared with the one before: compare it with the best so far",
    "if after_epoch is not None:",
    "lowest = value\n            if after_epoch is not None:",
)
NoDecay = slip("gamma is never used: the learning rate stays the same", 'group["lr"] = group["lr"] * gamma', "pass")
DecayPerStep = slip(
    "the learning rate falls after every step: it falls after each epoch",
    "optimizer.step()",
    'optimizer.step()\n                optimizer.param_groups[0]["lr"] *= gamma',
    'group["lr"] = group["lr"] * gamma',
    "pass",
)
DecayOfAllPerStep = slip(
    "the learning rate falls after every step: it falls after each epoch",
    "optimizer.step()\n            for group in optimizer.param_groups:\n                group",
    "optimizer.step()\n                for group in optimizer.param_groups:\n                    group",
)
OverTokens = slip(
    "the loss of a batch is a mean over all its tokens: sequence_loss takes that of each sequence first",
    "sequence_loss(logits, targets)",
    "F.cross_entropy(logits.flatten(0, 1), targets.flatten())",
)
AttentionForgotten = slip(
    "the attention loss is never added to the loss of a batch",
    "attention_weight * attention_loss(patterns, selectors, mask)",
    "0 * attention_loss(patterns, selectors, mask)",
)
AttentionUnweighted = slip(
    "the attention loss is added without attention_weight",
    "attention_weight * attention_loss(patterns, selectors, mask)",
    "attention_loss(patterns, selectors, mask)",
)
AttentionAlone = slip(
    "the attention loss replaces the sequence loss: add the two",
    "loss = loss + attention_weight",
    "loss = attention_weight",
)
EvaluatedWithout = slip(
    "evaluate doesn't get attention_weight, so that the best epoch is chosen by the sequence loss alone",
    "validation, attention_weight, bos)",
    "validation, 0.0, bos)",
)
BosForgotten = slip("bos isn't handed on to evaluate", "attention_weight, bos)", "attention_weight)")
FromZero = slip("epochs are counted from 0: the first is epoch 1", '["epoch"] = number + 1', '["epoch"] = number')
NoEpoch = slip("the entries of the history lack 'epoch'", 'found["epoch"] = number + 1', "pass")
Silent = slip("after_epoch is never called", "after_epoch(found)", "pass")
ToldTheHistory = slip(
    "after_epoch is given the whole history: give it this epoch's entry",
    "after_epoch(found)",
    "after_epoch({'all': history[:]})",
)
GivenHistory = slip(
    "after_epoch is given the whole history: give it this epoch's entry", "after_epoch(found)", "after_epoch(history)"
)
GivenNumber = slip(
    "after_epoch is given the number of the epoch: give it this epoch's entry",
    "after_epoch(found)",
    "after_epoch(number + 1)",
)
OnlyBestTold = slip(
    "after_epoch is called only for epochs that are the best so far: call it after each",
    "if after_epoch is not None:",
    "if after_epoch is not None and number == 0:",
)
NeverPerfect = slip("perfect epochs never end the training", "if perfect == 3:", "if False:")
FirstPerfect = slip(
    "one perfect epoch ends the training: it takes three in a row", "if perfect == 3:", "if perfect == 1:"
)
FourPerfect = slip("it takes four perfect epochs to end: three are enough", "if perfect == 3:", "if perfect == 4:")
NotInARow = slip("perfect epochs are counted all together: they must come in a row", "== 1 else 0", "== 1 else perfect")
AlmostPerfect = slip(
    "an accuracy below 1 counts as perfect: it must be exactly 1",
    'found["accuracy"] == 1 else',
    'found["accuracy"] > 0.4 else',
)
NoPatience = slip("patience is never used: the best weights don't come back", "if waited > patience:", "if False:")
TooImpatient = slip(
    "the best weights come back after `patience` epochs: it takes more than that",
    "waited > patience",
    "waited >= patience",
)
StateKept = slip(
    "the optimizer's state isn't cleared when the best weights come back", "optimizer.state.clear()", "pass"
)
StateOnly = slip(
    "the optimizer's state is cleared, but the best weights aren't loaded",
    "model.load_state_dict(best)\n                optimizer",
    "optimizer",
)
NotAnew = slip(
    "the count doesn't start anew after the best weights have come back", "waited = 0\n    except", "pass\n    except"
)
StopsInstead = slip(
    "training ends when patience is over: load the best weights and go on", "optimizer.state.clear()", "break"
)
RateReset = slip(
    "the learning rate goes back to its first value together with the weights: it is kept",
    "optimizer.state.clear()",
    'optimizer.state.clear()\n                optimizer.param_groups[0]["lr"] /= gamma ** (number + 1)',
)
NotCaught = slip("Ctrl-C isn't caught: the history is lost", "except KeyboardInterrupt:", "except ValueError:")
ReturnsAtOnce = slip(
    "after Ctrl-C the best weights aren't loaded", "        pass\n    if best", "        return history\n    if best"
)
NothingYet = slip(
    "after Ctrl-C in the first epoch there are no best weights to load, and it fails",
    "if best is not None:",
    "if True:",
)
NothingReturned = slip("the history isn't returned", "return history", "return")
EndsOnly = slip("only the last entry is returned: return the whole history", "return history", "return history[-1:]")
OnlyWhenBetter = slip(
    "after_epoch is called only after an epoch with a lower loss than ever: call it after each",
    "if after_epoch is not None:",
    "if after_epoch is not None and waited == 0:",
)
StopsFirst = slip(
    "training ends before after_epoch has been given the last epoch: call it first",
    "            if after_epoch is not None:\n                after_epoch(found)\n",
    "",
    "                break\n",
    "                break\n            if after_epoch is not None:\n                after_epoch(found)\n",
)
NearlyPerfect = slip(
    "an accuracy below 1 counts as perfect: it must be exactly 1",
    'found["accuracy"] == 1',
    'found["accuracy"] > 0.999',
)


@right
def in_a_class(
    model, epochs, validation, optimizer, gamma=1.0, attention_weight=0.0, bos=False, patience=10, after_epoch=None
):
    kept, history = {}, []

    def one(batch):
        tokens, targets, mask, selectors = batch
        logits, patterns = model(tokens, mask)
        extra = attention_weight * attention_loss(patterns, selectors, mask) if selectors else 0.0
        (sequence_loss(logits, targets) + extra).backward()
        optimizer.step()
        optimizer.zero_grad()

    def losses():
        return [entry["loss"] for entry in history]

    since = 0
    try:
        for batches in epochs:
            model.train(True)
            for batch in batches:
                one(batch)
            for group in optimizer.param_groups:
                group["lr"] *= gamma
            history.append(dict(evaluate(model, validation, attention_weight, bos), epoch=len(history) + 1))
            if min(losses()) not in losses()[:-1]:
                kept = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
                since = len(history)
            if after_epoch:
                after_epoch(history[-1])
            if [entry["accuracy"] for entry in history[-3:]] == [1.0] * 3:
                return history
            if len(history) > since + patience:
                model.load_state_dict(kept)
                optimizer.state.clear()
                since = len(history)
    except KeyboardInterrupt:
        return history
    finally:
        if kept:
            model.load_state_dict(kept)
    return history


@right
def by_scheduler(
    model, epochs, validation, optimizer, gamma=1.0, attention_weight=0.0, bos=False, patience=10, after_epoch=None
):
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma)
    history, best, streak, last = [], (math.inf, None), 0, 0
    epochs = iter(epochs)
    while True:
        try:
            batches = next(epochs)
            model.train()
            for tokens, targets, mask, selectors in batches:
                optimizer.zero_grad()
                logits, patterns = model(tokens, mask)
                loss = sequence_loss(logits, targets)
                if len(selectors):
                    loss += attention_weight * attention_loss(patterns, selectors, mask)
                loss.backward()
                optimizer.step()
        except (StopIteration, KeyboardInterrupt):
            break
        schedule.step()
        found = {"epoch": len(history) + 1, **evaluate(model, validation, attention_weight, bos)}
        history.append(found)
        if found["loss"] < best[0]:
            best, last = (found["loss"], copy.deepcopy(model.state_dict())), found["epoch"]
        if after_epoch is not None:
            after_epoch(found)
        streak = streak + 1 if found["accuracy"] >= 1 else 0
        if streak >= 3:
            break
        if found["epoch"] - last > patience:
            model.load_state_dict(best[1])
            optimizer.state.clear()
            last = found["epoch"]
    if best[1]:
        model.load_state_dict(best[1])
    return history
