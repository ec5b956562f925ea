"""Wrong answers to exercise 3.26 that learners write, and right ones written differently."""

import itertools  # noqa: F401  (the answers below are text)

import torch  # noqa: F401

from utils.grade import slips

slip = slips("""
def lookup_mlp(f, *domains):
    sizes = [len(domain) for domain in domains]
    units, results = [], []
    for places in itertools.product(*(range(size) for size in sizes)):
        try:
            result = f(*(domain[i] for domain, i in zip(domains, places)))
        except Exception:
            continue
        unit = torch.zeros(sum(sizes) + 1)
        for number, i in enumerate(places):
            unit[sum(sizes[:number]) + i] = 1
        unit[-1] = 1 - len(domains)
        units.append(unit)
        results.append((type(result), result))
    kinds = list(dict.fromkeys(results))
    W_out = torch.zeros(len(units), len(kinds))
    for number, result in enumerate(results):
        W_out[number, kinds.index(result)] = 1
    return torch.stack(units, dim=1), W_out, [value for _, value in kinds]
""")

NoBias = slip(
    "a unit fires for every argument that fits, not for the whole tuple: take m - 1 off through the constant",
    "unit[-1] = 1 - len(domains)",
    "pass",
)
FullBias = slip(
    "m is taken off, so that no unit ever fires: with all m arguments right, 1 must be left",
    "1 - len(domains)",
    "-len(domains)",
)
OnePerResult = slip(
    "every result gets a place of its own: equal results share one",
    "list(dict.fromkeys(results))",
    "results and [(kind, value) for kind, value in results]",
)
ByValue = slip(
    "1, True and 1.0 are taken for one result: compare the types, too",
    "results.append((type(result), result))",
    "results.append((0, result))",
)
LetsFail = slip(
    "a tuple on which f raises stops everything: leave it out",
    "except Exception:\n            continue",
    "except KeyError:\n            continue",
)
WrongStart = slip(
    "the second argument's places start where the first one's do: they come behind them",
    "sum(sizes[:number]) + i",
    "i",
)
Sorted = slip(
    "the results are sorted: keep the order in which they appear",
    "list(dict.fromkeys(results))",
    "sorted(dict.fromkeys(results), key=repr)",
)
Backwards = slip(
    "the arguments reach f in the wrong order",
    "f(*(domain[i] for domain, i in zip(domains, places)))",
    "f(*[domain[i] for domain, i in zip(domains, places)][::-1])",
)
AsText = slip(
    "results are told apart by their text: 1 and '1' are different results",
    "results.append((type(result), result))",
    "results.append((str(result), result))",
    "kinds = list(dict.fromkeys(results))",
    "kinds = list({text: (text, value) for text, value in reversed(results)}.values())[::-1]\n"
    "    kinds.sort(key=lambda kind: [text for text, _ in results].index(kind[0]))\n"
    "    results = [next(kind for kind in kinds if kind[0] == text) for text, _ in results]",
)
OneError = slip(
    "only a division by zero leaves a tuple out: f may raise any error",
    "except Exception:\n            continue",
    "except ZeroDivisionError:\n            continue",
)
EqualSizes = slip(
    "each argument is taken to have as many values as the first: add up the sizes of the domains before it",
    "sum(sizes[:number]) + i",
    "(sizes[0] * number + i) % sum(sizes)",
)
MinusOne = slip("always 1 is taken off: with m arguments it is m - 1", "unit[-1] = 1 - len(domains)", "unit[-1] = -1")
NoneForErrors = slip(
    "where f raises, None becomes a result: leave that tuple out",
    "except Exception:\n            continue",
    "except Exception:\n            result = None",
)
OneTuple = slip(
    "f gets one tuple: hand the values over as separate arguments",
    "f(*(domain[i] for domain, i in zip(domains, places)))",
    "f(tuple(domain[i] for domain, i in zip(domains, places)))",
)
PlacesForValues = slip(
    "f gets the places in the domains: it must get the values at these places",
    "f(*(domain[i] for domain, i in zip(domains, places)))",
    "f(*places)",
)
ConstantFirst = slip(
    "the weights of the constant 1 come first: it is the last of the inputs",
    "unit[sum(sizes[:number]) + i] = 1",
    "unit[1 + sum(sizes[:number]) + i] = 1",
    "unit[-1] = 1 - len(domains)",
    "unit[0] = 1 - len(domains)",
)
UnitsAsRows = slip(
    "W_in has a row for each unit: it has a row for each input, and a column for each unit",
    "torch.stack(units, dim=1)",
    "torch.stack(units)",
)
NoConstant = slip(
    "the row of the constant 1 is missing from W_in: it is what takes m - 1 off",
    "torch.stack(units, dim=1), W_out",
    "torch.stack(units, dim=1)[:-1], W_out",
)
DeadUnits = slip(
    "a tuple on which f raises keeps a unit, which shifts the results of those behind it: leave it out",
    "            continue\n        unit = torch",
    "            units.append(torch.zeros(sum(sizes) + 1))\n            continue\n        unit = torch",
    "W_out = torch.zeros(len(units), len(kinds))",
    "W_out = torch.zeros(len(units), len(kinds))  # as many rows as units",
)
WrongSign = slip(
    "m - 1 is added: take it off, so that only the tuple that fits as a whole leaves 1",
    "1 - len(domains)",
    "len(domains) - 1",
)
PairsOnly = slip(
    "arguments are paired one by one: there is a unit for every tuple, so take itertools.product",
    "itertools.product(*(range(size) for size in sizes))",
    "zip(*(range(size) for size in sizes))",
)
OnlyMatrices = slip(
    "only the matrices are returned: out_values belongs to them, as the third of three",
    "W_out, [value for _, value in kinds]",
    "W_out",
)
NoTry = slip(
    "a tuple on which f raises stops everything: leave it out",
    "        try:\n            result = f(*(domain[i] for domain, i in zip(domains, places)))\n"
    "        except Exception:\n            continue\n",
    "        result = f(*(domain[i] for domain, i in zip(domains, places)))\n",
)
ByCat = slips("""
def lookup_mlp(f, *domains):
    columns, found = [], {}
    for combination in itertools.product(*(list(enumerate(domain)) for domain in domains)):
        try:
            value = f(*[v for _, v in combination])
        except Exception:
            continue
        pieces = [torch.eye(len(domain))[i] for (i, _), domain in zip(combination, domains)]
        place = found.setdefault(repr(value), (len(found), value))[0]
        columns.append((torch.cat([*pieces, torch.tensor([1.0 - len(domains)])]), place))
    W_in = torch.stack([column for column, _ in columns], 1)
    W_out = torch.stack([torch.eye(len(found))[place] for _, place in columns])
    return W_in, W_out, [value for _, value in found.values()]
""")
TwiceAsSteep = slips("""
def lookup_mlp(f, *domains):
    total, units, out, targets = sum(map(len, domains)), [], [], []
    for places in itertools.product(*[range(len(domain)) for domain in domains]):
        try:
            value = f(*[domain[i] for domain, i in zip(domains, places)])
        except Exception:
            continue
        unit, start = torch.zeros(total + 1), 0
        for domain, i in zip(domains, places):
            unit[start + i] = 2.0
            start += len(domain)
        unit[total] = 2.0 * (1 - len(domains))
        units.append(unit)
        matches = [n for n, other in enumerate(out) if type(other) is type(value) and other == value]
        if not matches:
            out.append(value)
        targets.append(matches[0] if matches else len(out) - 1)
    W_out = torch.zeros(len(units), len(out))
    W_out[range(len(units)), targets] = 0.5
    return torch.stack(units).T, W_out, out
""")
