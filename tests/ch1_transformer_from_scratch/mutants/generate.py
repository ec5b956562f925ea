"""Wrong answers to exercise 1.21 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips


def greedy(logits):
    return int(logits.argmax())


slip = slips("""
    def generate(model, prompt, max_new_tokens, sample=greedy, stop=None):
        before = model.training
        model.eval()
        tokens = prompt
        with torch.no_grad():
            for _ in range(max_new_tokens):
                window = tokens[-model.config.context_length :]
                token = sample(model(window[None])[0, -1])
                tokens = torch.cat([tokens, torch.tensor([token])])
                if token == stop:
                    break
        model.train(before)
        return tokens
""")
WINDOW, READ, COUNT = "tokens[-model.config.context_length :]", "model(window[None])[0, -1]", "range(max_new_tokens)"
GROW, STOP = "tokens = torch.cat([tokens, torch.tensor([token])])", "if token == stop:\n                break"
BEFORE, EVAL, AFTER = "before = model.training\n    ", "model.eval()\n    ", "model.train(before)\n    "

without_the_prompt = slip(
    "only the new tokens are returned: the prompt comes first", "return tokens", "return tokens[len(prompt) :]"
)
keeps_the_batch = slip(
    "the result keeps the batch axis: return one axis, (T + new,)", "return tokens", "return tokens[None]"
)
a_list = slip(
    "the tokens are returned as a list: return an int64 tensor (T + new,)",
    "return tokens",
    "return tokens.tolist()",
)
other_numbers = slip(
    "the dtype of the result is not int64, so the model cannot read it again",
    "return tokens", "return tokens.int()",
)  # fmt: skip
no_batch_axis = slip("the model is given the prompt without a batch axis: it takes (B, T)", READ, "model(window)[-1]")
one_too_many = slip("one token too many is generated", COUNT, "range(max_new_tokens + 1)")
one_too_few = slip("one token too few is generated", COUNT, "range(max_new_tokens - 1)")
whole_length = slip(
    "max_new_tokens is taken as the length of the whole text: it counts the new tokens",
    COUNT, "range(max_new_tokens - len(prompt))",
)  # fmt: skip
at_least_one = slip(
    "a first token is always generated, even when max_new_tokens is 0", COUNT, "range(max(1, max_new_tokens))"
)
first_position = slip(
    "the logits of the first position are used: the next token follows from the last one",
    READ, "model(window[None])[0, 0]",
)  # fmt: skip
last_token_only = slip("the model reads only the last token: it needs everything before it, too", WINDOW, "tokens[-1:]")
prompt_only = slip(
    "the model reads the prompt again and again: the tokens it has written must be read too",
    WINDOW, "prompt[-model.config.context_length :]",
)  # fmt: skip
always_greedy = slip("the given `sample` is not used: greedy chooses every token", f"sample({READ})", f"greedy({READ})")
batch_of_logits = slip(
    "`sample` is given probabilities or logits of another shape than (V,): pass on the last row only",
    f"sample({READ})",
    "int(greedy(model(window[None])[0, -1])) if sample is greedy else int(sample(model(window[None])[:, -1]))",
)  # fmt: skip
all_positions = slip(
    "`sample` is given the logits of all positions: the last position alone predicts the next token",
    READ, "model(window[None])[0]",
)  # fmt: skip
probabilities = slip(
    "`sample` must be given the logits themselves, before any softmax: samplers do that on their own",
    READ, f"{READ}.softmax(-1)",
)  # fmt: skip
never_cut = slip(
    "the text is not cut to the context: past context_length there are no positions left", WINDOW, "tokens"
)
first_tokens = slip(
    "past the context the model keeps reading the first tokens: it must read the last ones",
    WINDOW, "tokens[: model.config.context_length]",
)  # fmt: skip
one_less_than_the_context = slip(
    "one token fewer than the context holds is read", WINDOW, "tokens[-model.config.context_length + 1 :]"
)
one_more_than_the_context = slip(
    "one token more than the context holds is read", WINDOW, "tokens[-model.config.context_length - 1 :]"
)
ends_at_the_context = slip(
    "generation ends at the context length: let the window slide on",
    "window =", "if len(tokens) >= model.config.context_length:\n                break\n            window =",
)  # fmt: skip
cuts_the_prompt = slip(
    "the prompt itself is cut to the context: only what the model reads is cut, the result keeps all",
    "tokens = prompt", "tokens = prompt[-model.config.context_length :]",
)  # fmt: skip
never_stops = slip("`stop` is not used: generation continues after it", STOP, "pass")
cuts_the_stop = slip(
    "the stop token is cut off: it is kept", f"{GROW}\n            {STOP}", f"{STOP}\n            {GROW}"
)
stops_late = slip(
    "one more token follows the stop token",
    f"{GROW}\n            {STOP}",
    f"done = tokens[-1] == stop and len(tokens) > len(prompt)\n            {GROW}\n"
    "            if done:\n                break",
)  # fmt: skip
zero_is_none = slip(
    "a stop token with the id 0 is ignored: compare `stop` with None", "token == stop", "stop and token == stop"
)
looks_everywhere = slip(
    "a stop token anywhere in the text ends it, even in the prompt: look at the new token only",
    "token == stop", "stop in tokens.tolist()",
)  # fmt: skip
looks_before_writing = slip(
    "`stop` is looked for before anything is written, so a prompt that ends in it is never continued",
    STOP, "pass", "window =", "if tokens[-1] == stop:\n                break\n            window =",
)  # fmt: skip
grows_the_prompt = slip(
    "the new tokens are written into the caller's prompt",
    "return tokens", "prompt.resize_(len(tokens)).copy_(tokens)\n    return tokens",
)  # fmt: skip
NOT_BACK_ON = "after the text nothing can be trained any more: turn gradients off only while the model writes"
gradients_stay_off = slip(NOT_BACK_ON, "with torch.no_grad():", "torch.set_grad_enabled(False)\n    if True:")
frozen = slip(
    "the model's own parameters are frozen for good: turn gradients off with torch.no_grad() instead",
    "with torch.no_grad():", "model.requires_grad_(False)\n    if True:",
)  # fmt: skip
train_mode = slip(
    "the model is never switched to eval mode: dropout would change the text at random",
    BEFORE + EVAL, "", AFTER, "",
)  # fmt: skip
# often forgotten along with another mistake
AND_NO_EVAL, NO_EVAL = ", and the model is never switched to eval mode", (BEFORE + EVAL, "", AFTER, "")
a_list_no_eval = slip(
    "the tokens are returned as a list: return an int64 tensor (T + new,)" + AND_NO_EVAL,
    *NO_EVAL, "return tokens", "return tokens.tolist()",
)  # fmt: skip
never_cut_no_eval = slip(
    "the text is not cut to the context: past context_length there are no positions left" + AND_NO_EVAL,
    *NO_EVAL, WINDOW, "tokens",
)  # fmt: skip
first_tokens_no_eval = slip(
    "past the context the model keeps reading the first tokens: it must read the last ones" + AND_NO_EVAL,
    *NO_EVAL, WINDOW, "tokens[: model.config.context_length]",
)  # fmt: skip
first_position_no_eval = slip(
    "the logits of the first position are used: the next token follows from the last one" + AND_NO_EVAL,
    *NO_EVAL, READ, "model(window[None])[0, 0]",
)  # fmt: skip
first_position_neither = slip(
    "the logits of the first position are used: take the last one; and write in eval mode, without gradients",
    *NO_EVAL, READ, "model(window[None])[0, 0]", "with torch.no_grad():", "if True:",
)  # fmt: skip
cuts_the_stop_no_eval = slip(
    "the stop token is cut off: it is kept" + AND_NO_EVAL,
    *NO_EVAL, f"{GROW}\n            {STOP}", f"{STOP}\n            {GROW}",
)  # fmt: skip
zero_is_none_no_eval = slip(
    "a stop token with the id 0 is ignored: compare `stop` with None" + AND_NO_EVAL,
    *NO_EVAL, "token == stop", "stop and token == stop",
)  # fmt: skip
without_the_prompt_no_eval = slip(
    "only the new tokens are returned: the prompt comes first" + AND_NO_EVAL,
    *NO_EVAL, "return tokens", "return tokens[len(prompt) :]",
)  # fmt: skip
records_gradients = slip(
    "gradients are recorded while it writes, which costs memory and time: write under torch.no_grad()",
    "with torch.no_grad():", "if True:",
)  # fmt: skip
neither = slip(
    "the model is not switched to eval mode, and gradients are recorded: text is written in eval mode, without them",
    BEFORE + EVAL, "", AFTER, "", "with torch.no_grad():", "if True:",
)  # fmt: skip
left_in_eval_mode = slip("the model is left in eval mode: restore the mode it had before", AFTER, "")
left_in_train_mode = slip(
    "the model is always left in train mode: restore the mode it had before", "train(before)", "train()"
)
stays_in_eval_mode = slip(
    "when `stop` ends the text early the model stays in eval mode: restore its mode on every way out",
    "break", "return tokens",
)  # fmt: skip


@right
def by_list(model, prompt, max_new_tokens, sample=greedy, stop=None):
    was_training = model.training
    model.eval()
    text, limit = prompt.tolist(), len(prompt) + max_new_tokens
    with torch.inference_mode():
        while len(text) < limit:
            window = torch.tensor(text[max(0, len(text) - model.config.context_length) :])
            text.append(int(sample(model(window.unsqueeze(0)).squeeze(0)[-1])))
            if stop is not None and text[-1] == stop:
                break
    model.train(was_training)
    return torch.tensor(text)


@right
def by_buffer(model, prompt, max_new_tokens, sample=greedy, stop=None):
    modes = [(module, module.training) for module in model.modules()]
    end, context = len(prompt), model.config.context_length
    buffer = torch.cat([prompt, prompt.new_zeros(max_new_tokens)])[None]
    while end < buffer.shape[1] and (end == len(prompt) or int(buffer[0, end - 1]) != (-1 if stop is None else stop)):
        with torch.no_grad():
            buffer[0, end] = sample(model.eval()(buffer[:, max(0, end - context) : end])[0, -1, :])
        end += 1
    for module, mode in modes:
        module.training = mode
    return buffer[0, :end]


@right
def by_recursion(model, prompt, max_new_tokens, sample=greedy, stop=None):
    if max_new_tokens == 0:
        return prompt
    before = model.training
    with torch.no_grad():
        token = sample(model.eval()(prompt[None, -model.config.context_length :])[0, -1])
    model.train(before)
    tokens = torch.cat([prompt, torch.tensor([token])])
    return tokens if token == stop else by_recursion(model, tokens, max_new_tokens - 1, sample, stop)
