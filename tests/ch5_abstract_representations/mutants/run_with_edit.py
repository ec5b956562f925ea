"""Wrong answers to exercise 5.11 that learners write, and right ones written differently."""

from pathlib import Path

import torch

from utils.grade import load_file, right, slips, wrong

site_module = load_file(Path(__file__).with_name("_pieces.py")).site_module

slip = slips("""
    def run_with_edit(model, tokens, edits):
        def change(edit):
            return lambda module, inputs, output: edit(output)

        hooks = [site_module(model, site).register_forward_hook(change(edit)) for site, edit in edits.items()]
        try:
            with torch.no_grad():
                return model(tokens)
        finally:
            for hook in hooks:
                hook.remove()
""")

NotReturned = slip(
    "the changed activation is thrown away: a hook must return it",
    "edit(output)",
    "(edit(output), None)[1]",
)
Inputs = slip(
    "the input of the module is edited, not its output: register a forward hook",
    ".register_forward_hook(change(edit))",
    ".register_forward_pre_hook(lambda m, given, e=edit: (e(given[0].clone()), "
    "*given[1:]) if given[0].is_floating_point() else given)",
)  # fmt: skip
LateBinding = slip(
    "every hook uses the last edit of the loop: each needs an edit of its own",
    "change(edit))",
    "change(list(edits.values())[-1]))",
)
OnlyFirst = slip("only the first edit is used", "in edits.items()]", "in list(edits.items())[:1]]")
AddedUp = slip(
    "the changed activation is added to the old one: it takes its place",
    "edit(output)",
    "output + edit(output)",
)
FirstBoard = slip(
    "only the first board is edited: an edit gets all of them",
    "edit(output)", "torch.cat([edit(output)[:1], output[1:]])",
)  # fmt: skip
HooksLeft = slip("the hooks stay on the model: every later pass is edited as well", "hook.remove()", "pass")
NoFinally = slip(
    "after an error in an edit the hooks are left: put the removal into a finally",
    "            return model(tokens)\n", "            logits = model(tokens)\n",
    "    finally:\n", "    except KeyError:\n        raise\n    else:\n",
    "            hook.remove()", "            hook.remove()\n    return logits",
)  # fmt: skip
WithGraph = slip("the pass keeps gradients: none are wanted", "torch.no_grad()", "torch.enable_grad()")
Twice = slip("the edit is applied twice", "edit(output)", "edit(edit(output))")
LeftInEval = slip(
    "the model is switched to eval mode and left there", "def change(edit):", "model.eval()\n\n    def change(edit):"
)
AllHooksGone = slip(
    "every hook is removed, those of others too: remove your own by their handles",
    "hook.remove()", "pass\n            for module in model.modules():\n                module._forward_hooks.clear()",
)  # fmt: skip
Swallowed = slip(
    "an error in an edit is swallowed: it must reach the caller",
    "finally:", "except Exception:\n        pass\n    finally:",
)  # fmt: skip
Emptied = slip(
    "the caller's dict of edits is emptied: read it, and leave it as it is",
    "for site, edit in edits.items()]", "for site, edit in [edits.popitem() for _ in list(edits)]]",
)  # fmt: skip
BoardByBoard = slip(
    "the edit is called for one board after the other: it takes all of them at once, (B, T, D)",
    "edit(output)", "torch.stack([edit(one) for one in output])",
)  # fmt: skip
InputsGiven = slip(
    "the edit is given the module's input: the activation at a site is its output", "edit(output)", "edit(inputs[0])"
)
BeforeTheModule = slip(
    "what goes into the module is edited, not what comes out: register a forward hook",
    ".register_forward_hook(change(edit))",
    ".register_forward_pre_hook(lambda m, given, e=edit: (e(given[0]), *given[1:]))",
)  # fmt: skip
Softmax = slip(
    "probabilities are returned: return the logits", "return model(tokens)", "return model(tokens).softmax(-1)"
)
Tokens = slip(
    "the most likely tokens are returned: return the logits", "return model(tokens)", "return model(tokens).argmax(-1)"
)
PassEach = slip(
    "every edit has a pass of its own: all of them hold in one pass",
    "hooks = [site_module(model, site).register_forward_hook(change(edit)) for site, edit in edits.items()]\n",
    "logits = None\n    for site, edit in edits.items():\n",
    "    try:\n", "        hooks = [site_module(model, site).register_forward_hook(change(edit))]\n        try:\n",
    "        with torch.no_grad():\n            return model(tokens)\n    finally:\n        for hook in hooks:\n",
    "            with torch.no_grad():\n                logits = model(tokens)\n        finally:\n"
    "            for hook in hooks:\n",
    "            hook.remove()", "                hook.remove()\n    return logits",
)  # fmt: skip
NoReturn = slip("nothing is returned: return the logits of the edited pass", "return model(tokens)", "model(tokens)")
HalfWay = slip(
    "the activation moves only half the way to what the edit returns", "edit(output)", "(output + edit(output)) / 2"
)


@wrong("each edit is given the activation of an unedited pass: give it what comes there after the earlier edits")
def from_an_unedited_pass(model, tokens, edits):
    recorded, hooks = {}, []
    try:
        for site in edits:

            def keep(module, inputs, output, site=site):
                recorded[site] = output.clone()

            hooks.append(site_module(model, site).register_forward_hook(keep))
        with torch.no_grad():
            model(tokens)
        for site, edit in edits.items():
            changed = edit(recorded[site])

            def put(module, inputs, output, changed=changed):
                return changed

            hooks.append(site_module(model, site).register_forward_hook(put))
        with torch.no_grad():
            return model(tokens)
    finally:
        for hook in hooks:
            hook.remove()


@right
def with_exit_stack(model, tokens, edits):
    import contextlib

    with contextlib.ExitStack() as stack, torch.no_grad():
        for site in edits:

            def hook(module, given, out, site=site):
                return edits[site](out.detach().clone())

            stack.callback(site_module(model, site).register_forward_hook(hook).remove)
        return model(tokens)


@right
def by_hand(model, tokens, edits):
    handles = []

    class Change:
        def __init__(self, edit):
            self.edit = edit

        def __call__(self, module, given, out):
            return self.edit(torch.clone(out))

    try:
        for site, edit in edits.items():
            handles.append(site_module(model, site).register_forward_hook(Change(edit)))
        logits = model(tokens).detach()
    finally:
        while handles:
            handles.pop().remove()
    return logits
