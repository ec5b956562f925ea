"""Wrong answers to exercise 1.10 that learners write, and right ones written differently."""

from functools import reduce
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from utils.grade.mutants import right, wrong
from utils.grade.suite import load_file

pieces = load_file(Path(__file__).with_name("_pieces.py"))
Base = pieces.Transformer


@wrong("the positional embedding is never added: the model could not tell the order of the tokens")
class NoPositions(Base):
    def start(self, tokens):
        return self.embedding(tokens)


@wrong("the token embedding is never added: the model sees positions only")
class NoTokens(Base):
    def start(self, tokens):
        return self.positional_embedding(tokens)


@wrong("the two embeddings are multiplied: they must be added")
class PositionsMultiplied(Base):
    def start(self, tokens):
        return self.embedding(tokens) * self.positional_embedding(tokens)


@wrong(
    "the positional embedding is not given the tokens: it reads them as they are, shape (B, T), as the embedding does"
)
class PositionsOfVectors(Base):
    def start(self, tokens):
        x = self.embedding(tokens)
        return x + self.positional_embedding(x)


@wrong("the token embedding is multiplied by the root of E: GPT-2 adds the two embeddings as they are")
class EmbeddingScaled(Base):
    def start(self, tokens):
        return self.embedding(tokens) * self.config.embedding_dimension**0.5 + self.positional_embedding(tokens)


@wrong("the final layer norm is missing before the unembedding")
class NoFinalNorm(Base):
    def end(self, x):
        return self.unembedding(x)


@wrong("the final layer norm stands before the blocks: it belongs between the last block and the unembedding")
class NormBeforeBlocks(Base):
    def forward(self, tokens):
        x = self.final_layer_norm(self.start(tokens))
        for block in self.blocks:
            x = block(x)
        return self.unembedding(x)


@wrong("the final layer norm runs after every block: it runs once, after the last")
class NormInTheLoop(Base):
    def forward(self, tokens):
        x = self.start(tokens)
        for block in self.blocks:
            x = self.final_layer_norm(block(x))
        return self.unembedding(x)


@wrong("the final layer norm is added to the stream: it replaces the stream before the unembedding")
class NormAdded(Base):
    def end(self, x):
        return self.unembedding(x + self.final_layer_norm(x))


@wrong("only the first block is applied: all of them run, one after the other")
class FirstBlockOnly(Base):
    def forward(self, tokens):
        return self.end(self.blocks[0](self.start(tokens)))


@wrong("only the last block counts: every block is given the embeddings instead of what the block before returned")
class LastBlockOnly(Base):
    def forward(self, tokens):
        start = self.start(tokens)
        for block in self.blocks:
            x = block(start)
        return self.end(x)


@wrong("the blocks are never applied")
class NoBlocks(Base):
    def forward(self, tokens):
        return self.end(self.start(tokens))


@wrong("the first block is applied again and again: each layer has its own block")
class FirstBlockRepeated(Base):
    def forward(self, tokens):
        x = self.start(tokens)
        for _ in self.blocks:
            x = self.blocks[0](x)
        return self.end(x)


@wrong("the last block is left out")
class LastBlockMissing(Base):
    def forward(self, tokens):
        x = self.start(tokens)
        for block in self.blocks[:-1]:
            x = block(x)
        return self.end(x)


@wrong("the first block is left out")
class FirstBlockMissing(Base):
    def forward(self, tokens):
        x = self.start(tokens)
        for block in self.blocks[1:]:
            x = block(x)
        return self.end(x)


@wrong("the blocks run in reverse order")
class Reversed(Base):
    def forward(self, tokens):
        x = self.start(tokens)
        for block in reversed(self.blocks):
            x = block(x)
        return self.end(x)


@wrong("the stream is added once more around each block: a block returns the stream with its own additions in it")
class ResidualAgain(Base):
    def forward(self, tokens):
        x = self.start(tokens)
        for block in self.blocks:
            x = x + block(x)
        return self.end(x)


@wrong("the positions are added again before every block: they are added once, at the start")
class PositionsEachBlock(Base):
    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x + self.positional_embedding(tokens))
        return self.end(x)


@wrong("these are probabilities, after a softmax: logits are wanted")
class Softmax(Base):
    def end(self, x):
        return super().end(x).softmax(-1)


@wrong("these are log-probabilities, after a log-softmax: logits are wanted, the loss takes care of the rest")
class LogSoftmax(Base):
    def end(self, x):
        return super().end(x).log_softmax(-1)


@wrong("only the last position gets logits: every position predicts its next token")
class LastPositionOnly(Base):
    def end(self, x):
        return super().end(x)[:, -1]


@wrong("the logits come from the embedding table (tied weights): the unembedding has weights of its own")
class Tied(Base):
    def end(self, x):
        return self.final_layer_norm(x) @ next(self.embedding.parameters()).T


@wrong("the unembedding is missing: what is returned is still the residual stream")
class NoUnembedding(Base):
    def end(self, x):
        return self.final_layer_norm(x)


@wrong("one block is used for every layer, so all layers share their weights: each layer has a block of its own")
class SharedBlock(Base):
    def __init__(self, config):
        super().__init__(config)
        self.blocks = nn.ModuleList([pieces.TransformerBlock(config)] * config.num_transformer_layers)


@wrong("the blocks are kept in a plain list, where torch does not see them: they would not be trained or saved")
class PlainList(Base):
    def __init__(self, config):
        super().__init__(config)
        blocks = list(self.blocks)
        del self.blocks
        self.blocks = blocks


@wrong("the stream is cut off from the gradient between the blocks (detach or no_grad), so what is before never learns")
class Detached(Base):
    def forward(self, tokens):
        x = self.start(tokens)
        for block in self.blocks:
            x = block(x.detach())
        return self.end(x)


@wrong("two calls on the same tokens differ: use the parts made in __init__, and nothing random (dropout)")
class Dropout(Base):
    def start(self, tokens):
        return F.dropout(super().start(tokens), 0.1)


@wrong("the list of blocks is called as if it were one layer: take the blocks one after the other")
class CallsTheList(Base):
    def forward(self, tokens):
        x = self.embedding(tokens) + self.positional_embedding(tokens)
        return self.unembedding(self.final_layer_norm(self.blocks(x)))


@wrong("the number of blocks is a fixed number: take as many as there are in the list")
class FixedCount(Base):
    def forward(self, tokens):
        x = self.embedding(tokens) + self.positional_embedding(tokens)
        for index in range(3):
            x = self.blocks[index](x)
        return self.unembedding(self.final_layer_norm(x))


@wrong("every block runs twice: each runs once")
class EachTwice(Base):
    def forward(self, tokens):
        x = self.embedding(tokens) + self.positional_embedding(tokens)
        for block in self.blocks:
            x = block(block(x))
        return self.unembedding(self.final_layer_norm(x))


@wrong("the positions are added after the blocks: the blocks need them, so they are added at the start")
class PositionsLate(Base):
    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x)
        x = x + self.positional_embedding(tokens)
        return self.unembedding(self.final_layer_norm(x))


@wrong("the blocks run side by side and are summed: each must read what the one before returned")
class SideBySide(Base):
    def forward(self, tokens):
        x = self.embedding(tokens) + self.positional_embedding(tokens)
        x = sum(block(x) for block in self.blocks)
        return self.unembedding(self.final_layer_norm(x))


@wrong("the final layer norm runs twice: it runs once, after the last block")
class NormTwice(Base):
    def end(self, x):
        return self.unembedding(self.final_layer_norm(self.final_layer_norm(x)))


@wrong(
    "the positional embedding is not given the tokens: it reads them as they are, shape (B, T), as the embedding does"
)
class PositionsOfARange(Base):
    def start(self, tokens):
        return self.embedding(tokens) + self.positional_embedding(torch.arange(tokens.shape[1]))


@wrong("more tokens than context_length are cut off silently: the given lines raise an error, keep them")
class CutsOff(Base):
    def forward(self, tokens):
        return super().forward(tokens[:, -self.config.context_length :])


@right
class Folded(Base):
    def forward(self, tokens):
        return self.end(reduce(lambda x, block: block(x), self.blocks, self.start(tokens)))


@right
class AsSequential(Base):
    def __init__(self, config):
        super().__init__(config)
        self.blocks = nn.Sequential(*self.blocks)

    def forward(self, tokens):
        x = torch.add(self.positional_embedding(tokens), self.embedding(tokens))
        return nn.Sequential(self.blocks, self.final_layer_norm, self.unembedding)(x)


@right
class ByIndex(Base):
    def forward(self, tokens):
        stream = [self.embedding(tokens) + self.positional_embedding(tokens)]
        for index in range(self.config.num_transformer_layers):
            stream.append(self.blocks[index](stream[-1]))
        return self.unembedding(self.final_layer_norm(stream[-1]))


@right
class HeadInSequential(Base):
    def __init__(self, config):
        super().__init__(config)
        self.head = nn.Sequential(self.final_layer_norm, self.unembedding)

    def end(self, x):
        return self.head(x)
