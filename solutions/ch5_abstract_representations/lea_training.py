"""Train LEA: first with sentences of free vectors, then with words (chapter 5)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from jaxtyping import Int
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR

from .lea import lea_loss
from .quantise import ema_update, new_state, restart_unused, soft_usage


def lea_optimizer(model: nn.Module, lr: float, steps: int) -> tuple[AdamW, CosineAnnealingLR]:
    """AdamW (betas 0.9 and 0.95; decay 0.01 on the weights of linear layers alone), and lr's cosine from lr to 0."""
    linear = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    known = {id(weight) for weight in linear}
    others = [parameter for parameter in model.parameters() if id(parameter) not in known]
    groups = [{"params": linear, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = AdamW(groups, lr=lr, betas=(0.9, 0.95), fused=True)
    return optimizer, CosineAnnealingLR(optimizer, steps)


@torch.no_grad()
def start_codebook(model: nn.Module, masked: Int[Tensor, "B T"], generator: torch.Generator) -> None:
    """Make the words of the model from what it would say about these boards: random vectors, then k-means.

    So every word begins where it is needed. A word that no vector chooses stays where it is. Where the words have had
    their start before, as in a run that goes on, they are left alone.
    """
    if model.started:
        return
    model.started.fill_(True)
    vectors = model.compose(model.read(masked, model.blank(len(masked)))).flatten(0, 1)
    K = len(model.codebook)
    words = vectors[torch.randperm(len(vectors), generator=generator)[torch.arange(K) % len(vectors)]]
    for _ in range(10):
        chosen = F.one_hot(torch.cdist(vectors, words).argmin(-1), K).to(vectors.dtype)
        counts = chosen.sum(0)[:, None]
        words = torch.where(counts > 0, chosen.T @ vectors / counts.clamp(min=1), words)
    store_state(model, new_state(words))


@contextmanager
def blurred(model: nn.Module, size: float, generator: torch.Generator) -> Iterator[None]:
    """Inside this block, noise of that standard deviation is added to what is composed, until the words have started.

    A reader that understands blurred vectors is not lost when they are rounded to words. Only training is blurred:
    where no gradients are kept, the vectors come as they are.
    """

    def blur(module, inputs, vectors):
        if model.started or not torch.is_grad_enabled():
            return vectors
        return vectors + size * torch.randn(vectors.shape, generator=generator).to(vectors.device)

    hook = model.composer_norm.register_forward_hook(blur)
    try:
        yield
    finally:
        hook.remove()


@torch.no_grad()
def update_codebook(model: nn.Module, parts: dict[str, Tensor], generator: torch.Generator) -> None:
    """Let the words follow the vectors that chose them, and give unused words a new start.

    `parts` is what `lea_loss` returned. A codebook that the optimizer trains ("gradient") is left alone.
    """
    if model.settings.quantiser == "gradient":
        return
    vectors, words = parts["vectors"].detach().flatten(0, 1), parts["words"].flatten()
    state = {name: getattr(model, name) for name in ("codebook", "counts", "sums")}
    state = ema_update(state, vectors, words, decay=model.settings.decay)
    store_state(model, restart_unused(state, vectors, generator)[0])


@torch.no_grad()
def store_state(model: nn.Module, state: dict[str, Tensor]) -> None:
    """Put a codebook, and its running averages where the model keeps any, into the model."""
    for name, value in state.items():
        if hasattr(model, name):
            getattr(model, name).copy_(value)


def train_lea(
    model: nn.Module,
    sample: Callable[[], tuple[Tensor, Tensor]],
    steps: int,
    continuous_steps: int,
    lr: float = 3e-3,
    generator: torch.Generator | None = None,
    optimizer: tuple | None = None,
    score: Callable[..., dict] | None = None,
) -> dict[str, list[float]]:
    """Train LEA: at first the sentence is heard as it was composed, from step `continuous_steps` on as words.

    sample() -> a masked board and the board, (B, T) each; one call a step. When the first quantised step comes,
    `start_codebook` makes the words out of that step's masked boards; after each quantised step `update_codebook`
    moves them. Returns {"loss", "board", "speech", "vq"}: one float a step each, before the step's update.
    `optimizer`: an optimizer and its schedule to go on with, else `lea_optimizer` makes them. `score`: what scores a
    step in place of `lea_loss`, called as score(model, masked, board, quantised=...).
    """
    # solution
    generator = generator or torch.Generator().manual_seed(0)
    optimizer, schedule = optimizer or lea_optimizer(model, lr, steps)
    score = score or lea_loss
    history = {"loss": [], "board": [], "speech": [], "vq": []}
    for step in range(steps):
        masked, board = sample()
        if step == continuous_steps:
            start_codebook(model, masked, generator)
        parts = score(model, masked, board, quantised=step >= continuous_steps)
        optimizer.zero_grad()
        parts["loss"].backward()
        optimizer.step()
        schedule.step()
        if step >= continuous_steps:
            update_codebook(model, parts, generator)
        for name, values in history.items():
            values.append(parts[name].item())
    return history
    # end solution


def published_score(speech_weight: float, usage_cost: float, sparsity_weight: float) -> Callable[..., dict]:
    """`lea_loss` with the published script's two further losses, in a form that has gradients.

    Usage: K times the sum over words of (share - 1/K)^2, so that 0 is even use and K - 1 a single word; sparsity: 1
    minus the share of the last word of the codebook, which stands for saying nothing. Shares are those of `soft_usage`.
    """

    def score(model: nn.Module, masked: Int[Tensor, "B T"], board: Int[Tensor, "B T"], quantised: bool = True) -> dict:
        parts = lea_loss(model, masked, board, speech_weight, quantised)
        if quantised and (usage_cost or sparsity_weight):
            share = soft_usage(parts["vectors"].flatten(0, 1), model.codebook)
            uneven, spoken = len(share) * (share - 1 / len(share)).square().sum(), 1 - share[-1]
            extra = speech_weight * usage_cost * uneven + sparsity_weight * spoken
            parts |= {"loss": parts["loss"] + extra, "usage": uneven, "sparsity": spoken}
        return parts

    return score
