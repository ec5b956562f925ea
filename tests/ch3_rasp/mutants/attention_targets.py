"""Wrong answers to exercise 3.20 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips

slip = slips(
    None,
    """
    def attention_targets(task, tokens, mask, bos=False):
        T = tokens.shape[1]
        place = torch.arange(T)
        real = mask & (place >= int(bos))
        pair = real[:, :, None] & real[:, None, :]
        query, key = tokens[:, :, None], tokens[:, None, :]
        same = pair & (query == key)
        earlier = place[None, :] < place[:, None]
        slot = (place - int(bos))[:, None]
        if task == "sort":
            before = pair & (key < query) | same & earlier
            mine = pair & (before.sum(2)[:, None, :] == slot)
            heads = {(0, 0): before, (1, 0): mine}
        else:
            repeats = same & earlier
            first = ~repeats.any(2)
            count = same.sum(2)
            heads = {(0, 0): same, (0, 1): repeats}
            if task == "hist2":
                heads[(1, 0)] = pair & first[:, None, :] & (count[:, None, :] == count[:, :, None])
            else:
                score = count + first * 1000
                higher = score[:, None, :] > score[:, :, None]
                tie = (score[:, None, :] == score[:, :, None]) & earlier
                rank = pair & (higher | tie)
                heads[(1, 0)] = rank
                heads[(2, 0)] = pair & (rank.sum(2)[:, None, :] == slot)
        if bos:
            for name in heads:
                heads[name][:, 0, 0] = True
                if task != "sort" or name == (0, 0):
                    heads[name][:, :, 0] = mask
        return heads
    """,
)

Mirrored = slip(
    "rows and columns are swapped: rows are queries, columns are keys",
    "return heads",
    "return {name: matrix.transpose(1, 2) for name, matrix in heads.items()}",
)
Numbers = slip(
    "the matrices hold numbers: they must hold True and False",
    "return heads",
    "return {name: matrix.float() for name, matrix in heads.items()}",
)
NamesAsText = slip(
    "the keys of the dict are text: they must be pairs (layer, head)",
    "return heads",
    "return {f'L{layer}H{head}': matrix for (layer, head), matrix in heads.items()}",
)
AsList = slip(
    "the matrices come as a list: return a dict by (layer, head)", "return heads", "return list(heads.values())"
)
Larger = slip(
    "head (0, 0) of sort selects the larger keys: the smaller ones come before me", "(key < query)", "(key > query)"
)
TiesForgotten = slip(
    "equal tokens never come before each other, so that they share a slot: the one further left comes first",
    "(key < query) | same & earlier",
    "(key < query)",
)
TiesEverywhere = slip(
    "all equal tokens come before each other, and each before itself: only those further left do",
    "(key < query) | same & earlier",
    "(key < query) | same",
)
TiesRight = slip(
    "of equal tokens the one further right comes first: it is the one further left",
    "(key < query) | same & earlier",
    "(key < query) | same & earlier.T",
)
SlotAfter = slip(
    "head (1, 0) of sort counts the keys that come after: it is the number that come before",
    "before.sum(2)",
    "before.sum(1)",
)
SlotOfQuery = slip(
    "head (1, 0) of sort looks for the query's slot: query i selects the key whose slot is i",
    "before.sum(2)[:, None, :] == slot)",
    "before.sum(2)[:, :, None] == slot.T)",
)
SlotFromOne = slip(
    "head (1, 0) of sort counts slots from 1: query 0 selects the key that nothing comes before",
    "mine = pair & (before.sum(2)[:, None, :] == slot)",
    "mine = pair & (before.sum(2)[:, None, :] + 1 == slot)",
)
EarlierAndMyself = slip(
    "'earlier' includes the position itself: it must be strictly to the left",
    "place[None, :] < place[:, None]",
    "place[None, :] <= place[:, None]",
)
Later = slip(
    "'earlier' selects later keys: the key's position must be smaller than the query's",
    "place[None, :] < place[:, None]",
    "place[None, :] > place[:, None]",
)
OthersOnly = slip(
    "head (0, 0) leaves the position itself out: it holds its own token too",
    "heads = {(0, 0): same,",
    "heads = {(0, 0): same & ~torch.eye(T, dtype=torch.bool),",
)
Swapped = slip(
    "heads (0, 0) and (0, 1) are swapped", "{(0, 0): same, (0, 1): repeats}", "{(0, 1): same, (0, 0): repeats}"
)
AllOccurrences = slip(
    "head (1, 0) of hist2 selects every occurrence: only the first of each token",
    "heads[(1, 0)] = pair & first[:, None, :] & (",
    "heads[(1, 0)] = pair & (",
)
FirstOfQuery = slip(
    "head (1, 0) of hist2 asks whether the query is a first occurrence: it is the key that must be",
    "pair & first[:, None, :]",
    "pair & first[:, :, None]",
)
LastOccurrences = slip(
    "the last occurrence of each token is taken: it must be the first",
    "first = ~repeats.any(2)",
    "first = ~repeats.any(1)",
)
AnyCount = slip(
    "head (1, 0) of hist2 selects tokens of any frequency: they must occur as often as the query's",
    "first[:, None, :] & (count[:, None, :] == count[:, :, None])",
    "first[:, None, :]",
)
RepeatsRank = slip(
    "in sort_by_freq repeats rank among the first occurrences: all of them come after", "count + first * 1000", "count"
)
RareFirst = slip(
    "in sort_by_freq rarer tokens rank first: the more frequent ones do", "count + first * 1000", "first * 1000 - count"
)
RankTiesRight = slip(
    "in sort_by_freq equal scores are ranked from the right: the earlier position comes first",
    "score[:, :, None]) & earlier",
    "score[:, :, None]) & earlier.T",
)
RankTiesForgotten = slip(
    "in sort_by_freq equal scores are not ranked: the earlier position comes first", "(higher | tie)", "higher"
)
RankTurned = slip(
    "head (2, 0) of sort_by_freq counts the keys that rank after: it is the number that rank before",
    "rank.sum(2)",
    "rank.sum(1)",
)
PaddingIsReal = slip(
    "padded positions are treated as tokens: neither query nor key may be padding",
    "real = mask & (place",
    "real = torch.ones_like(mask) & (place",
)
KeysOnly = slip(
    "padded queries select keys: their rows must be False",
    "real[:, :, None] & real[:, None, :]",
    "(place >= int(bos))[:, None] & real[:, None, :]",
)
QueriesOnly = slip(
    "padded keys are selected: their columns must be False",
    "real[:, :, None] & real[:, None, :]",
    "real[:, :, None] & (place >= int(bos))[None, :]",
)
BosIgnored = slip(
    "§ is treated as a token like others, and bos changes nothing",
    "(place >= int(bos))",
    "(place >= 0)",
    "if bos:",
    "if False:",
)
BosIsAToken = slip(
    "§ takes part in the comparisons, so that counts and places are off: leave it out of them",
    "(place >= int(bos))",
    "(place >= 0)",
)
BosCounted = slip(
    "§ takes part in the comparisons, so that counts and places are off: leave it out of them",
    "(place >= int(bos))",
    "(place >= 0)",
    "heads[name][:, 0, 0] = True",
    "heads[name][:, 0] = heads[name][:, :, 0] = False\n            heads[name][:, 0, 0] = True",
)
PlacesFromZero = slip(
    "with § places count from position 0: the string starts at position 1",
    "(place - int(bos))[:, None]",
    "place[:, None]",
)
NobodyLooks = slip(
    "with § no other query selects it: column 0 must be True in every head but (1, 0) of sort",
    "task != 'sort' or name == (0, 0)".replace("'", '"'),
    "False",
)
AllLook = slip(
    "head (1, 0) of sort selects § from every query: it is the one head that doesn't",
    "task != 'sort' or name == (0, 0)".replace("'", '"'),
    "True",
)
PaddingLooks = slip(
    "padded queries select §: their rows must stay False", "heads[name][:, :, 0] = mask", "heads[name][:, :, 0] = True"
)
BosSelectsNothing = slip(
    "§ selects nothing in head (1, 0) of sort: it selects itself in every head",
    "heads[name][:, 0, 0] = True",
    "pass",
)
BosSelectsItselfNowhere = slip(
    "§ selects nothing: it selects itself in every head",
    "heads[name][:, 0, 0] = True",
    "pass",
    "heads[name][:, :, 0] = mask",
    "heads[name][:, 1:, 0] = mask[:, 1:]",
)
BosSelectsAll = slip(
    "§ selects every key: it selects only itself", "heads[name][:, 0, 0] = True", "heads[name][:, 0, :] = mask"
)


@right
def pair_by_pair(task, tokens, mask, bos=False):
    B, T = tokens.shape
    depth = {"sort": [(0, 0), (1, 0)], "hist2": [(0, 0), (0, 1), (1, 0)]}
    names = depth.get(task, [(0, 0), (0, 1), (1, 0), (2, 0)])
    out = {name: torch.zeros(B, T, T).bool() for name in names}
    for b in range(B):
        start, stop = int(bos), int(mask[b].sum())
        word = tokens[b, start:stop].tolist()

        def rank(i, word=word):
            if task == "sort":
                return word[i], i
            return word[i] in word[:i], -word.count(word[i]), i

        order = sorted(range(len(word)), key=rank)
        for q in range(len(word)):
            for k in range(len(word)):
                here = b, q + start, k + start
                if task != "sort":
                    out[0, 0][here] = word[q] == word[k]
                    out[0, 1][here] = word[q] == word[k] and k < q
                if task == "hist2":
                    out[1, 0][here] = word.index(word[k]) == k and word.count(word[k]) == word.count(word[q])
                else:
                    out[names[-2]][here] = rank(k) < rank(q)
                    out[names[-1]][here] = order[q] == k
        if bos:
            for name in names:
                out[name][b, 0, 0] = 1
                if not (task == "sort" and name == (1, 0)):
                    out[name][b, :stop, 0] = True
    return out


@right
def by_keys(task, tokens, mask, bos=False):
    T, at = tokens.shape[1], 1 if bos else 0
    word, there = tokens[:, at:], mask[:, at:]
    both = torch.einsum("bq,bk->bqk", there.float(), there.float()) > 0
    left = torch.ones(T - at, T - at).tril(-1).bool()
    same = word.unsqueeze(1).eq(word.unsqueeze(2)).logical_and(both)
    if task == "sort":
        value = word * T + torch.arange(T - at)
        before = both & (value[:, None] < value[..., None])
        found = {(0, 0): before, (1, 0): None}
    else:
        found = {(0, 0): same, (0, 1): same & left}
        new = ~found[0, 1].any(-1)
        often = same.sum(-1)
        if task == "hist2":
            found[1, 0] = both & new[:, None] & often[:, None].eq(often[..., None])
        else:
            value = (new * 500 + often) * T - torch.arange(T - at)
            before = both & (value[:, None] > value[..., None])
            found[1, 0], found[2, 0] = before, None
    for name, matrix in found.items():
        if matrix is None:
            found[name] = both & before.sum(-1)[:, None].eq(torch.arange(T - at)[:, None])
    if at:
        for name, matrix in found.items():
            column = mask if (task, name) != ("sort", (1, 0)) else torch.arange(T).eq(0).expand_as(mask)
            row = torch.zeros(len(tokens), 1, T - 1, dtype=torch.bool)
            found[name] = torch.cat([column[..., None], torch.cat([row, matrix], 1)], 2)
    return found
