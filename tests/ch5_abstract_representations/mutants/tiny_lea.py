"""Wrong answers to exercise 5.22 that learners write, and right ones written differently."""

from pathlib import Path

import torch

from utils.grade import load_file, right, slips

Base = load_file(Path(__file__).parent.with_name("_lea_network.py")).Base

slip = slips(
    Base,
    """
    def read(self, tokens, sentence):
        x = self.placed(self.tokens(tokens), self.cell_positions)
        heard = self.placed(sentence, self.word_positions)
        for block in self.reader:
            x = block(x, heard, self.cell_positions, self.word_positions)
        return self.reader_norm(x)

    def compose(self, z):
        y = self.placed(self.slots.expand(len(z), -1, -1), self.word_positions)
        seen = self.placed(z, self.cell_positions)
        for block in self.composer:
            y = block(y, seen, self.word_positions, self.cell_positions)
        return self.composer_norm(y)
    """,
)

ReadDeaf = slip(
    "read does not listen to the sentence: hand it to every block", "x = block(x, heard", "x = block(x, heard * 0"
)
ReadNoNorm = slip("read ends without its layer norm", "self.reader_norm(x)", "x")
ReadNormEveryBlock = slip(
    "read normalises the stream after every block: the layer norm comes once, at the end",
    "x = block(x, heard, self.cell_positions, self.word_positions)",
    "x = self.reader_norm(block(x, heard, self.cell_positions, self.word_positions))",
    "return self.reader_norm(x)", "return x",
)  # fmt: skip
ReadFirstBlockOnly = slip("read uses only the first block of the reader", "in self.reader:", "in self.reader[:1]:")
ReadInComposer = slip(
    "read runs the composer's blocks: it has blocks of its own, self.reader", "in self.reader:", "in self.composer:"
)
ReadComposerNorm = slip(
    "read ends with the composer's layer norm: it has one of its own", "self.reader_norm", "self.composer_norm"
)
ReadForgetsTheStream = slip(
    "every block of read starts again from the embedding: each goes on from the one before",
    "x = self.placed(self.tokens(tokens), self.cell_positions)",
    "x = first = self.placed(self.tokens(tokens), self.cell_positions)",
    "x = block(x, heard", "x = block(first, heard",
)  # fmt: skip
ReadListensOnce = slip(
    "only the first block of read hears the sentence: every block does",
    "x = block(x, heard, self.cell_positions, self.word_positions)",
    "x = block(x, heard if block is self.reader[0] else heard * 0, self.cell_positions, self.word_positions)",
)  # fmt: skip
ComposeBlind = slip("compose does not look at z: hand it to every block", "y = block(y, seen", "y = block(y, seen * 0")
ComposeFromZeros = slip(
    "compose starts from zeros: it starts from the learned slots", "self.slots.expand", "(0 * self.slots).expand"
)
ComposeNoNorm = slip("compose ends without its layer norm", "self.composer_norm(y)", "y")
ComposeFirstBlockOnly = slip(
    "compose uses only the first block of the composer", "in self.composer:", "in self.composer[:1]:"
)
ComposeInReader = slip(
    "compose runs the reader's blocks: it has blocks of its own, self.composer", "in self.composer:", "in self.reader:"
)
ComposeReaderNorm = slip(
    "compose ends with the reader's layer norm: it has one of its own", "self.composer_norm", "self.reader_norm"
)
ComposeForFirst = slip(
    "every board gets the sentence about the first one",
    "seen = self.placed(z, ",
    "seen = self.placed(z[:1].expand_as(z), ",
)
ReadUnplaced = slip(
    "in the vanilla form the tokens lack their positions",
    "self.placed(self.tokens(tokens), self.cell_positions)", "self.tokens(tokens)",
)  # fmt: skip
SentenceUnplaced = slip(
    "in the vanilla form the sentence lacks its positions",
    "self.placed(sentence, self.word_positions)", "sentence",
)  # fmt: skip
SlotsUnplaced = slip(
    "in the vanilla form the slots lack their positions",
    "self.placed(self.slots.expand(len(z), -1, -1), self.word_positions)", "self.slots.expand(len(z), -1, -1)",
)  # fmt: skip
SeenUnplaced = slip("in the vanilla form z lacks its positions", "self.placed(z, self.cell_positions)", "z")
PlacedEveryBlock = slip(
    "in the vanilla form positions are added again before every block: they are added once",
    "x = block(x, heard", "x = block(self.placed(x, self.cell_positions), heard",
)  # fmt: skip
SentenceInPlace = slip(
    "the sentence was changed in place: work on a new tensor",
    "heard = self.placed(sentence, self.word_positions)",
    "heard = self.placed(sentence, self.word_positions).clone()\n    sentence.mul_(2)",
)  # fmt: skip
Detached = slip("z is cut off from the gradient of the slots", "self.slots.expand", "self.slots.detach().expand")
SentenceDetached = slip(
    "the sentence is cut off from its gradient: it must train the composer",
    "self.placed(sentence, self.word_positions)", "self.placed(sentence.detach(), self.word_positions)",
)  # fmt: skip
SeenDetached = slip(
    "z is cut off from its gradient: composing trains the reader, too",
    "self.placed(z, self.cell_positions)", "self.placed(z.detach(), self.cell_positions)",
)  # fmt: skip
AddedToTheSentence = slip(
    "in the vanilla form the positions are added to the caller's sentence itself: work on a new tensor",
    "heard = self.placed(sentence, self.word_positions)",
    "heard = sentence.add_(self.word_positions) if self.settings.type == 'vanilla' else sentence",
)  # fmt: skip
PositionsExchanged = slip(
    "a block is given the positions of words for the cells: cells have cell_positions, words have word_positions",
    "block(x, heard, self.cell_positions, self.word_positions)",
    "block(x, heard, self.word_positions, self.cell_positions)",
)  # fmt: skip
ComposePositionsExchanged = slip(
    "a block is given the positions of words for the cells: cells have cell_positions, words have word_positions",
    "block(y, seen, self.word_positions, self.cell_positions)",
    "block(y, seen, self.cell_positions, self.word_positions)",
)  # fmt: skip
StreamsExchanged = slip(
    "read gives a block the sentence as its stream: the stream x comes first, what it listens to second",
    "block(x, heard, self.cell_positions, self.word_positions)",
    "block(heard, x, self.word_positions, self.cell_positions)",
)  # fmt: skip
ReadHearsItself = slip(
    "read listens to its own stream instead of the sentence",
    "block(x, heard, self.cell_positions, self.word_positions)",
    "block(x, x, self.cell_positions, self.cell_positions)",
)  # fmt: skip
ComposeHearsItself = slip(
    "compose listens to its own stream instead of z",
    "block(y, seen, self.word_positions, self.cell_positions)",
    "block(y, y, self.word_positions, self.word_positions)",
)  # fmt: skip
ReadAddsAgain = slip(
    "read adds a block's result to the stream: a block returns the new stream itself",
    "x = block(x, heard",
    "x = x + block(x, heard"
)  # fmt: skip
ComposeBackwards = slip("compose runs its blocks from last to first", "in self.composer:", "in self.composer[::-1]:")
NormedAgain = slip(
    "z passes through the reader's layer norm once more: it comes from read, which ends with it",
    "self.placed(z, self.cell_positions)", "self.placed(self.reader_norm(z), self.cell_positions)",
)  # fmt: skip
SentenceWithCells = slip(
    "placed is given the other positions: tokens and z have cell_positions, sentence and slots word_positions",
    "self.placed(sentence, self.word_positions)", "self.placed(sentence, self.cell_positions)",
)  # fmt: skip
SeenWithWords = slip(
    "placed is given the other positions: tokens and z have cell_positions, sentence and slots word_positions",
    "self.placed(z, self.cell_positions)", "self.placed(z, self.word_positions)",
)  # fmt: skip
ReadPlacedInEveryBlock = slip(
    "in the vanilla form the cells' positions are added before every block: once, before the first",
    "x = self.placed(self.tokens(tokens), self.cell_positions)", "x = self.tokens(tokens)",
    "x = block(x, heard", "x = block(self.placed(x, self.cell_positions), heard",
)  # fmt: skip
NormsExchanged = slip(
    "the two layer norms are exchanged: read ends with reader_norm, compose with composer_norm",
    "self.reader_norm(x)", "self.OTHER(x)", "self.composer_norm(y)", "self.reader_norm(y)", "OTHER", "composer_norm",
)  # fmt: skip
ComposeFromTheStart = slip(
    "every block of the composer begins with the slots: each goes on with what the block before gave",
    "for block in self.composer:\n        y = block(y,",
    "start = y\n    for block in self.composer:\n        y = block(start,",
)  # fmt: skip
ReadThroughTheHead = slip(
    "read returns logits: it ends with its layer norm, and the head comes later",
    "self.reader_norm(x)", "self.head(self.reader_norm(x))",
)  # fmt: skip
OneSetOfSlots = slip(
    "the slots have no axis of boards: there is a copy for each board",
    "self.slots.expand(len(z), -1, -1)",
    "self.slots",
)


@right
class Unrolled(Base):
    def read(self, tokens, sentence):
        x = torch.nn.functional.embedding(tokens, self.tokens.weight)
        if self.settings.type == "vanilla":
            x, sentence = x + self.cell_positions[None], sentence + self.word_positions[None]
        for i in range(len(self.reader)):
            x = self.reader[i](x, sentence, self.cell_positions, self.word_positions)
        return self.reader_norm(x)

    def compose(self, z):
        x = torch.stack([self.slots] * len(z))
        if self.settings.type == "vanilla":
            x, z = x + self.word_positions, z + self.cell_positions
        for i in range(len(self.composer)):
            x = self.composer[i](x, z, self.word_positions, self.cell_positions)
        return self.composer_norm(x)


@right
class OneHelper(Base):
    def go(self, blocks, norm, x, other, position, other_position):
        x, other = self.placed(x, position), self.placed(other, other_position)
        for block in blocks:
            x = block(x, other, position, other_position)
        return norm(x)

    def read(self, tokens, sentence):
        places = self.cell_positions, self.word_positions
        return self.go(self.reader, self.reader_norm, self.tokens(tokens), sentence, *places)

    def compose(self, z):
        slots = self.slots[None].repeat(z.shape[0], 1, 1)
        return self.go(self.composer, self.composer_norm, slots, z, self.word_positions, self.cell_positions)
