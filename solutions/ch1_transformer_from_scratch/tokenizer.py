"""Between text and tokens: a byte-level BPE trained on the text itself, or GPT-2's (chapter 1)."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from utils.course import CourseError

END_OF_TEXT = "<|endoftext|>"
BYTES = 256
PARALLEL_FROM = 4_000_000  # characters: below, starting processes costs more than they save


def train_tokenizer(documents: list[str], vocabulary_size: int) -> Tokenizer:
    """Learn a byte-level BPE of at most `vocabulary_size` tokens; token 0 ends a text, any string can be encoded.

    Raises CourseError for a vocabulary that cannot hold every byte. Source: Radford et al. 2019, section 2.2.
    """
    if vocabulary_size <= BYTES:
        raise CourseError(f"vocabulary_size is {vocabulary_size}, but 256 bytes and the end of text need 257 tokens.")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def gpt2_tokenizer() -> Tokenizer:
    """GPT-2's own tokenizer from the hub. Raises CourseError where it is neither cached nor to be fetched."""
    try:
        return Tokenizer.from_pretrained("gpt2")
    except Exception as error:  # the hub's client raises a dozen kinds; to the user they are one
        raise CourseError(
            f"GPT-2's tokenizer could not be fetched from the hub ({type(error).__name__}): check the network, "
            "or train one on the text with --tokenizer bpe."
        ) from None


def load_tokenizer(file: Path) -> Tokenizer:
    """The tokenizer of a tokenizer.json. Raises CourseError where it is missing or broken."""
    if not file.is_file():
        raise CourseError(f"There is no tokenizer at {file}.")
    try:
        return Tokenizer.from_file(str(file))
    except Exception:  # tokenizers raises a bare Exception
        raise CourseError(f"{file} is not a tokenizer, or it is damaged.") from None


def encode_documents(tokenizer: Tokenizer, documents: list[str], num_processes: int = 1) -> list[list[int]]:
    """Tokens of every document, in order; a text of some megabytes is shared among `num_processes` processes."""
    if num_processes > 1 and len(documents) > num_processes and sum(map(len, documents)) > PARALLEL_FROM:
        size = -(-len(documents) // (4 * num_processes))
        parts = [documents[start : start + size] for start in range(0, len(documents), size)]
        with ProcessPoolExecutor(num_processes, mp_context=get_context("spawn")) as pool:
            encoded = pool.map(_encode, [tokenizer.to_str()] * len(parts), parts)
            return [document for part in encoded for document in part]
    return [encoding.ids for encoding in tokenizer.encode_batch(documents, add_special_tokens=False)]


def _encode(tokenizer: str, documents: list[str]) -> list[list[int]]:
    return encode_documents(Tokenizer.from_str(tokenizer), documents)
