"""Wrong answers to exercise 1.11 that learners write, and right ones written differently."""

from itertools import chain

import torch

from utils.grade.mutants import right, wrong


def joined(documents, separator):
    return [token for document in documents for token in [*document, separator]]


def cut(stream, context_length):
    n = len(stream) // context_length
    return torch.tensor(stream[: n * context_length], dtype=torch.int64).reshape(n, context_length)


@wrong("there is a separator before the first document: one follows each document, and there are no others")
def separator_first(documents, context_length, separator):
    return cut([token for document in documents for token in [separator, *document]], context_length)


# From outside these two are the same: the stream seems to end one token early.
LAST = "a last row that is just full is lost: the last document too is followed by a separator, and a full row is kept"


@wrong(LAST)
def separator_between(documents, context_length, separator):
    return cut(joined(documents, separator)[:-1], context_length)


@wrong(LAST + "; and where no row is full, the result must be int64")
def separator_between_and_no_dtype(documents, context_length, separator):
    stream = joined(documents, separator)[:-1]
    n = len(stream) // context_length
    return torch.tensor(stream[: n * context_length]).reshape(n, context_length)


NO_SEPARATOR = "the documents are joined without any separator"


@wrong(NO_SEPARATOR)
def no_separator(documents, context_length, separator):
    return cut(list(chain.from_iterable(documents)), context_length)


@wrong(NO_SEPARATOR + ", and where no row is full, the result is not int64: give the dtype")
def no_separator_and_no_dtype(documents, context_length, separator):
    stream = list(chain.from_iterable(documents))
    n = len(stream) // context_length
    return torch.tensor(stream[: n * context_length]).reshape(n, context_length)


@wrong(NO_SEPARATOR + ", and where no row is full, the shape is not (0, context_length)")
def no_separator_and_no_width(documents, context_length, separator):
    stream = list(chain.from_iterable(documents))
    starts = range(0, len(stream) - context_length + 1, context_length)
    return torch.tensor([stream[i : i + context_length] for i in starts], dtype=torch.int64)


NO_ROWS = (
    "where no row is full, torch.tensor([]) is a float32 tensor of shape (0,): return (0, context_length) and int64"
)


@wrong(NO_SEPARATOR + ", and " + NO_ROWS)
def no_separator_and_no_rows(documents, context_length, separator):
    stream = list(chain.from_iterable(documents))
    starts = range(0, len(stream) - context_length + 1, context_length)
    return torch.tensor([stream[i : i + context_length] for i in starts])


@wrong(NO_ROWS)
def no_rows(documents, context_length, separator):
    stream = joined(documents, separator)
    starts = range(0, len(stream) - context_length + 1, context_length)
    return torch.tensor([stream[i : i + context_length] for i in starts])


@wrong("where no row is full, the result is float32: for an empty list, torch.tensor needs dtype=torch.int64")
def no_dtype(documents, context_length, separator):
    stream = joined(documents, separator)
    n = len(stream) // context_length
    return torch.tensor(stream[: n * context_length]).reshape(n, context_length)


@wrong("one separator closes the whole stream: every document needs its own")
def separator_at_the_end(documents, context_length, separator):
    return cut([*chain.from_iterable(documents), separator], context_length)


@wrong("each document is cut on its own, so the ends of all documents are lost: join them first, then cut")
def each_alone(documents, context_length, separator):
    return torch.cat([cut([*document, separator], context_length) for document in documents])


@wrong("the last row is filled up with separators: the remainder is dropped, not padded")
def padded(documents, context_length, separator):
    stream = joined(documents, separator)
    return cut(stream + [separator] * (-len(stream) % context_length), context_length)


@wrong(LAST)
def drops_a_full_row(documents, context_length, separator):
    stream = joined(documents, separator)
    return cut(stream[: (len(stream) - 1) // context_length * context_length], context_length)


@wrong("the stream runs down the columns: consecutive tokens must be side by side in a row")
def down_the_columns(documents, context_length, separator):
    stream = joined(documents, separator)
    n = len(stream) // context_length
    return torch.tensor(stream[: n * context_length], dtype=torch.int64).reshape(context_length, n).T


@wrong("neighbouring rows overlap: each token of the stream belongs to one row")
def overlapping(documents, context_length, separator):
    stream = torch.tensor(joined(documents, separator), dtype=torch.int64)
    if len(stream) < context_length:
        return stream.new_empty(0, context_length)
    return stream.unfold(0, context_length, context_length - 1).clone()


@wrong("the tokens are stored as int32: the result must be int64")
def int32(documents, context_length, separator):
    return cut(joined(documents, separator), context_length).to(torch.int32)


@wrong("the tokens are stored as floating-point numbers: the result must be int64")
def floating(documents, context_length, separator):
    return cut(joined(documents, separator), context_length).float()


@wrong("empty documents are skipped together with their separators, which must stay")
def skips_empty(documents, context_length, separator):
    return cut(joined([document for document in documents if document], separator), context_length)


@wrong("where no row is full the context length is lost from the shape: return (0, context_length)")
def empty_without_width(documents, context_length, separator):
    stream = joined(documents, separator)
    starts = range(0, len(stream) - context_length + 1, context_length)
    return torch.tensor([stream[i : i + context_length] for i in starts], dtype=torch.int64)


@wrong("a stream shorter than one row is returned as a short row: it is a remainder, so drop it")
def keeps_a_short_row(documents, context_length, separator):
    stream = joined(documents, separator)
    return torch.tensor([stream], dtype=torch.int64) if len(stream) < context_length else cut(stream, context_length)


@wrong("the separators are appended to the caller's own documents, which grow at every call")
def grows_the_documents(documents, context_length, separator):
    for document in documents:
        document.append(separator)
    return cut(list(chain.from_iterable(documents)), context_length)


@wrong("the separators end up in the first of the caller's documents: join into a new list")
def joins_into_the_first(documents, context_length, separator):
    stream = documents[0]
    stream.append(separator)
    for document in documents[1:]:
        stream += [*document, separator]
    return cut(stream, context_length)


@wrong("there is a separator before the first document: one follows each document, and there are no others")
def separator_opens(documents, context_length, separator):
    return cut([separator, *joined(documents, separator)], context_length)


@wrong("the remainder is dropped at the front: drop what is left over at the end")
def drops_the_front(documents, context_length, separator):
    stream = joined(documents, separator)
    return cut(stream[len(stream) % context_length :], context_length)


@wrong("the last row is filled up with zeros: the remainder is dropped, not padded")
def padded_with_zeros(documents, context_length, separator):
    stream = joined(documents, separator)
    return cut(stream + [0] * (-len(stream) % context_length), context_length)


@wrong("the remainder is still there when the rows are formed: first drop what doesn't fill a row")
def forgets_the_remainder(documents, context_length, separator):
    return torch.tensor(joined(documents, separator)).reshape(-1, context_length)


@wrong("a row starts at every token, so the rows overlap: the next row starts where the last one ended")
def every_start(documents, context_length, separator):
    stream = joined(documents, separator)
    rows = [stream[i : i + context_length] for i in range(len(stream) - context_length + 1)]
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, context_length)


@right
def by_tensors(documents, context_length, separator):
    parts = [torch.tensor([*document, separator]) for document in documents]
    stream = torch.cat(parts).long()
    return stream[: stream.numel() // context_length * context_length].view(-1, context_length)


@right
def by_unfold(documents, context_length, separator):
    stream = torch.tensor(joined(documents, separator))
    if stream.numel() < context_length:
        return torch.zeros(0, context_length, dtype=torch.long)
    return stream.unfold(0, context_length, context_length)
