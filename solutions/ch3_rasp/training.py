"""The training loop: the best weights on the validation set are what remains of it (chapter 3)."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from .attention_targets import attention_loss
from .objective import masked_accuracy, sequence_loss


@torch.no_grad()
def evaluate(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor, Tensor, dict]],
    attention_weight: float = 0.0,
    bos: bool = False,
) -> dict[str, float]:
    """Loss and accuracy over all batches, in eval mode: {"loss", "sequence_loss", "attention_loss", "accuracy"}.

    Losses are means over sequences, the accuracy is over positions. The mode of before is restored.
    """
    before = model.training
    model.eval()
    sequences = positions = 0
    sums = {"sequence_loss": 0.0, "attention_loss": 0.0, "accuracy": 0.0}
    for tokens, targets, mask, selectors in batches:
        logits, patterns = model(tokens, mask)
        here = int((targets[:, int(bos) :] != -100).sum())
        sums["sequence_loss"] += sequence_loss(logits, targets).item() * len(tokens)
        if selectors:
            sums["attention_loss"] += attention_loss(patterns, selectors, mask).item() * len(tokens)
        if here:
            sums["accuracy"] += masked_accuracy(logits, targets, bos) * here
        sequences, positions = sequences + len(tokens), positions + here
    model.train(before)
    found = {name: total / max(positions if name == "accuracy" else sequences, 1) for name, total in sums.items()}
    return {"loss": found["sequence_loss"] + attention_weight * found["attention_loss"]} | found


def train(
    model: nn.Module,
    epochs: Iterable[Iterable[tuple[Tensor, Tensor, Tensor, dict]]],
    validation: Iterable[tuple[Tensor, Tensor, Tensor, dict]],
    optimizer: torch.optim.Optimizer,
    gamma: float = 1.0,
    attention_weight: float = 0.0,
    bos: bool = False,
    patience: int = 10,
    after_epoch: Callable[[dict], object] | None = None,
) -> list[dict]:
    """Train through `epochs`, and leave the model with the weights of the epoch whose validation loss was lowest.

    A batch is (tokens, targets, mask, selectors). `model(tokens, mask)` gives logits and patterns; the loss of a
    batch is sequence_loss, plus attention_weight times attention_loss where there are selectors. Every step starts
    from fresh gradients, in train mode. After each epoch:

    - every learning rate of the optimizer is multiplied by gamma;
    - `evaluate(model, validation, attention_weight, bos)` measures the model, and the dict it returns, with the entry
      "epoch" (1, 2, ...) added, is appended to the history and given to `after_epoch`;
    - after three epochs in a row with an accuracy of exactly 1, training ends;
    - when more than `patience` epochs in a row have brought no lower loss, the best weights are loaded and the
      optimizer's state is cleared (its learning rate is kept); then the count starts anew.

    A KeyboardInterrupt (Ctrl-C) ends the training too: the best weights so far are kept, or, in the first epoch,
    those of the moment. Any other error gets out. Returns the history.
    """
    # solution
    history, best, best_loss, best_epoch, perfect = [], None, math.inf, 0, 0
    try:
        for epoch, batches in enumerate(epochs, start=1):
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
                group["lr"] *= gamma

            found = {"epoch": epoch} | evaluate(model, validation, attention_weight, bos)
            history.append(found)
            if best is None or found["loss"] < best_loss:
                best = {name: value.clone() for name, value in model.state_dict().items()}
                best_loss, best_epoch = found["loss"], epoch
            if after_epoch is not None:
                after_epoch(found)
            perfect = perfect + 1 if found["accuracy"] == 1 else 0
            if perfect == 3:
                break
            if epoch - best_epoch > patience:
                model.load_state_dict(best)
                optimizer.state.clear()
                best_epoch = epoch
    except KeyboardInterrupt:
        pass
    if best is not None:
        model.load_state_dict(best)
    return history
    # end solution
