"""Look inside the model and reach into it: activations read and changed at named places, interventions (chapter 5)."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from utils.course import CourseError

PLACES = ("attn", "z_attn", "mlp", "out")  # of a block: update, stream, update, stream


def site_module(model: nn.Module, site: str) -> nn.Module:
    """The module whose output is the activation (B, T, D) at a site.

    Sites: "embedding"; for block 0, 1, ...: "b0.attn" and "b0.mlp", the updates, "b0.z_attn" and "b0.out", the
    residual stream after each of them; "z_out", the stream after the final norm. Every other module goes by its path
    in the model, as "blocks.0.norm_1". Raises CourseError for a name that is neither.
    """
    if site == "embedding":
        return model.token_embedding
    if site == "z_out":
        return model.final_norm
    block, _, place = site.partition(".")
    number = block[1:]
    if block[:1] == "b" and number.isdigit() and int(number) < len(model.blocks) and place in PLACES:
        part = model.blocks[int(number)]
        return part.attention if place == "attn" else getattr(part, place)
    found = dict(model.named_modules()).get(site) if site else None
    if found is None:
        raise CourseError(f"There is no site {site!r}: take embedding, b0.attn, b0.z_attn, b0.mlp, b0.out ... z_out.")
    return found


def all_sites(model: nn.Module) -> list[str]:
    """Every site, in the order in which the forward pass comes by."""
    blocks = [f"b{i}.{place}" for i in range(len(model.blocks)) for place in PLACES]
    return ["embedding", *blocks, "z_out"]


def record(model: nn.Module, tokens: Int[Tensor, "B T"], sites: Sequence[str]) -> dict[str, Float[Tensor, "B T D"]]:
    """The activations at `sites` in one forward pass, by site; detached copies of their own.

    No gradients are kept, and the model is left as it was: its mode, its parameters, and the hooks that others have
    put on it; none of yours stays, even if the forward pass raises.
    """
    # solution
    found = {}

    def keep(site):
        def hook(module, inputs, output):
            found[site] = output.detach().clone()

        return hook

    hooks = [site_module(model, site).register_forward_hook(keep(site)) for site in sites]
    try:
        with torch.no_grad():
            model(tokens)
    finally:
        for hook in hooks:
            hook.remove()
    return found
    # end solution


def run_with_edit(
    model: nn.Module, tokens: Int[Tensor, "B T"], edits: Mapping[str, Callable[[Tensor], Tensor]]
) -> Float[Tensor, "B T V"]:
    """The logits when, at each site, the activation v is replaced by edits[site](v) before the pass goes on.

    No gradients are kept, and the model is left as it was: its mode, its parameters, and the hooks that others have
    put on it; none of yours stays, even if an edit raises. `edits` is only read.
    """

    # solution
    def change(edit):
        return lambda module, inputs, output: edit(output)

    hooks = []
    try:
        for site, edit in edits.items():
            hooks.append(site_module(model, site).register_forward_hook(change(edit)))
        with torch.no_grad():
            return model(tokens)
    finally:
        for hook in hooks:
            hook.remove()
    # end solution


def attention_patterns(model: nn.Module, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "L B N T T"]:
    """The attention weights of every block and head: query cells down, key cells across."""
    found = []

    def hook(module, inputs):
        both = torch.cat([inputs[0], inputs[1].expand(len(inputs[0]), -1, -1)], dim=-1)
        q, k = (
            linear(both).unflatten(-1, (module.n_heads, -1)).transpose(1, 2) for linear in (module.query, module.key)
        )
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        if hasattr(module, "seen"):
            scores = scores.masked_fill(~module.seen, float("-inf"))
        found.append(scores.softmax(dim=-1))

    hooks = [block.attention.register_forward_pre_hook(hook) for block in model.blocks]
    try:
        with torch.no_grad():
            model(tokens)
    finally:
        for handle in hooks:
            handle.remove()
    return torch.stack(found)


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

    `cells` is true where a vector is to move; all other cells keep theirs. Model and arguments stay as they are.
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

    Board b takes from donor board b, cell for cell. Model and arguments stay as they are.
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
