"""Look inside the model and reach into it: activations read, and changed, at named places (chapter 5)."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.course import CourseError

PLACES = ("attn", "z_attn", "mlp", "out")  # of a block: update, stream, update, stream


def site_module(model: nn.Module, site: str) -> nn.Module:
    """The module whose output is the activation (B, T, D) at a site.

    Sites: "embedding"; for block 0, 1, ...: "b0.attn" and "b0.mlp", the updates, "b0.z_attn" and "b0.out", the residual
    stream after each of them; "z_out", the stream after the final norm. Raises CourseError for another name.
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
    raise CourseError(f"There is no site {site!r}: take embedding, b0.attn, b0.z_attn, b0.mlp, b0.out, ..., z_out.")


def all_sites(model: nn.Module) -> list[str]:
    """Every site, in the order in which the forward pass comes by."""
    blocks = [f"b{i}.{place}" for i in range(len(model.blocks)) for place in PLACES]
    return ["embedding", *blocks, "z_out"]


def record(model: nn.Module, tokens: Int[Tensor, "B T"], sites: Sequence[str]) -> dict[str, Float[Tensor, "B T D"]]:
    """The activations at `sites` in one forward pass, by site; detached copies of their own.

    No gradients are kept, and no hook is left on the model, also where the forward pass raises.
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

    No gradients are kept, and no hook is left on the model, also where an edit raises.
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
        both = inputs[0]
        if len(inputs) > 1:
            both = torch.cat([both, inputs[1].expand(len(both), -1, -1)], dim=-1)
        q, k = (
            linear(both).unflatten(-1, (module.n_heads, -1)).transpose(1, 2) for linear in (module.query, module.key)
        )
        found.append((q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(dim=-1))

    hooks = [block.attention.register_forward_pre_hook(hook) for block in model.blocks]
    try:
        with torch.no_grad():
            model(tokens)
    finally:
        for handle in hooks:
            handle.remove()
    return torch.stack(found)
