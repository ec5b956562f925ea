"""A corpus as rows of tokens, ready to train on: what `train`, `evaluate` and the notebook start from (chapter 1)."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Int
from tokenizers import Tokenizer
from torch import Tensor

from utils.ch1.text import Corpus
from utils.course import CourseError

from .config import TransformerConfig
from .data import chunk_tokens, load_corpus
from .tokenizer import END_OF_TEXT, encode_documents, gpt2_tokenizer, train_tokenizer


@dataclass
class TextData:
    """Rows of tokens to train on and rows held out, with the tokenizer that made them."""

    tokenizer: Tokenizer
    train: Int[Tensor, "rows T"]
    held_out: Int[Tensor, "held_rows T"]
    name: str

    @property
    def separator(self) -> int:
        """The token that ends each document."""
        return self.tokenizer.token_to_id(END_OF_TEXT)


def load_text_data(
    config: TransformerConfig,
    dataset: str = "embedded",
    tokenizer: Tokenizer | str = "auto",
    num_processes: int = 1,
) -> TextData:
    """Load, split, tokenise and cut a corpus.

    `tokenizer`: one that exists, "bpe" (trained on the training text), "gpt2", or "auto": "gpt2" for a hub data set,
    else "bpe". Raises CourseError, in one sentence, for what `load_corpus` refuses, for a vocabulary that is smaller
    than a token, and for a text that does not fill a row.
    """
    corpus = load_corpus(dataset)
    if tokenizer == "auto":
        tokenizer = "bpe" if dataset in ("embedded", "python") or Path(dataset).expanduser().exists() else "gpt2"
    if tokenizer == "bpe":
        tokenizer = train_tokenizer(corpus.train, config.vocabulary_size)
    elif tokenizer == "gpt2":
        tokenizer = gpt2_tokenizer()
    return tokenise(corpus, tokenizer, config, num_processes)


def tokenise(corpus: Corpus, tokenizer: Tokenizer, config: TransformerConfig, num_processes: int = 1) -> TextData:
    """Rows of context_length tokens of both halves of a corpus. Raises CourseError as `load_text_data` does."""
    separator = tokenizer.token_to_id(END_OF_TEXT)
    if separator is None:
        raise CourseError(f"The tokenizer has no {END_OF_TEXT} token to put between documents.")
    halves = []
    for documents in (corpus.train, corpus.held_out):
        encoded = encode_documents(tokenizer, documents, num_processes)
        largest = max((max(document) for document in encoded if document), default=0)
        if max(largest, separator) >= config.vocabulary_size:
            raise CourseError(
                f"vocabulary_size is {config.vocabulary_size}, but the text holds the token {max(largest, separator)}: "
                f"the tokenizer has {tokenizer.get_vocab_size()} tokens."
            )
        rows = chunk_tokens(encoded, config.context_length, separator)
        if len(rows) == 0:
            raise CourseError(
                f"The text of {corpus.name} is too short for a context of {config.context_length} tokens: "
                f"a tenth of it is held out, and that is {sum(map(len, encoded))} tokens."
            )
        halves.append(rows)
    return TextData(tokenizer, *halves, corpus.name)
