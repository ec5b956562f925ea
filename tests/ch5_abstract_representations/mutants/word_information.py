"""Wrong answers to exercise 5.27 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips


def entropy(labels):
    share = torch.unique(labels, dim=0, return_counts=True)[1].double() / len(labels)
    return -(share * share.log2()).sum()


slip = slips(
    """
    def word_information(words, features, shuffles=0, generator=None):
        def table(features):
            found = torch.zeros(words.shape[1], features.shape[1], dtype=torch.float64)
            for s in range(words.shape[1]):
                for f in range(features.shape[1]):
                    w, v = words[:, s], features[:, f]
                    found[s, f] = entropy(w) + entropy(v) - entropy(torch.stack([w, v], 1))
            return found

        found = table(features)
        for _ in range(shuffles):
            order = torch.randperm(len(features), generator=generator)
            found = found - table(features[order]) / shuffles
        return found
    """
)

conditional = slip(
    "the entropy of the feature is left out: what is left is minus the word's doubt about it",
    "entropy(w) + entropy(v) - entropy", "entropy(w) - entropy",
)  # fmt: skip
joint = slip(
    "the joint entropy alone is returned: subtract it from the two entropies",
    "entropy(w) + entropy(v) - entropy(torch.stack([w, v], 1))", "entropy(torch.stack([w, v], 1))",
)  # fmt: skip
in_nats = slip(
    "the information is in nats: divide by log 2, or take logarithms to the base 2",
    "        return found\n\n    found", "        return found * 0.6931471805599453\n\n    found",
)  # fmt: skip
share_of_entropy = slip(
    "the information is divided by the feature's entropy: bits are wanted, not a share",
    "        return found\n\n    found",
    "        return found / torch.stack([entropy(v) for v in features.T])\n\n    found",
)  # fmt: skip
sum_as_pair = slip(
    "word and feature are added up where a pair is wanted: different pairs give the same sum",
    "torch.stack([w, v], 1)", "w + v",
)  # fmt: skip
turned = slip(
    "the table has features down and places across: places of the sentence go down",
    "/ shuffles\n    return found", "/ shuffles\n    return found.T",
)  # fmt: skip
no_baseline = slip("shuffles are ignored: nothing is subtracted", "found - table(features[order]) / shuffles", "found")
baseline_summed = slip(
    "the information of all shuffles is summed: subtract its mean",
    "table(features[order]) / shuffles",
    "table(features[order])",
)
baseline_added = slip("the shuffled information is added: subtract it", "found - table", "found + table")
not_shuffled = slip(
    "the order of the features is the same in every 'shuffle', so that everything is subtracted",
    "features[order]", "features[order.sort().values]",
)  # fmt: skip
own_randomness = slip(
    "the generator is not used, so that two calls with the same one differ",
    "torch.randperm(len(features), generator=generator)", "torch.randperm(len(features))",
)  # fmt: skip
float32 = slip("the table must be float64", "dtype=torch.float64", "dtype=torch.float32")
cut_off = slip(
    "what is below zero is cut off: the mean of chance is subtracted, and that is all",
    "/ shuffles\n    return found", "/ shuffles\n    return found.clamp(min=0)",
)  # fmt: skip
decimal_pair = slip(
    "pairs are numbered as 10 times the word plus the feature: different pairs get the same number",
    "torch.stack([w, v], 1)", "10 * w + v",
)  # fmt: skip
fixed_orders = slip(
    "the orders come from a generator with a fixed seed: draw them from the one that is given",
    "generator=generator", "generator=torch.Generator().manual_seed(0)",
)  # fmt: skip
with_replacement = slip(
    "boards are drawn with replacement, so that some come twice: shuffle them",
    "torch.randperm(len(features), generator=generator)",
    "torch.randint(len(features), (len(features),), generator=generator)",
)  # fmt: skip
one_shuffle = slip(
    "only one order is tried: take the mean over `shuffles` of them",
    "for _ in range(shuffles):", "for _ in range(min(shuffles, 1)):", "/ shuffles", "",
)  # fmt: skip
columns_shuffled = slip(
    "the columns of the features are shuffled: shuffle the boards",
    "torch.randperm(len(features), generator=generator)\n        found = found - table(features[order])",
    "torch.randperm(features.shape[1], generator=generator)\n        found = found - table(features[:, order])"
)  # fmt: skip
shuffled_in_place = slip(
    "the caller's features are shuffled: work on a copy",
    "found - table(features[order])",
    "found - table(features.copy_(features[order]))",
)
all_places_at_once = slip(
    "the entropy of a word is taken over all places: each place has its own",
    "entropy(w) + entropy(v)",
    "entropy(words.flatten()) + entropy(v)",
)
of_the_feature = slip(
    "that is the doubt about the feature which the word leaves: take it from the feature's entropy",
    "entropy(w) + entropy(v) - entropy(torch.stack([w, v], 1))", "entropy(torch.stack([w, v], 1)) - entropy(w)",
)  # fmt: skip
no_pairs = slip("the entropy of the pairs is not subtracted", " - entropy(torch.stack([w, v], 1))", "")
pairs_added = slip(
    "the entropy of the pairs is added: subtract it",
    "- entropy(torch.stack([w, v], 1))",
    "+ entropy(torch.stack([w, v], 1))",
)
pairs_twice = slip(
    "the entropy of the pairs is subtracted twice: once is enough",
    "- entropy(torch.stack([w, v], 1))", "- 2 * entropy(torch.stack([w, v], 1))",
)  # fmt: skip
what_is_left = slip(
    "that is what remains unknown of the word when the feature is known, not what it tells about it",
    "entropy(w) + entropy(v) - entropy(torch.stack([w, v], 1))", "entropy(torch.stack([w, v], 1)) - entropy(v)",
)  # fmt: skip
last_order_only = slip(
    "only one of the random orders counts: subtract the mean over all of them",
    "for _ in range(shuffles):", "for number in range(shuffles):",
    "found = found - table(features[order]) / shuffles",
    "found = found - (table(features[order]) / shuffles if number == shuffles - 1 else 0)",
)  # fmt: skip
minus_information = slip(
    "the sign is turned round: the entropy of the pairs is subtracted from the two others",
    "entropy(w) + entropy(v) - entropy(torch.stack([w, v], 1))",
    "entropy(torch.stack([w, v], 1)) - entropy(w) - entropy(v)",
)  # fmt: skip
products_as_pairs = slip(
    "a pair is told by the product of its two numbers, which other pairs share: compare both numbers",
    "torch.stack([w, v], 1)", "w * v",
)  # fmt: skip
one_chance_for_all = slip(
    "one mean over the whole table is subtracted: each place and feature has its own chance",
    "found = found - table(features[order]) / shuffles", "found = found - table(features[order]).mean() / shuffles",
)  # fmt: skip


@right
def by_tables(words, features, shuffles=0, generator=None):
    def one(w, v):
        table = torch.zeros(int(w.max()) + 1, int(v.max()) + 1, dtype=torch.float64)
        table.index_put_((w, v), torch.ones(len(w), dtype=torch.float64), accumulate=True)
        p = table / len(w)
        q = p.sum(0, keepdim=True) * p.sum(1, keepdim=True)
        return torch.where(p > 0, p * (p / q.clamp(min=1e-300)).log2(), 0.0).sum()

    def whole(features):
        return torch.stack([torch.stack([one(w, v) for v in features.unbind(1)]) for w in words.unbind(1)])

    result = whole(features)
    if shuffles:
        orders = [torch.randperm(len(words), generator=generator) for _ in range(shuffles)]
        result = result - torch.stack([whole(features[order]) for order in orders]).mean(0)
    return result


@right
def words_shuffled_instead(words, features, shuffles=0, generator=None):
    def whole(words):
        rows = []
        for w in words.T:
            both = [torch.cat([w[:, None], v[:, None]], 1) for v in features.T]
            rows.append([float(entropy(w) + entropy(v) - entropy(b)) for v, b in zip(features.T, both, strict=True)])
        return torch.tensor(rows, dtype=torch.float64)

    chance = [whole(words[torch.randperm(len(words), generator=generator)]) for _ in range(shuffles)]
    return whole(words) - (torch.stack(chance).mean(0) if chance else 0)
