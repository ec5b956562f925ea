"""Interventions: change what the model represents, and see whether its answer follows (chapter 5)."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from .activations import record, run_with_edit


def swap_means(
    model: nn.Module,
    tokens: Int[Tensor, "B T"],
    cells: Bool[Tensor, "B T"],
    m_from: Float[Tensor, "B D"],
    m_to: Float[Tensor, "B D"],
    site: str,
    alpha: float = 1.0,
) -> Float[Tensor, "B T V"]:
    """Logits when, at `site`, the vectors of the chosen cells of board b move by alpha (m_to[b] - m_from[b]).

    `cells` is true where a vector is to move; all other cells keep theirs.
    """
    # solution
    shift = alpha * (m_to - m_from)

    def edit(v):
        return v + cells[..., None] * shift[:, None, :]

    return run_with_edit(model, tokens, {site: edit})
    # end solution


def donor_patch(
    model: nn.Module, tokens: Int[Tensor, "B T"], donor: Int[Tensor, "B T"], cells: Bool[Tensor, "B T"], site: str
) -> Float[Tensor, "B T V"]:
    """Logits for `tokens` when, at `site`, the chosen cells hold what they hold in the forward pass of `donor`.

    Board b takes from donor board b, cell for cell.
    """
    # solution
    given = record(model, donor, [site])[site]
    return run_with_edit(model, tokens, {site: lambda v: torch.where(cells[..., None], given, v)})
    # end solution


def ablate_subspace(
    X: Float[Tensor, "... D"], U: Float[Tensor, "k D"], mu: Float[Tensor, "D"]
) -> Float[Tensor, "... D"]:
    """Remove from X - mu its projection on the span of the rows of U, and add mu again.

    The rows of U need not be orthonormal, nor independent. Afterwards X - mu is orthogonal to every row of U.
    """
    # solution
    _, sizes, rows = torch.linalg.svd(U, full_matrices=False)
    basis = rows[sizes > 1e-5 * sizes.max()]
    return X - (X - mu) @ basis.T @ basis
    # end solution


def random_shift(shift: Float[Tensor, "B D"], generator: torch.Generator) -> Float[Tensor, "B D"]:
    """The control of a shift: one random direction for each row, of the same length."""
    random = torch.randn(shift.shape, generator=generator)
    return random / random.norm(dim=1, keepdim=True) * shift.norm(dim=1, keepdim=True)


def random_subspace(k: int, d: int, generator: torch.Generator) -> Float[Tensor, "k d"]:
    """The control of an ablation: k orthonormal random directions in d dimensions."""
    return torch.linalg.qr(torch.randn(d, k, generator=generator)).Q.T


def target_and_unchanged(
    logits: Float[Tensor, "B T V"],
    cells: Bool[Tensor, "B T"],
    now: Int[Tensor, "B T"],
    wanted: Int[Tensor, "B T"],
) -> tuple[float, float]:
    """(share that became the wanted token, share that stayed), over the chosen cells whose token has to change."""
    count = cells & (now != wanted)
    said = logits.argmax(dim=-1)
    return (said == wanted)[count].float().mean().item(), (said == now)[count].float().mean().item()
