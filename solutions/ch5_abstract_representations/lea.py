"""LEA, the language-enhanced architecture: one network looks and draws, a second one puts what it saw into words.

Letters: B boards, T cells, D width of the content, P width of the position vectors, V tokens, K words of the
language, W words in a sentence. Source: Ferry, Ching and Kawai 2023 (arXiv 2312.05361) and its published code.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from utils.course import CourseError

from .quantise import vector_quantize


@dataclass(frozen=True)
class LEASettings:
    """Sizes of a LEA; the defaults are those of the published script.

    `type`: "factor" concatenates position vectors at every sub-layer, "vanilla" adds them to the content once.
    `quantiser`: "ema" moves the words by running averages, "gradient" trains them with the optimizer.
    `decay`: how slowly they move; at 0.99 a word remembers about a hundred batches.
    `blank`: what the first pass hears before anything has been said: "zeros", or the last "word" of the codebook.
    """

    vocab_size: int = 21
    block_size: int = 64
    n_layer: int = 3
    n_head: int = 2
    n_embd: int = 32
    n_embd_pos: int = 16
    vocab_speech_size: int = 128
    block_speech_size: int = 16
    type: Literal["factor", "vanilla"] = "factor"
    quantiser: Literal["ema", "gradient"] = "ema"
    commitment: float = 0.25
    blank: Literal["zeros", "word"] = "zeros"
    masking_token: int = 20
    dropout: float = 0.0
    decay: float = 0.99

    def __post_init__(self):
        if min(self.n_layer, self.n_head, self.n_embd, self.n_embd_pos) < 1:
            raise CourseError("n_layer, n_head, n_embd and n_embd_pos must be at least 1.")
        if self.n_embd % self.n_head:
            raise CourseError(f"The width {self.n_embd} can't be split into {self.n_head} heads of equal size.")
        if self.vocab_speech_size < 2 or self.block_speech_size < 1:
            raise CourseError("A language needs at least two words, and a sentence at least one.")
        if not 0 <= self.decay < 1:
            raise CourseError(f"The decay must be at least 0 and below 1, but it is {self.decay}.")
        if not 0 <= self.masking_token < self.vocab_size:
            raise CourseError(f"The masking token {self.masking_token} is outside the {self.vocab_size} tokens.")


class HeadedAttention(nn.Module):
    """Attention whose queries come from x and whose keys and values come from `source` (x itself: self-attention).

    Shapes: x (B, T_Q, D_in), source (B, T_K, D_in) -> (B, T_Q, D). Every query sees every key.
    """

    def __init__(self, width_in: int, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width_in, width) for _ in range(3))
        self.output = nn.Linear(width, width)

    def forward(
        self,
        x: Float[Tensor, "B T_Q D_in"],
        source: Float[Tensor, "B T_K D_in"],
    ) -> Float[Tensor, "B T_Q D"]:
        split = "B T (N H) -> B N T H"
        q, k, v = (rearrange(f, split, N=self.heads) for f in (self.query(x), self.key(source), self.value(source)))
        return self.output(rearrange(F.scaled_dot_product_attention(q, k, v), "B N T H -> B T (N H)"))


class DecoderBlock(nn.Module):
    """Self-attention, then cross-attention to what the other network says, then an MLP; each adds to the stream x.

    Shapes: x (B, T_Q, D) and `other` (B, T_K, D) with their positions (T_Q, P), (T_K, P) -> (B, T_Q, D). In the
    factorised form the position vectors are concatenated at the input of every sub-layer, before its layer norm;
    in the vanilla form (`positions` False) they are not used here, since they were added to the content.
    """

    def __init__(self, settings):
        super().__init__()
        D = settings.n_embd
        self.positions = settings.type == "factor"
        wide = D + settings.n_embd_pos if self.positions else D
        self.norm_self, self.norm_cross, self.norm_other, self.norm_mlp = (nn.LayerNorm(wide) for _ in range(4))
        self.self_attention = HeadedAttention(wide, D, settings.n_head)
        self.cross_attention = HeadedAttention(wide, D, settings.n_head)
        self.mlp = nn.Sequential(nn.Linear(wide, 4 * D), nn.GELU(), nn.Linear(4 * D, D), nn.Dropout(settings.dropout))

    def forward(
        self,
        x: Float[Tensor, "B T_Q D"],
        other: Float[Tensor, "B T_K D"],
        position: Float[Tensor, "T_Q P"],
        other_position: Float[Tensor, "T_K P"],
    ) -> Float[Tensor, "B T_Q D"]:
        here = self.norm_self(self._placed(x, position))
        x = x + self.self_attention(here, here)
        there = self.norm_other(self._placed(other, other_position))
        x = x + self.cross_attention(self.norm_cross(self._placed(x, position)), there)
        return x + self.mlp(self.norm_mlp(self._placed(x, position)))

    def _placed(self, x: Float[Tensor, "B T D"], position: Float[Tensor, "T P"]) -> Float[Tensor, "B T D_in"]:
        return torch.cat([x, position.expand(len(x), -1, -1)], -1) if self.positions else x


class TinyLEA(nn.Module):
    """Two networks that share a picture: `read` turns a masked board into abstractions, `compose` into a sentence.

    The same `read` draws a board from a sentence alone, when every cell is masked. At the published sizes it has
    141,184 numbers to learn in the factorised form and 110,976 in the vanilla one, the codebook included.
    """

    def __init__(self, settings):
        super().__init__()
        self.settings = self.cfg = settings
        T, W, D, K = settings.block_size, settings.block_speech_size, settings.n_embd, settings.vocab_speech_size
        P = settings.n_embd_pos if settings.type == "factor" else D
        self.tokens = nn.Embedding(settings.vocab_size, D)
        self.cell_positions = nn.Parameter(torch.empty(T, P))
        self.reader = nn.ModuleList(DecoderBlock(settings) for _ in range(settings.n_layer))
        self.reader_norm = nn.LayerNorm(D)
        self.head = nn.Linear(D, settings.vocab_size, bias=False)
        self.slots = nn.Parameter(torch.empty(W, D))
        self.word_positions = nn.Parameter(torch.empty(W, P))
        self.composer = nn.ModuleList(DecoderBlock(settings) for _ in range(settings.n_layer))
        self.composer_norm = nn.LayerNorm(D)
        self.apply(_initialise)
        for table in (self.cell_positions, self.word_positions):
            nn.init.normal_(table, std=0.3)  # beside the normalised z, positions of size 0.02 would hardly be seen
        nn.init.normal_(self.slots)  # slots that start alike stay alike, and the whole sentence says one word
        codebook = torch.randn(K, D)
        if settings.quantiser == "gradient":
            self.codebook = nn.Parameter(codebook)
        else:
            averages = {"codebook": codebook, "counts": torch.ones(K), "sums": codebook.clone()}  # for its training
            for name, tensor in averages.items():
                self.register_buffer(name, tensor)
        self.register_buffer("started", torch.tensor(False))  # whether the words have had their start

    def read(self, tokens: Int[Tensor, "B T"], sentence: Float[Tensor, "B W D"]) -> Float[Tensor, "B T D"]:
        """Abstractions z of a (masked) board, read together with a sentence.

        Shapes: tokens (B, T), sentence (B, W, D) as vectors -> z (B, T, D), after the final layer norm.
        """
        # solution
        x = self.placed(self.tokens(tokens), self.cell_positions)
        sentence = self.placed(sentence, self.word_positions)
        for block in self.reader:
            x = block(x, sentence, self.cell_positions, self.word_positions)
        return self.reader_norm(x)
        # end solution

    def compose(self, z: Float[Tensor, "B T D"]) -> Float[Tensor, "B W D"]:
        """A sentence about the abstractions z, as W vectors that are not quantised yet.

        Shapes: z (B, T, D) -> (B, W, D), after the final layer norm. It starts from the learned slots.
        """
        # solution
        x = self.placed(self.slots.expand(len(z), -1, -1), self.word_positions)
        z = self.placed(z, self.cell_positions)
        for block in self.composer:
            x = block(x, z, self.word_positions, self.cell_positions)
        return self.composer_norm(x)
        # end solution

    def placed(self, x: Float[Tensor, "B T D"], position: Float[Tensor, "T P"]) -> Float[Tensor, "B T D"]:
        """x with its positions added in the vanilla form; x itself in the factorised one."""
        return x + position if self.settings.type == "vanilla" else x

    def blank(self, B: int) -> Float[Tensor, "B W D"]:
        """What the first pass hears, before a word has been said."""
        W, D = self.settings.block_speech_size, self.settings.n_embd
        if self.settings.blank == "word":
            return self.codebook[-1].detach().expand(B, W, D)
        return self.slots.new_zeros(B, W, D)

    def unseen(self, B: int) -> Int[Tensor, "B T"]:
        """B boards of which nothing is visible."""
        size = (B, self.settings.block_size)
        return torch.full(size, self.settings.masking_token, device=self.slots.device)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


@torch.no_grad()
def speak(model: nn.Module, tokens: Int[Tensor, "B T"]) -> Int[Tensor, "B W"]:
    """The sentence that the network says about each (masked) board, as words.

    Shapes: tokens (B, T) -> words (B, W), each from 0 to K - 1. Nothing in the model changes.
    """
    # solution
    z = model.read(tokens, model.blank(len(tokens)))
    _, words, _ = vector_quantize(model.compose(z), model.codebook)
    return words
    # end solution


@torch.no_grad()
def draw(model: nn.Module, words: Int[Tensor, "B W"]) -> Float[Tensor, "B T V"]:
    """Draw each board from its sentence alone: every cell is masked, only the words are heard.

    Shapes: words (B, W) -> logits (B, T, V). Nothing in the model changes.
    """
    # solution
    z = model.read(model.unseen(len(words)), model.codebook[words])
    return model.head(z)
    # end solution


def lea_loss(
    model: nn.Module,
    masked: Int[Tensor, "B T"],
    board: Int[Tensor, "B T"],
    speech_weight: float = 1.0,
    quantised: bool = True,
) -> dict[str, Tensor]:
    """The loss of the three passes, with its parts.

    Shapes: masked and board (B, T). Pass 1 reads the masked board and a blank sentence; pass 2 composes a sentence
    about it; pass 3 draws the board from the sentence alone. Returns "loss" = board + speech_weight * (speech + vq),
    "board" (cross-entropy of pass 1 over all cells), "speech" (that of pass 3), "vq" (the quantiser's loss; 0 where
    `quantised` is False and pass 3 hears the vectors as they are), and in either case what was said: "vectors"
    (B, W, D) and "words" (B, W). The model's codebook and mode are left as they are.
    """
    # solution
    z = model.read(masked, model.blank(len(masked)))
    vectors = model.compose(z)
    heard, words, vq = vector_quantize(vectors, model.codebook, model.settings.commitment)
    if not quantised:
        heard, vq = vectors, vectors.new_zeros(())
    drawn = model.head(model.read(model.unseen(len(masked)), heard))
    from_board = F.cross_entropy(model.head(z).flatten(0, 1), board.flatten())
    from_speech = F.cross_entropy(drawn.flatten(0, 1), board.flatten())
    loss = from_board + speech_weight * (from_speech + vq)
    parts = {"loss": loss, "board": from_board, "speech": from_speech, "vq": vq}
    return parts | {"vectors": vectors, "words": words}
    # end solution
