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
