"""Wrong answers to exercise 5.25 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F

from utils.grade import right, slips


def vector_quantize(x, codebook, commitment=0.25):
    words = torch.cdist(x.flatten(0, -2), codebook).argmin(-1).view(x.shape[:-1])
    chosen = codebook[words]
    loss = F.mse_loss(chosen, x.detach()) + commitment * F.mse_loss(x, chosen.detach())
    return x + (chosen - x).detach(), words, loss


slip = slips(
    """
    def lea_loss(model, masked, board, speech_weight=1.0, quantised=True):
        n = len(masked)
        z = model.read(masked, model.blank(n))
        vectors = model.compose(z)
        heard, words, vq = vector_quantize(vectors, model.codebook, model.settings.commitment)
        if not quantised:
            heard, vq = vectors, torch.zeros(())
        drawn = model.head(model.read(model.unseen(n), heard))
        from_board = F.cross_entropy(model.head(z).flatten(0, 1), board.flatten())
        from_speech = F.cross_entropy(drawn.flatten(0, 1), board.flatten())
        loss = from_board + speech_weight * (from_speech + vq)
        parts = {"loss": loss, "board": from_board, "speech": from_speech, "vq": vq}
        return parts | {"vectors": vectors, "words": words}
    """
)

leak = slip(
    "the third pass sees the masked board: every cell must be hidden, or the sentence is not needed",
    "model.read(model.unseen(n), heard)", "model.read(masked, heard)",
)  # fmt: skip
leaks_all = slip(
    "the third pass sees the whole board: every cell must be hidden",
    "model.read(model.unseen(n), heard)", "model.read(board, heard)",
)  # fmt: skip
unmasked = slip(
    "the first pass reads the whole board: it must see the masked one",
    "model.read(masked, model",
    "model.read(board, model",
)
silence = slip(
    "the first pass hears zeros: it must hear the blank sentence", "model.blank(n)", "torch.zeros_like(model.blank(n))"
)
never_quantised = slip(
    "the third pass hears the vectors as they were composed: when quantised is True it hears words",
    "if not quantised:\n        heard, vq = vectors, torch.zeros(())", "heard = vectors if not quantised else vectors",
)  # fmt: skip
always_quantised = slip(
    "quantised=False changes nothing: then the third pass hears the composed vectors",
    "if not quantised:", "if False:",
)  # fmt: skip
vq_always = slip(
    "with quantised=False the quantiser's loss still counts: it is 0 then",
    "heard, vq = vectors, torch.zeros(())", "heard = vectors",
)  # fmt: skip
vq_unweighted = slip(
    "the weight applies to the speech alone: it applies to the quantiser's loss too",
    "speech_weight * (from_speech + vq)", "speech_weight * from_speech + vq",
)  # fmt: skip
weight_on_both = slip(
    "the weight applies to the board's loss as well: it belongs to speech and quantiser",
    "from_board + speech_weight * (from_speech + vq)", "speech_weight * (from_board + from_speech + vq)",
)  # fmt: skip
no_vq = slip("the quantiser's loss is left out of the sum", "(from_speech + vq)", "from_speech")
no_board = slip(
    "the loss of the first pass is left out of the sum", "loss = from_board + speech_weight", "loss = speech_weight"
)
no_weight = slip("the weight is not used", "speech_weight * (from_speech", "1.0 * (from_speech")
masked_target = slip(
    "the loss compares with the masked board: the target is the whole board, for both drawings",
    "model.head(z).flatten(0, 1), board", "model.head(z).flatten(0, 1), masked",
    "drawn.flatten(0, 1), board", "drawn.flatten(0, 1), masked",
)  # fmt: skip
hidden_cells_only = slip(
    "only the hidden cells count: both losses are means over all cells",
    "F.cross_entropy(model.head(z).flatten(0, 1), board.flatten())",
    "F.cross_entropy(model.head(z)[masked != board], board[masked != board])",
    "F.cross_entropy(drawn.flatten(0, 1), board.flatten())",
    "F.cross_entropy(drawn[masked != board], board[masked != board])",
)  # fmt: skip
softmax_first = slip(
    "probabilities go into cross_entropy: it wants logits and takes the softmax itself",
    "model.head(z).flatten(0, 1)", "model.head(z).softmax(-1).flatten(0, 1)",
    "drawn.flatten(0, 1)", "drawn.softmax(-1).flatten(0, 1)",
)  # fmt: skip
sums = slip(
    "the losses are sums over the cells: take means",
    "board.flatten())\n    from_speech", "board.flatten(), reduction='sum')\n    from_speech",
    "board.flatten())\n    loss", "board.flatten(), reduction='sum')\n    loss",
)  # fmt: skip
detached = slip(
    "the abstractions are detached before a sentence is composed: speech must train the reading too",
    "model.compose(z)", "model.compose(z.detach())",
)  # fmt: skip
no_commitment = slip(
    "the commitment of the model's settings is not handed to vector_quantize", ", model.settings.commitment)", ")"
)
says_quantised = slip(
    "'vectors' holds the quantised ones: it holds what was composed", '"vectors": vectors', '"vectors": heard'
)
sum_only = slip(
    "only the loss is returned: return a dict with all parts",
    "return parts | {\"vectors\": vectors, \"words\": words}", "return loss",
)  # fmt: skip
words_as_floats = slip("'words' holds floats: word numbers are int64", '"words": words', '"words": words.float()')
words_missing = slip(
    "with quantised=False no words are returned: they are what would have been said",
    "heard, vq = vectors, torch.zeros(())", "heard, vq, words = vectors, torch.zeros(()), None",
)  # fmt: skip
left_in_eval = slip(
    "lea_loss has switched the model from train to eval mode: leave its mode alone",
    "n = len(masked)",
    "model.eval()\n    n = len(masked)",
)
heard_detached = slip(
    "what the third pass hears is cut off from the composer: its gradient must come back through the words",
    "model.unseen(n), heard)", "model.unseen(n), heard.detach())",
)  # fmt: skip
looked_up = slip(
    "the third pass hears the codebook's rows, which know nothing of the vectors: use what vector_quantize returns",
    "model.unseen(n), heard)", "model.unseen(n), model.codebook[words] if quantised else heard)",
)  # fmt: skip
weighted_speech = slip(
    "'speech' is returned with its weight: return it without",
    '"speech": from_speech',
    '"speech": speech_weight * from_speech',
)
third_pass_silent = slip(
    "the third pass hears the blank sentence: it hears what was said",
    "model.unseen(n), heard)",
    "model.unseen(n), model.blank(n))",
)
summed_over_cells = slip(
    "the first loss is summed over the cells of a board: take the mean over all cells",
    "F.cross_entropy(model.head(z).flatten(0, 1), board.flatten())",
    "F.cross_entropy(model.head(z).transpose(1, 2), board, reduction='none').sum(1).mean()",
)  # fmt: skip
summed_speech = slip(
    "the loss of the third pass is a sum over the cells: take the mean",
    "F.cross_entropy(drawn.flatten(0, 1), board.flatten())",
    "F.cross_entropy(drawn.flatten(0, 1), board.flatten(), reduction='sum')",
)  # fmt: skip
speech_of_the_masked = slip(
    "the third pass is compared with the masked board: the target is the whole one",
    "drawn.flatten(0, 1), board", "drawn.flatten(0, 1), masked",
)  # fmt: skip
board_of_the_masked = slip(
    "the first pass is compared with the masked board: the target is the whole one",
    "model.head(z).flatten(0, 1), board", "model.head(z).flatten(0, 1), masked",
)  # fmt: skip
head_detached = slip(
    "the first pass is cut off before the head: its loss must train the reader",
    "model.head(z).flatten", "model.head(z.detach()).flatten",
)  # fmt: skip
leftover = slip(
    "the third pass keeps the abstractions of the first: the sentence is all it may know",
    "drawn = model.head(model.read(model.unseen(n), heard))",
    "drawn = model.head(model.read(model.unseen(n), heard) + z)",
)  # fmt: skip
plain_zero = slip(
    "with quantised=False 'vq' is a Python number: a tensor is wanted, as in the other case",
    "heard, vq = vectors, torch.zeros(())", "heard, vq = vectors, 0.0",
)  # fmt: skip
plain_numbers = slip(
    "the parts are Python numbers: keep tensors",
    '"board": from_board, "speech": from_speech',
    '"board": from_board.item(), "speech": from_speech.item()',
)
quantised_turned = slip(
    "quantised is turned round: with True the third pass hears words", "if not quantised:", "if quantised:"
)
board_hidden_only = slip(
    "the first pass counts only the hidden cells: take the mean over all cells",
    "F.cross_entropy(model.head(z).flatten(0, 1), board.flatten())",
    "F.cross_entropy(model.head(z)[masked != board], board[masked != board])",
)  # fmt: skip
reshaped = slip(
    "view or reshape puts tokens and cells in a heap: flatten boards and cells together, or exchange the axes",
    "F.cross_entropy(drawn.flatten(0, 1), board.flatten())",
    "F.cross_entropy(drawn.reshape(len(board), drawn.shape[2], -1), board)",
)  # fmt: skip
vectors_detached = slip(
    "the vectors are detached before they are quantised: speech must train the composer",
    "vector_quantize(vectors,", "vector_quantize(vectors.detach(),",
)  # fmt: skip
always_looked_up = slip(
    "the third pass hears the codebook's rows, which know nothing of the vectors: use what vector_quantize returns",
    "model.unseen(n), heard)", "model.unseen(n), model.codebook[words])",
)  # fmt: skip
no_head = slip(
    "the third pass ends without the head, which makes logits of the abstractions",
    "model.head(model.read(model.unseen(n), heard))", "model.read(model.unseen(n), heard)",
)  # fmt: skip

left_in_train = slip(
    "lea_loss has switched the model from eval to train mode: leave its mode alone",
    "n = len(masked)", "model.train()\n    n = len(masked)",
)  # fmt: skip
exchanged = slip(
    "the losses of the first and the third pass are exchanged in the dict",
    '"board": from_board, "speech": from_speech',
    '"board": from_speech, "speech": from_board',
)
per_board = slip(
    "the losses are summed over the cells of a board: take the mean over all cells",
    "F.cross_entropy(model.head(z).flatten(0, 1), board.flatten())",
    'F.cross_entropy(model.head(z).flatten(0, 1), board.flatten(), reduction="sum") / n',
    "F.cross_entropy(drawn.flatten(0, 1), board.flatten())",
    'F.cross_entropy(drawn.flatten(0, 1), board.flatten(), reduction="sum") / n',
)


@right
def channels_second(model, masked, board, speech_weight=1.0, quantised=True):
    z = model.read(masked, model.blank(masked.shape[0]))
    vectors = model.compose(z)
    q, words, vq = vector_quantize(vectors, model.codebook, model.settings.commitment)
    vq = vq * float(quantised)
    again = model.read(model.unseen(masked.shape[0]), q if quantised else vectors)
    ce = torch.nn.CrossEntropyLoss()
    board_loss, speech_loss = (ce(model.head(h).transpose(1, 2), board) for h in (z, again))
    total = board_loss + speech_weight * speech_loss + speech_weight * vq
    return dict(loss=total, board=board_loss, speech=speech_loss, vq=vq, vectors=vectors, words=words)


@right
def by_log_probabilities(model, masked, board, speech_weight=1.0, quantised=True):
    def surprise(h):
        return -model.head(h).log_softmax(-1).gather(-1, board[..., None]).mean()

    first = model.read(masked, model.blank(len(board)))
    said = model.compose(first)
    heard, words, vq = vector_quantize(said, model.codebook, model.settings.commitment)
    if quantised:
        second = model.read(model.unseen(len(board)), heard)
    else:
        second, vq = model.read(model.unseen(len(board)), said), said.sum() * 0
    parts = {"board": surprise(first), "speech": surprise(second), "vq": vq, "vectors": said, "words": words}
    parts["loss"] = parts["board"] + speech_weight * (parts["speech"] + parts["vq"])
    return parts
