"""Wrong answers to exercise 5.24 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade import right, slips

slip = slips(
    """
    def draw(model, words):
        with torch.no_grad():
            sentence = model.codebook[words]
            z = model.read(model.unseen(len(words)), sentence)
            return model.head(z)
    """
)

silence = slip(
    "the network hears the blank sentence: it must hear the words that were given",
    "model.codebook[words]", "model.blank(len(words))",
)  # fmt: skip
one_word = slip(
    "only the first word of each sentence is heard: each place has its own",
    "model.codebook[words]", "model.codebook[words[:, :1]].expand(-1, words.shape[1], -1)",
)  # fmt: skip
backwards = slip(
    "the words are heard in the wrong order: word s belongs to place s", "codebook[words]", "codebook[words.flip(1)]"
)
one_sentence = slip(
    "every board hears the first sentence: each has its own",
    "model.codebook[words]", "model.codebook[words[:1]].expand(len(words), -1, -1)",
)  # fmt: skip
all_visible = slip(
    "the cells are filled with token 0: they must all be masked, see model.unseen",
    "model.unseen(len(words))", "model.unseen(len(words)) * 0",
)  # fmt: skip
no_head = slip("the abstractions are returned: model.head turns them into logits", "model.head(z)", "z")
most_likely = slip(
    "the most likely tokens are returned: return the logits of all tokens",
    "return model.head(z)", "return model.head(z).argmax(-1)",
)  # fmt: skip
probabilities = slip(
    "probabilities are returned: return the logits, before the softmax",
    "return model.head(z)", "return model.head(z).softmax(-1)",
)  # fmt: skip
with_graph = slip(
    "the drawing keeps a computation graph: nothing is trained here", "torch.no_grad()", "torch.enable_grad()"
)
in_eval = slip("the model is switched to eval mode and left there", "sentence = ", "model.eval()\n        sentence = ")
words_overwritten = slip(
    "the caller's words are overwritten", "return model.head(z)", "words.zero_()\n        return model.head(z)"
)
left_in_train = slip(
    "the model is left in train mode, whatever it was in: leave its mode alone",
    "return model.head(z)", "model.train()\n        return model.head(z)",
)  # fmt: skip
token_vectors = slip(
    "the words are looked up among the tokens of the board: their vectors are in model.codebook",
    "model.codebook[words]", "model.tokens(words % len(model.tokens.weight))",
)  # fmt: skip
one_blank_board = slip(
    "a single masked board is read: there is one for each sentence", "model.unseen(len(words))", "model.unseen(1)"
)
normed_again = slip(
    "the reader's layer norm is applied once more: read ends with it already",
    "model.head(z)", "model.head(model.reader_norm(z))",
)  # fmt: skip
log_probabilities = slip(
    "log-probabilities are returned: return the logits, before the softmax",
    "return model.head(z)", "return model.head(z).log_softmax(-1)",
)  # fmt: skip
tokens_first = slip(
    "the axes come as (B, V, T): return (B, T, V)", "return model.head(z)", "return model.head(z).transpose(1, 2)"
)
second_look = slip(
    "read is called 2 times for 3 boards: each is drawn once, from its words alone",
    "return model.head(z)", "return model.head(model.read(model.head(z).argmax(-1), sentence))",
)  # fmt: skip
composed = slip(
    "the composer works on the words' vectors: they are a sentence already",
    "= model.codebook[words]",
    "= model.compose(model.codebook[words])",
)
from_slots = slip(
    "the network hears the slots: it must hear the words that were given",
    "model.codebook[words]", "model.slots.expand(len(words), -1, -1)",
)  # fmt: skip
head_of_a_sentence = slip(
    "the head is given a composed sentence: it turns the abstractions z of the cells into logits",
    "model.head(z)", "model.head(model.compose(z))",
)  # fmt: skip
averaged = slip(
    "the words are averaged: each place has its own",
    "model.codebook[words]", "model.codebook[words].mean(1, keepdim=True).expand(-1, words.shape[1], -1)",
)  # fmt: skip
on_the_blank = slip(
    "the words are added to the blank sentence: they take its place",
    "model.codebook[words]", "model.codebook[words] + model.blank(len(words))",
)  # fmt: skip

one_word_off = slip("the words are looked up one row too early", "model.codebook[words]", "model.codebook[words - 1]")
normalised = slip(
    "the words' vectors are scaled to length 1: they are heard as they are",
    "model.codebook[words]", "F.normalize(model.codebook[words], dim=-1)",
)  # fmt: skip
on_the_slots = slip(
    "the slots are added to the words: they are heard as they are",
    "model.codebook[words]", "model.codebook[words] + model.slots",
)  # fmt: skip


@right
def by_embedding(model, words):
    with torch.no_grad():
        heard = F.embedding(words, model.codebook)
        return model.head(model.read(model.unseen(words.shape[0]), heard))


@right
def by_settings(model, words):
    sizes = model.settings
    nothing = torch.full((len(words), sizes.block_size), sizes.masking_token, device=model.slots.device)
    with torch.no_grad():
        return F.linear(model.read(nothing, model.codebook[words]), model.head.weight)


@right
def by_one_hot(model, words):
    heard = F.one_hot(words, len(model.codebook)).float() @ model.codebook
    return model.head(model.read(model.unseen(len(heard)), heard)).detach()


@right
def one_at_a_time(model, words):
    with torch.no_grad():
        return torch.cat([model.head(model.read(model.unseen(1), model.codebook[row][None])) for row in words])
