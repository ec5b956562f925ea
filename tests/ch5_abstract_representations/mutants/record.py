"""Wrong answers to exercise 5.10 that learners write, and right ones written differently."""

from pathlib import Path

import torch

from utils.grade import load_file, right, slips

site_module = load_file(Path(__file__).with_name("_pieces.py")).site_module

slip = slips("""
    def record(model, tokens, sites):
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
""")

HooksLeft = slip("the hooks stay on the model: every later pass goes on recording", "hook.remove()", "pass")
OnlyFirstRemoved = slip(
    "only the last hook is removed: all of them must go", "for hook in hooks:", "for hook in hooks[-1:]:"
)
NoFinally = slip(
    "after an error in the forward pass the hooks are left: put the removal into a finally",
    "finally:", "except ZeroDivisionError:\n        pass\n    else:",
)  # fmt: skip
Swallowed = slip(
    "an error of the forward pass is swallowed: it must reach the caller",
    "finally:",
    "except TypeError:\n        pass\n    finally:",
)
NoCopy = slip(
    "the tensors are the model's own, and a later layer that works in place changes them: clone what you keep",
    "output.detach().clone()", "output.detach()",
)  # fmt: skip
WithGraph = slip(
    "the recorded tensors keep the graph: no gradients are wanted",
    "output.detach().clone()", "output.clone()", "with torch.no_grad():", "with torch.enable_grad():",
)  # fmt: skip
LateBinding = slip(
    "every hook writes to the last site of the loop: each needs a site of its own",
    "keep(site)) for site in sites]", "keep(sites[-1])) for site in sites]",
)  # fmt: skip
Inputs = slip(
    "the input of the module is recorded: the activation at a site is its output",
    "output.detach().clone()", "(inputs[0] if inputs[0].is_floating_point() else output).detach().clone()",
)  # fmt: skip
FirstBoard = slip(
    "only the first board is kept: all B of them are wanted", "output.detach().clone()", "output[:1].detach().clone()"
)
AveragedCells = slip(
    "the cells are averaged: each keeps its own vector", "output.detach().clone()", "output.detach().mean(1)"
)
EveryTap = slip(
    "more sites come back than were asked for",
    "return found",
    "found.setdefault('embedding', found[sites[0]].clone())\n    return found",
)
OnePassEach = slip(
    "the model runs anew for every site: register all hooks first, and run it once",
    "try:\n", "try:\n        for _ in sites[1:]:\n            model(tokens)\n",
)  # fmt: skip
LeftInEval = slip("the model is switched to eval mode and left there", "found = {}", "found = {}\n    model.eval()")
AllHooksGone = slip(
    "every hook is removed, those of others too: remove your own by their handles",
    "hook.remove()", "pass\n            for module in model.modules():\n                module._forward_hooks.clear()",
)  # fmt: skip
Numpy = slip("the activations come as numpy arrays: keep tensors", "output.detach().clone()", "output.detach().numpy()")
Kept = slip(
    "the hook hands on what it keeps, and a later layer works on it in place: a hook that only reads returns nothing",
    "found[site] = output.detach().clone()", "found[site] = output.detach().clone()\n            return found[site]",
)  # fmt: skip
InputOfAnyKind = slip(
    "the input of the module is recorded: the activation at a site is its output",
    "output.detach()",
    "inputs[0].detach()",
)
TrainAfterwards = slip(
    "the model is in train mode afterwards, whatever it was in: leave its mode as it is",
    "found = {}", "found = {}\n    model.eval()", "return found", "model.train()\n    return found",
)  # fmt: skip
GradientsOff = slip(
    "gradients are switched off for good: use torch.no_grad() as a with block",
    "with torch.no_grad():", "torch.set_grad_enabled(False)\n        if True:",
)  # fmt: skip
Frozen = slip(
    "the parameters no longer ask for gradients: use torch.no_grad(), and leave them as they are",
    "found = {}", "found = {}\n    for weight in model.parameters():\n        weight.requires_grad_(False)",
)  # fmt: skip
SitesAsModules = slip(
    "a site is looked up among the model's modules: site_module finds the module of a site",
    "site_module(model, site)", "dict(model.named_modules())[site]",
)  # fmt: skip
OneBoardOnly = slip(
    "only the first board is kept: all B of them are wanted", "output.detach().clone()", "output[0].detach().clone()"
)
Doubles = slip(
    "the copies are float64: an edit that puts one in again would stop the pass, so leave the dtype as it was",
    "output.detach().clone()",
    "output.detach().double()",
)


@right
def with_exit_stack(model, tokens, sites):
    import contextlib

    store = {}
    with contextlib.ExitStack() as stack, torch.inference_mode(False), torch.no_grad():
        for site in dict.fromkeys(sites):

            def hook(module, given, out, name=site):
                store[name] = torch.clone(out).detach()

            stack.callback(site_module(model, site).register_forward_hook(hook).remove)
        model(tokens)
    return store


@right
def with_keepers(model, tokens, sites):
    class Keeper:
        def __call__(self, module, given, out):
            self.value = out.detach().clone()

    keepers = {site: Keeper() for site in sites}
    handles = [site_module(model, site).register_forward_hook(keeper) for site, keeper in keepers.items()]
    was_training = model.training
    try:
        model.eval()
        model(tokens)
    finally:
        model.train(was_training)
        while handles:
            handles.pop().remove()
    return {site: keeper.value for site, keeper in keepers.items()}
