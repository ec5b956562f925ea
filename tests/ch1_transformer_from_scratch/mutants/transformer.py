"""Wrong answers to exercise 1.10 that learners write, and right ones written differently."""

from functools import reduce
from pathlib import Path

import torch
from torch import nn

from utils.grade import load_file, right, slips, wrong

pieces = load_file(Path(__file__).with_name("_pieces.py"))
Base = pieces.Transformer

slip = slips(
    Base,
    """
    def forward(self, tokens):
        if tokens.shape[-1] > self.config.context_length:
            raise ValueError(f"{tokens.shape[-1]} tokens do not fit")
        x = self.embedding(tokens) + self.positional_embedding(tokens)
        for block in self.blocks:
            x = block(x)
        return self.unembedding(self.final_layer_norm(x))
    """,
)

NoPositions = slip(
    "the positional embedding is never added: the model could not tell the order of the tokens",
    " + self.positional_embedding(tokens)", "",
)  # fmt: skip
NoTokens = slip(
    "the token embedding is never added: the model sees positions only",
    "self.embedding(tokens) + ", "",
)  # fmt: skip
PositionsMultiplied = slip(
    "the two embeddings are multiplied: they must be added", "(tokens) + self", "(tokens) * self"
)
NOT_THE_TOKENS = (
    "the positional embedding is not given the tokens: it reads them as they are, shape (B, T), as the embedding does"
)
PositionsOfVectors = slip(
    NOT_THE_TOKENS, "positional_embedding(tokens)", "positional_embedding(self.embedding(tokens))"
)
PositionsOfARange = slip(
    NOT_THE_TOKENS, "positional_embedding(tokens)", "positional_embedding(torch.arange(tokens.shape[1]))"
)
EmbeddingScaled = slip(
    "the token embedding is multiplied by the root of E: GPT-2 adds the two embeddings as they are",
    "self.embedding(tokens) +", "self.embedding(tokens) * self.config.embedding_dimension**0.5 +",
)  # fmt: skip
NoFinalNorm = slip("the final layer norm is missing before the unembedding", "self.final_layer_norm(x)", "x")
NormBeforeBlocks = slip(
    "the final layer norm is applied before the blocks: it belongs between the last block and the unembedding",
    "self.final_layer_norm(x)", "x", "for block", "x = self.final_layer_norm(x)\n    for block",
)  # fmt: skip
NormInTheLoop = slip(
    "the final layer norm runs after every block: it runs once, after the last",
    "self.final_layer_norm(x)", "x", "x = block(x)", "x = self.final_layer_norm(block(x))",
)  # fmt: skip
NormInTheLoopAndAfter = slip(
    "the final layer norm runs after every block: it runs once, after the last",
    "x = block(x)", "x = self.final_layer_norm(block(x))",
)  # fmt: skip
NormAdded = slip(
    "the final layer norm is added to the stream: it replaces the stream before the unembedding",
    "self.final_layer_norm(x)", "x + self.final_layer_norm(x)",
)  # fmt: skip
NormTwice = slip(
    "the final layer norm runs twice: it runs once, after the last block",
    "self.final_layer_norm(x)", "self.final_layer_norm(self.final_layer_norm(x))",
)  # fmt: skip
FirstBlockOnly = slip(
    "only the first block is applied: all of them run, one after the other", "self.blocks:", "self.blocks[:1]:"
)
LastBlockOnly = slip(
    "only the last block counts: every block is given the embeddings instead of what the block before returned",
    "for block", "start = x\n    for block", "block(x)", "block(start)",
)  # fmt: skip
NoBlocks = slip("the blocks are never applied", "x = block(x)", "pass")
FirstBlockRepeated = slip(
    "the first block is applied again and again: each layer has its own block", "= block(x)", "= self.blocks[0](x)"
)
LastBlockMissing = slip("the last block is left out", "self.blocks:", "self.blocks[:-1]:")
FirstBlockMissing = slip("the first block is left out", "self.blocks:", "self.blocks[1:]:")
Reversed = slip("the blocks run in reverse order", "self.blocks:", "reversed(self.blocks):")
ResidualAgain = slip(
    "the stream is added once more around each block: a block returns the stream with its own additions in it",
    "x = block(x)", "x = x + block(x)",
)  # fmt: skip
PositionsEachBlock = slip(
    "the positions are added again before every block: they are added once, at the start",
    " + self.positional_embedding(tokens)", "", "block(x)", "block(x + self.positional_embedding(tokens))",
)  # fmt: skip
PositionsLate = slip(
    "the positions are added after the blocks: the blocks need them, so they are added at the start",
    " + self.positional_embedding(tokens)", "", "norm(x)", "norm(x + self.positional_embedding(tokens))",
)  # fmt: skip
Softmax = slip("these are probabilities, after a softmax: return logits", "norm(x))", "norm(x)).softmax(-1)")
LogSoftmax = slip(
    "these are log-probabilities, after a log-softmax: return logits, because the loss does the rest",
    "norm(x))", "norm(x)).log_softmax(-1)",
)  # fmt: skip
LastPositionOnly = slip(
    "only the last position gets logits: every position predicts its next token", "norm(x))", "norm(x))[:, -1]"
)
Tied = slip(
    "the logits come from the embedding table (tied weights): the unembedding has weights of its own",
    "self.unembedding(self.final_layer_norm(x))", "self.final_layer_norm(x) @ next(self.embedding.parameters()).T",
)  # fmt: skip
NoUnembedding = slip(
    "the unembedding is missing: what is returned is still the residual stream",
    "self.unembedding(self.final_layer_norm(x))", "self.final_layer_norm(x)",
)  # fmt: skip
Detached = slip(
    "the stream is cut off from the gradient between the blocks (detach or no_grad), so what comes before never learns",
    "block(x)", "block(x.detach())",
)  # fmt: skip
Dropout = slip(
    "two calls on the same tokens differ: use the parts made in __init__ and nothing random, such as dropout",
    "for block", "x = torch.dropout(x, 0.1, True)\n    for block",
)  # fmt: skip
CallsTheList = slip(
    "the list of blocks is called as if it were one layer: take the blocks one after the other",
    "for block in self.blocks:\n        x = block(x)", "x = self.blocks(x)",
)  # fmt: skip
FixedCount = slip(
    "the number of blocks is a fixed number: take as many as there are in the list",
    "for block in self.blocks", "for index in range(3)", "block(x)", "self.blocks[index](x)",
)  # fmt: skip
EachTwice = slip("every block runs twice: each runs once", "block(x)", "block(block(x))")
SideBySide = slip(
    "the blocks run side by side and are summed: each must read what the one before returned",
    "for block in self.blocks:\n        x = block(x)", "x = sum(block(x) for block in self.blocks)",
)  # fmt: skip
CUT_OFF = "more tokens than context_length are cut off silently: the given lines raise an error, keep them"
CutsOff = slip(
    CUT_OFF,
    'raise ValueError(f"{tokens.shape[-1]} tokens do not fit")', "tokens = tokens[:, -self.config.context_length :]"
)  # fmt: skip
CutsOffTheEnd = slip(
    CUT_OFF,
    'raise ValueError(f"{tokens.shape[-1]} tokens do not fit")', "tokens = tokens[:, : self.config.context_length]"
)  # fmt: skip
OneTooShort = slip(
    "exactly context_length tokens are refused: they fit, and only more than that do not", "[-1] > self", "[-1] >= self"
)
NoError = slip(
    "the given lines that raise ValueError for more than context_length tokens are gone: put them back",
    'raise ValueError(f"{tokens.shape[-1]} tokens do not fit")', "pass",
)  # fmt: skip
SharedBlock = slip(
    "one block is used for every layer, so all layers share their weights: each layer has a block of its own",
    "def forward", """def __init__(self, config):
    super().__init__(config)
    self.blocks = nn.ModuleList([pieces.TransformerBlock(config)] * config.num_transformer_layers)

def forward""",
)  # fmt: skip
PlainList = slip(
    "the blocks are kept in a plain list, where torch does not see them: they would not be trained or saved",
    "def forward", """def __init__(self, config):
    super().__init__(config)
    blocks = list(self.blocks)
    del self.blocks
    self.blocks = blocks

def forward""",
)  # fmt: skip
OwnMask = slip(
    "a tensor that the model keeps (a mask, say) goes into the state dict: saved weights would no longer fit",
    "def forward", """def __init__(self, config):
    super().__init__(config)
    self.register_buffer("mask", torch.ones(config.context_length, config.context_length).tril())

def forward""",
)  # fmt: skip
HeldTwice = slip(
    "a part is held a second time, under another name: the state dict then has its weights twice, and saved ones no "
    "longer fit",
    "def forward", """def __init__(self, config):
    super().__init__(config)
    self.head = nn.Sequential(self.final_layer_norm, self.unembedding)

def forward""", "self.unembedding(self.final_layer_norm(x))", "self.head(x)",
)  # fmt: skip


def fitting(model, tokens):
    if tokens.shape[-1] > model.config.context_length:
        raise ValueError("too many tokens")
    return tokens


@right
class Folded(Base):
    def forward(self, tokens):
        return self.end(reduce(lambda x, block: block(x), self.blocks, self.start(fitting(self, tokens))))


@right
class AsSequential(Base):
    def __init__(self, config):
        super().__init__(config)
        self.blocks = nn.Sequential(*self.blocks)

    def forward(self, tokens):
        x = torch.add(self.positional_embedding(fitting(self, tokens)), self.embedding(tokens))
        return nn.Sequential(self.blocks, self.final_layer_norm, self.unembedding)(x)


@right
class ByIndex(Base):
    def forward(self, tokens):
        stream = [self.embedding(fitting(self, tokens)) + self.positional_embedding(tokens)]
        for index in range(self.config.num_transformer_layers):
            stream.append(self.blocks[index](stream[-1]))
        return self.unembedding(self.final_layer_norm(stream[-1]))


@wrong("the positions are added to the tokens before the embedding: each embedding is looked up on its own, then added")
class PositionsInTheTokens(Base):
    def forward(self, tokens):
        places = torch.arange(tokens.shape[-1])
        x = self.embedding((fitting(self, tokens) + places) % self.config.vocabulary_size)
        for block in self.blocks:
            x = block(x)
        return self.end(x)
