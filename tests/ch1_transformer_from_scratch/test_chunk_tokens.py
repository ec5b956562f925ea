"""Hidden tests of exercise 1.11: rows of equal length cut from one stream of documents and separators."""

import torch

from utils.grade import a_thing, equal, require

SEPARATOR = 99


def document(draw, length):
    return draw.integers(0, 50, length).tolist()


def rows(documents, context_length):
    """The oracle: one token at a time into the row being filled; a row counts when it is full."""
    full, row = [], []
    for tokens in documents:
        for token in [*tokens, SEPARATOR]:
            row.append(token)
            if len(row) == context_length:
                full.append(row)
                row = []
    return torch.tensor(full, dtype=torch.int64).reshape(len(full), context_length)


def check_rows(got, expected, says, documents):
    require(torch.is_tensor(got), f"the result must be an int64 tensor, but it is {a_thing(got)}")
    no_rows = " (torch.tensor of an empty list has no second axis)" * (tuple(got.shape) == (0,))
    shapes = f"the result has shape {tuple(got.shape)}{no_rows}, but {tuple(expected.shape)} was expected"
    require(got.shape == expected.shape, shapes, expected=expected, got=got)
    empty = " (torch.tensor of an empty list is float32 unless you give it dtype=torch.int64)" * (got.numel() == 0)
    require(got.dtype == torch.int64, f"token ids must be int64 to index an embedding, not {got.dtype}{empty}")
    equal(got, expected, says, inputs={"documents": documents})


def test_shape_and_dtype(chunk_tokens, draw):
    T = 5 + draw.index
    documents = [document(draw, 3 * T + 1)]
    check_rows(chunk_tokens(documents, T, SEPARATOR), rows(documents, T), "the rows hold the wrong tokens", documents)


def test_exact_fit(chunk_tokens, draw):
    T = 4 + draw.index
    documents = [document(draw, 3 * T - 1)]  # with its separator it fills three rows
    says = "a document that with its separator fills the rows exactly is cut wrongly"
    check_rows(chunk_tokens(documents, T, SEPARATOR), rows(documents, T), says, documents)


def test_documents_run_on(chunk_tokens, draw):
    T = 5
    documents = [document(draw, int(n)) for n in (3, 7 + draw.index, 1, 12, 2, 6)]
    says = "the documents must form one stream, each followed by the separator"
    check_rows(chunk_tokens(documents, T, SEPARATOR), rows(documents, T), says, documents)


def test_empty_document(chunk_tokens, draw):
    documents = [document(draw, 4), [], document(draw, 6), [], [], document(draw, 7)]
    says = "an empty document is a document too: its separator is missing"
    check_rows(chunk_tokens(documents, 5, SEPARATOR), rows(documents, 5), says, documents)


def test_too_few_tokens(chunk_tokens, draw):
    documents = [document(draw, 2), document(draw, 1)]
    says = "documents shorter than one row must give no rows"
    check_rows(chunk_tokens(documents, 9, SEPARATOR), rows(documents, 9), says, documents)


def test_documents_are_left_alone(chunk_tokens, draw):
    documents = [document(draw, 4), document(draw, 9)]
    after = chunk_tokens.call(documents, 5, SEPARATOR)["args"][0]
    equal(after, documents, "the caller's documents are different after the call: build a new list instead")
