"""Wrong answers to exercise 2.8 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


def apart(E):
    """Diagonal and off-diagonal inner products of the rows."""
    gram = E @ E.T
    return gram.diagonal(), gram[~torch.eye(len(E), dtype=torch.bool)]


def plain(*values):
    """Tensors as plain numbers."""
    return tuple(value.item() if torch.is_tensor(value) else value for value in values)


@wrong("the diagonal is part of off_std and off_max: leave the rows' products with themselves out")
def with_diagonal(E):
    gram = E @ E.T
    return plain(gram.diagonal().mean(), gram.std(), gram.abs().max())


@wrong("off_std includes the diagonal: leave the rows' products with themselves out")
def diagonal_in_std(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), (E @ E.T).std(), off.abs().max())


@wrong("off_max includes the diagonal: leave the rows' products with themselves out")
def diagonal_in_max(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.std(), (E @ E.T).abs().max())


@wrong("the diagonal is set to zero, and these zeros still count in off_std: leave them out")
def zeros_in_std(E):
    gram = E @ E.T
    off = gram - torch.diag(gram.diagonal())
    return plain(gram.diagonal().mean(), off.std(), off.abs().max())


@wrong("only one half of the products is kept, and the zeros of the other half count in off_std")
def triangle_with_zeros(E):
    gram = E @ E.T
    off = gram.triu(1)
    return plain(gram.diagonal().mean(), off.std(), off.abs().max())


@wrong("one is taken off everywhere on the diagonal, as if all rows had length 1: leave the diagonal out instead")
def minus_identity(E):
    gram = E @ E.T
    off = gram - torch.eye(len(E))
    return plain(gram.diagonal().mean(), off.std(), off.abs().max())


@wrong("the absolute value is taken before the standard deviation: the products keep their sign there")
def absolute_std(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.abs().std(), off.abs().max())


@wrong("off_max is the largest product with its sign: a large negative one counts as well")
def signed_max(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.std(), off.max())


@wrong("off_max keeps the sign of the largest product: return its absolute value")
def max_with_sign(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.std(), off[off.abs().argmax()])


@wrong("off_max is the smallest product")
def smallest(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.std(), off.min())


@wrong("the inner products are those of the columns (d times d): the embeddings are the rows")
def columns(E):
    diagonal, off = apart(E.T)
    return plain(diagonal.mean(), off.std(), off.abs().max())


@wrong("the variance is returned: the standard deviation is its square root")
def variance(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.var(), off.abs().max())


@wrong("off_std is the root of the mean square: the mean of the products is subtracted first")
def root_mean_square(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.square().mean().sqrt(), off.abs().max())


@wrong("off_std is the mean absolute deviation: square the deviations, and take the root of their mean")
def mean_deviation(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), (off - off.mean()).abs().mean(), off.abs().max())


@wrong("off_std is the mean of the products: their standard deviation is asked for")
def mean_of_products(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.mean(), off.abs().max())


@wrong("off_std is taken in each row and then averaged: take it over all products at once")
def std_of_each_row(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.view(len(E), -1).std(1).mean(), off.abs().max())


@wrong("off_max is taken in each row and then averaged: take it over all products at once")
def max_of_each_row(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.std(), off.abs().view(len(E), -1).max(1).values.mean())


@wrong("the rows are scaled to length 1 first: the inner products of the rows as they are were asked for")
def cosines(E):
    diagonal, off = apart(E / E.norm(dim=1, keepdim=True))
    return plain(diagonal.mean(), off.std(), off.abs().max())


@wrong("the mean is subtracted from the embeddings first: take the inner products of the rows as they are")
def centred(E):
    diagonal, off = apart(E - E.mean(0))
    return plain(diagonal.mean(), off.std(), off.abs().max())


@wrong("diag_mean is the mean length of the rows: the diagonal holds their squared lengths")
def lengths(E):
    diagonal, off = apart(E)
    return plain(diagonal.sqrt().mean(), off.std(), off.abs().max())


@wrong("diag_mean is the mean of all inner products: only those of rows with themselves belong to it")
def mean_of_all(E):
    _, off = apart(E)
    return plain((E @ E.T).mean(), off.std(), off.abs().max())


@wrong("diag_mean is a sum: divide it by the number of rows")
def trace(E):
    diagonal, off = apart(E)
    return plain(diagonal.sum(), off.std(), off.abs().max())


@wrong("diag_mean is the mean squared entry: add up a row's squares before you take the mean over rows")
def mean_square(E):
    _, off = apart(E)
    return plain(E.square().mean(), off.std(), off.abs().max())


@wrong("only neighbouring rows are compared: every pair of different rows counts")
def neighbours(E):
    diagonal, _ = apart(E)
    off = (E[1:] * E[:-1]).sum(1)
    return plain(diagonal.mean(), off.std(), off.abs().max())


@wrong("only the first row is compared with the others: every pair of different rows counts")
def first_row(E):
    diagonal, _ = apart(E)
    off = E[1:] @ E[0]
    return plain(diagonal.mean(), off.std(), off.abs().max())


@wrong("the inner products are divided by the dimension: take them as they are")
def divided_by_d(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean() / E.shape[1], off.std() / E.shape[1], off.abs().max() / E.shape[1])


@wrong("the distances between rows are measured: inner products were asked for")
def distances(E):
    diagonal, _ = apart(E)
    off = torch.cdist(E, E)[~torch.eye(len(E), dtype=torch.bool)]
    return plain(diagonal.mean(), off.std(), off.abs().max())


@wrong("the numbers come in another order: diag_mean, off_std, off_max")
def other_order(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.abs().max(), off.std())


@wrong("the whole diagonal is returned: its mean is one number")
def whole_diagonal(E):
    diagonal, off = apart(E)
    return plain(diagonal, off.std(), off.abs().max())


@wrong("the three numbers are printed, not returned")
def printed(E):
    diagonal, off = apart(E)
    print(diagonal.mean(), off.std(), off.abs().max())


@wrong("the caller's embeddings are changed: work on a copy")
def in_place(E):
    diagonal, off = apart(E)
    result = diagonal.mean().item(), off.std().item(), off.abs().max().item()
    E /= E.norm(dim=1, keepdim=True)
    return result


@wrong("off_max is the average size of the products: return the largest")
def mean_size(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.std(), off.abs().mean())


@wrong("the median of the squared lengths is taken: diag_mean is their mean")
def median(E):
    diagonal, off = apart(E)
    return plain(diagonal.median(), off.std(), off.abs().max())


@wrong("off_std is the spread of the entries of E: it is that of the inner products")
def std_of_entries(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), E.std(), off.abs().max())


@wrong("off_max is the range, largest minus smallest: it is the largest absolute value")
def span(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.std(), off.max() - off.min())


@wrong("off_max is squared: the largest absolute value itself is asked for")
def largest_square(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), off.std(), off.square().max())


@wrong("diag_mean is set to 1, as if the rows had length 1: measure it")
def assumed_one(E):
    diagonal, off = apart(E)
    return plain(1.0, off.std(), off.abs().max())


@wrong("off_std is set to 1 over the root of d, what theory expects: measure it")
def theory(E):
    diagonal, off = apart(E)
    return plain(diagonal.mean(), E.shape[1] ** -0.5, off.abs().max())


@wrong("covariances are computed, which subtracts means and divides: take the plain inner products")
def covariances(E):
    gram = torch.cov(E)
    off = gram[~torch.eye(len(E), dtype=torch.bool)]
    return plain(gram.diagonal().mean(), off.std(), off.abs().max())


@wrong("diag_mean is 0: diagonal() is a view of the matrix, and the diagonal was set to zero before its mean was taken")
def emptied_view(E):
    gram = E @ E.T
    diagonal = gram.diagonal()
    gram.fill_diagonal_(0)
    off = gram[~torch.eye(len(E), dtype=torch.bool)]
    return plain(diagonal.mean(), off.std(), off.abs().max())


PLAIN = "the three are promised as plain Python numbers: .item() makes one of a tensor"


@wrong(PLAIN)
def tensors(E):
    gram = E @ E.T
    off = gram[~torch.eye(len(E), dtype=torch.bool)]
    return gram.diagonal().mean(), off.std(), off.abs().max()


@wrong(PLAIN)
def one_tensor(E):
    return torch.stack(tensors(E))


@wrong("the mean absolute value is taken in the place of the standard deviation")
def mean_absolute(E):
    diagonal, _, largest = (value.item() for value in tensors(E))
    off = (E @ E.T)[~torch.eye(len(E), dtype=torch.bool)]
    return diagonal, off.abs().mean().item(), largest


@right
def by_loop(E):
    n = E.shape[0]
    off = [float(E[i] @ E[j]) for i in range(n) for j in range(n) if i != j]
    mean = sum(off) / len(off)
    std = (sum((x - mean) ** 2 for x in off) / len(off)) ** 0.5
    return [float((E**2).sum() / n), std, max(abs(x) for x in off)]


@right
def by_triangle(E):
    gram = torch.einsum("id,jd->ij", E, E)
    i, j = torch.triu_indices(len(E), len(E), 1)
    spread, largest = gram[i, j].std(correction=0), torch.linalg.vector_norm(gram[i, j], torch.inf)
    return float(gram.trace() / len(E)), float(spread), float(largest)


@right
def by_nan(E):
    gram = (E.double() @ E.double().T).fill_diagonal_(torch.nan)
    off = gram[~gram.isnan()]
    return torch.stack([E.double().norm(dim=1).square().mean(), off.std(), off.abs().amax()]).tolist()


@right
def by_sums(E):
    n, gram = len(E), (E @ E.T).double()
    diagonal = gram.diag()
    count = n * (n - 1)
    mean = (gram.sum() - diagonal.sum()) / count
    square = ((gram**2).sum() - (diagonal**2).sum()) / count
    largest = (gram - torch.diag(diagonal)).abs().max()
    return diagonal.mean().item(), (square - mean**2).sqrt().item(), largest.item()
