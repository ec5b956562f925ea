"""Wrong answers to exercise 3.24 that learners write, and right ones written differently."""

import torch  # noqa: F401  (the answers below are text)

from utils.grade import slips

slip = slips("""
def selector_to_head(pred, key_values, query_values, c=80.0, bos=0.5, d_head=0):
    K, Q = len(key_values), len(query_values)
    root = (d_head or K + 1) ** 0.5
    W_Q = torch.zeros(Q + 1, K + 1)
    for a in range(Q):
        for k in range(K):
            W_Q[a, k] = c * root * float(pred(key_values[k], query_values[a]))
    W_Q[Q, K] = c * root * bos
    return W_Q, torch.eye(K + 1)
""")

NoRoot = slip(
    "attention divides the scores by the root of d_head: multiply W_Q by it",
    "root = (d_head or K + 1) ** 0.5",
    "root = 1.0",
)
NoBos = slip(
    "BOS gets no score: a query that chooses nothing then looks everywhere", "W_Q[Q, K] = c * root * bos", "pass"
)
BosLikeTheRest = slip(
    "BOS gets the full score, so that it is always among the chosen: c * bos, half by default",
    "c * root * bos",
    "c * root",
)
Exchanged = slip(
    "key and query are exchanged: pred takes the key first",
    "pred(key_values[k], query_values[a])",
    "pred(query_values[a], key_values[k])",
)
ByPlace = slip(
    "places in the lists are compared, not the values at these places",
    "pred(key_values[k], query_values[a])",
    "pred(k, a)",
)
BosForOne = slip(
    "only the last query reaches BOS: the constant 1, the last row, must", "W_Q[Q, K] =", "W_Q[Q - 1, K] ="
)
Flat = slip(
    "the sharpness c is not used", "c * root * float", "80.0 * root * float", "c * root * bos", "80.0 * root * bos"
)
OwnWidth = slip(
    "d_head is not used: where the head is wider, its root is what attention divides by", "(d_head or K + 1)", "(K + 1)"
)
NegativeElsewhere = slip(
    "keys that are not chosen get a negative score: they must get 0, so that BOS lies between",
    "float(pred(key_values[k], query_values[a]))",
    "(2 * float(pred(key_values[k], query_values[a])) - 1)",
)
AsArrays = slip(
    "numpy arrays are returned: torch tensors are wanted",
    "return W_Q, torch.eye(K + 1)",
    "return W_Q.numpy(), torch.eye(K + 1).numpy()",
)
Doubles = slip(
    "the matrices are float64, which no float32 vector can be multiplied with: leave them float32",
    "return W_Q, torch.eye(K + 1)",
    "return W_Q.double(), torch.eye(K + 1).double()",
)
FixedForBos = slip(
    "the score of BOS uses a fixed sharpness: it is c * bos, whatever c is", "c * root * bos", "80.0 * root * bos"
)
HalfAlways = slip("the argument bos is not used: the score of BOS is c * bos", "c * root * bos", "c * root * 0.5")
NoRootForBos = slip(
    "the score of BOS is not multiplied by the root of d_head: attention divides it, too", "c * root * bos", "c * bos"
)
BosTwice = slip(
    "every query reaches BOS twice, by its one-hot part and by the constant 1: only the last row may",
    "W_Q[Q, K] =",
    "W_Q[:, K] =",
)
TwoRoots = slip(
    "the scores are multiplied by d_head itself: attention divides by its root, so one of the two gets the root",
    "return W_Q, torch.eye(K + 1)",
    "return W_Q, root * torch.eye(K + 1)",
)
WidthNotRoot = slip(
    "the scores are multiplied by d_head itself: attention divides by its root, so one of the two gets the root",
    "(d_head or K + 1) ** 0.5",
    "float(d_head or K + 1)",
)
RootOfK = slip(
    "the root of K is taken: the head is K + 1 wide, one coordinate for BOS", "(d_head or K + 1)", "(d_head or K)"
)
Padded = slip(
    "the matrices are as wide as d_head: they keep K + 1 columns, and only the scores change",
    "return W_Q, torch.eye(K + 1)",
    "d = max(d_head, K + 1)\n    return torch.nn.functional.pad(W_Q, (0, d - K - 1)), torch.eye(K + 1, d)",
)
NoRowForBos = slip(
    "the row of the constant and the column of BOS are missing: W_Q is (Q + 1, K + 1)",
    "return W_Q, torch.eye(K + 1)",
    "return W_Q[:Q, :K], torch.eye(K)",
)
QueriesAsColumns = slip(
    "rows and columns of W_Q are exchanged: row a belongs to query a, column k to key k",
    "W_Q[a, k] = c",
    "W_Q[k, a] = c",
    "torch.zeros(Q + 1, K + 1)",
    "torch.zeros(max(Q, K) + 1, max(Q, K) + 1)",
    "W_Q[Q, K] = c * root * bos",
    "W_Q = W_Q[: Q + 1, : K + 1]\n    W_Q[Q, K] = c * root * bos",
)
BosIsHalf = slip(
    "the score of BOS is c / 2 by itself: it is c * bos, and attention divides it by the root of d_head",
    "c * root * bos",
    "c / 2",
)
DividedByRoot = slip(
    "the scores are divided by the root of d_head, which attention does already: multiply by it",
    "c * root * float",
    "c / root * float",
    "c * root * bos",
    "c / root * bos",
)
WholeLastRow = slip(
    "the constant gives every key a score: its row of W_Q reaches BOS alone",
    "W_Q[Q, K] =",
    "W_Q[Q, :] =",
)
OnlyQueries = slip(
    "BOS is reached from the one-hot part of a query, which BOS itself lacks: the constant 1 must reach it",
    "W_Q[Q, K] =",
    "W_Q[:Q, K] =",
)
OnesForKeys = slip(
    "W_K is full of ones, so that all keys get the same score: let it be the identity",
    "torch.eye(K + 1)",
    "torch.ones(K + 1, K + 1)",
)
NothingForNever = slip(
    "keys that are not chosen get a negative score: they must get 0, so that BOS lies between",
    "c * root * float(pred(key_values[k], query_values[a]))",
    "c * root if pred(key_values[k], query_values[a]) else -c * root * 2",
)
NoSharpness = slip(
    "the scores are 1 and bos: they are c times that, times the root of d_head",
    "c * root * float",
    "float",
    "c * root * bos",
    "bos",
)
OnlyQueryMatrix = slip("only W_Q is returned: W_K belongs to it", "return W_Q, torch.eye(K + 1)", "return W_Q")
BosAtTheFront = slip(
    "BOS has the first coordinate: its flag is the last one, and so is the constant",
    "return W_Q, torch.eye(K + 1)",
    "return W_Q.roll((1, 1), (0, 1)), torch.eye(K + 1)",
)
InKeys = slips("""
def selector_to_head(pred, key_values, query_values, c=80.0, bos=0.5, d_head=0):
    K, Q = len(key_values), len(query_values)
    scale = (c * max(d_head, 0 if d_head else K + 1) ** 0.5) ** 0.5
    W_Q = torch.zeros(Q + 1, K + 1)
    W_Q[:Q, :K] = torch.tensor([[float(bool(pred(k, q))) for k in key_values] for q in query_values])
    W_Q[-1, -1] = bos
    return scale * W_Q, scale * torch.eye(K + 1)
""")
OtherBasis = slips("""
def selector_to_head(pred, key_values, query_values, c=80.0, bos=0.5, d_head=0):
    size = len(key_values) + 1
    rows = [[c * bool(pred(k, q)) for k in key_values] + [0.0] for q in query_values]
    table = torch.tensor(rows + [[0.0] * (size - 1) + [c * bos]])
    order = torch.arange(size).flip(0)
    return table[:, order] * (d_head if d_head else size) ** 0.5, torch.eye(size)[:, order]
""")
ByLookingUp = slips("""
def selector_to_head(pred, key_values, query_values, c=80.0, bos=0.5, d_head=0):
    keys, queries = list(key_values), list(query_values)
    root = (d_head or len(keys) + 1) ** 0.5
    W_Q = torch.zeros(len(queries) + 1, len(keys) + 1)
    for query in queries:
        for key in filter(lambda key: pred(key, query), keys):
            W_Q[queries.index(query), keys.index(key)] = c * root
    W_Q[-1, -1] = root * c * bos
    return W_Q, torch.eye(len(keys) + 1)
""")
FewQueries = slip(
    "no more queries than keys get a row: each of query_values does",
    "for a in range(Q):",
    "for a in range(min(Q, K)):",
)
