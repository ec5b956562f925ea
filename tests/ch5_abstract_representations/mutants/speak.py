"""Wrong answers to exercise 5.23 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade import right, slips


def vector_quantize(x, codebook):
    words = torch.cdist(x.flatten(0, -2), codebook).argmin(-1).view(x.shape[:-1])
    return codebook[words], words, F.mse_loss(codebook[words], x)


slip = slips(
    """
    def speak(model, tokens):
        with torch.no_grad():
            z = model.read(tokens, model.blank(len(tokens)))
            _, words, _ = vector_quantize(model.compose(z), model.codebook)
        return words
    """
)

silence = slip(
    "the network hears zeros where it should hear the blank sentence: take model.blank",
    "model.blank(len(tokens))", "torch.zeros_like(model.blank(len(tokens)))",
)  # fmt: skip
not_composed = slip(
    "the abstractions are quantised themselves: let model.compose make a sentence of them first",
    "model.compose(z)", "z[:, : model.compose(z).shape[1]]",
)  # fmt: skip
vectors = slip("the words' vectors are returned: return their numbers", "return words", "return model.codebook[words]")
unquantised = slip(
    "the composed vectors are returned: each must become the number of its nearest word",
    "return words", "return model.compose(z)",
)  # fmt: skip
one_board = slip("every board gets the sentence of the first one", "return words", "return words[:1].expand_as(words)")
unseen = slip(
    "the network is shown no board at all: read the tokens that were given",
    "model.read(tokens,", "model.read(model.unseen(len(tokens)),",
)  # fmt: skip
twice = slip(
    "the board is read a second time together with the sentence: it is read once, with the blank sentence",
    "_, words, _ = vector_quantize(model.compose(z), model.codebook)",
    "q, words, _ = vector_quantize(model.compose(z), model.codebook)\n"
    "        _, words, _ = vector_quantize(model.compose(model.read(tokens, q)), model.codebook)",
)  # fmt: skip
turned = slip("the sentences come back with places first: boards first, then places", "return words", "return words.T")
left_in_eval = slip(
    "the model is switched to eval mode and left there", "z = model.read", "model.eval()\n        z = model.read"
)
codebook_moves = slip(
    "speaking moves the codebook: it is moved only in training",
    "return words", "model.codebook.mul_(1.001)\n    return words",
)  # fmt: skip
left_in_train = slip(
    "the model is left in train mode, whatever it was in: leave its mode alone",
    "return words", "model.train()\n    return words",
)  # fmt: skip
from_slots = slip(
    "the network hears the slots, with which a sentence starts: it must hear the blank sentence, model.blank",
    "model.blank(len(tokens))", "model.slots.expand(len(tokens), -1, -1)",
)  # fmt: skip
by_dot_product = slip(
    "words are compared by their dot product, so that long ones win: take the nearest one",
    "_, words, _ = vector_quantize(model.compose(z), model.codebook)",
    "words = (model.compose(z) @ model.codebook.T).argmax(-1)",
)  # fmt: skip
by_the_head = slip(
    "the composed vectors go through the head, which gives tokens of the board: quantise them with the codebook",
    "_, words, _ = vector_quantize(model.compose(z), model.codebook)",
    "words = model.head(model.compose(z)).argmax(-1)",
)  # fmt: skip
not_read = slip(
    "the tokens' embeddings are composed: the reader reads the board first",
    "model.read(tokens, model.blank(len(tokens)))", "model.tokens(tokens)",
)  # fmt: skip
abstractions_quantised = slip(
    "the abstractions are quantised themselves: let model.compose make a sentence of them first",
    "model.compose(z)",
    "z",
)
loss_returned = slip(
    "the quantiser's loss is returned: the words are the second of its three results", "_, words, _ =", "_, _, words ="
)
one_blank = slip(
    "there is a single blank sentence for all boards: ask for as many as there are boards",
    "model.blank(len(tokens))", "model.blank(1)",
)  # fmt: skip
read_again = slip(
    "the board is read a second time together with the sentence: it is read once, with the blank sentence",
    "_, words, _ =", "z = model.read(tokens, model.compose(z))\n        _, words, _ =",
)  # fmt: skip
as_lists = slip("a list is returned: return the tensor of the words", "return words", "return words.tolist()")
first_board = slip("only the first board's sentence is returned", "return words", "return words[0]")
averaged = slip(
    "the abstractions are averaged over the cells: compose looks at all of them",
    "model.compose(z)", "model.compose(z.mean(1, keepdim=True).expand_as(z))",
)  # fmt: skip

farthest = slip(
    "the word that is farthest away is said: take the nearest one",
    "_, words, _ = vector_quantize(model.compose(z), model.codebook)",
    "words = torch.cdist(model.compose(z), model.codebook).argmax(-1)",
)  # fmt: skip
by_direction = slip(
    "words are compared by their direction alone: take the nearest one",
    "vector_quantize(model.compose(z), model.codebook)",
    "vector_quantize(F.normalize(model.compose(z), dim=-1), F.normalize(model.codebook, dim=-1))",
)  # fmt: skip
largest_number = slip(
    "the place of a vector's largest number is returned: the word is the nearest one of the codebook",
    "_, words, _ = vector_quantize(model.compose(z), model.codebook)", "words = model.compose(z).argmax(-1)",
)  # fmt: skip
first_word = slip(
    "the network hears the first word of the codebook: it must hear the blank sentence, model.blank",
    "model.blank(len(tokens))", "model.codebook[:1].expand(len(tokens), model.slots.shape[0], -1)",
)  # fmt: skip
last_word = slip(
    "the last word of the codebook is never said: any of the K words may be",
    "model.codebook)",
    "model.codebook[:-1])",
)


@right
@torch.no_grad()
def by_hand(model, tokens):
    vectors = model.compose(model.read(tokens, model.blank(tokens.shape[0])))
    return torch.stack([torch.cdist(v, model.codebook).argmin(1) for v in vectors])


@right
def by_dot_products(model, tokens):
    said = model.compose(model.read(tokens=tokens, sentence=model.blank(len(tokens)))).detach()
    return (said @ model.codebook.T - model.codebook.square().sum(1) / 2).max(dim=2).indices


@right
@torch.no_grad()
def one_at_a_time(model, tokens):
    said = [model.compose(model.read(row[None], model.blank(1))) for row in tokens]
    return vector_quantize(torch.cat(said), model.codebook)[1]
