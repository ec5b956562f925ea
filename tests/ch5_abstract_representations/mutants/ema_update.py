"""Wrong answers to exercise 5.21 that learners write, and right ones written differently."""

import torch
import torch.nn.functional as F  # noqa: F401 (the slips' text uses it)

from utils.grade import right, slips

slip = slips(
    """
    def ema_update(state, x, words, decay=0.99, epsilon=1e-5):
        x = x.detach()
        chosen = F.one_hot(words, len(state["counts"])).to(x.dtype)
        counts = decay * state["counts"] + (1 - decay) * chosen.sum(0)
        sums = decay * state["sums"] + (1 - decay) * chosen.T @ x
        return {"codebook": sums / counts.clamp(min=epsilon)[:, None], "counts": counts, "sums": sums}
    """
)

swapped = slip(
    "decay and 1 - decay have exchanged places in both averages: most of the old value stays",
    "decay * state[\"counts\"] + (1 - decay) *", "(1 - decay) * state[\"counts\"] + decay *",
    "decay * state[\"sums\"] + (1 - decay) *", "(1 - decay) * state[\"sums\"] + decay *",
)  # fmt: skip
no_decay = slip(
    "the new counts and sums are added without decay: old ones must fade",
    "decay * state[\"counts\"] + (1 - decay) *", "state[\"counts\"] +",
    "decay * state[\"sums\"] + (1 - decay) *", "state[\"sums\"] +",
)  # fmt: skip
full_weight = slip(
    "what is new comes in with weight 1: its weight is 1 - decay",
    "+ (1 - decay) * chosen.sum(0)", "+ chosen.sum(0)", "+ (1 - decay) * chosen.T", "+ chosen.T",
)  # fmt: skip
means = slip(
    "the mean of the vectors is averaged where their sum is wanted",
    "chosen.T @ x", "chosen.T @ x / chosen.sum(0).clamp(min=1)[:, None]",
)  # fmt: skip
shares = slip(
    "the counts hold shares of the batch: they hold how many vectors chose the word", "chosen.sum(0)", "chosen.mean(0)"
)
only_this_batch = slip(
    "the words become the means of this batch alone: divide the running sums by the running counts",
    "sums / counts.clamp(min=epsilon)[:, None]",
    "(chosen.T @ x) / chosen.sum(0).clamp(min=epsilon)[:, None]",
)  # fmt: skip
old_counts = slip(
    "the new sums are divided by the old counts: divide by the new ones",
    "sums / counts.clamp", "sums / state[\"counts\"].clamp",
)  # fmt: skip
not_divided = slip(
    "the words are the sums themselves: divide by the counts",
    "sums / counts.clamp(min=epsilon)[:, None]",
    "sums.clone()",
)
codebook_unchanged = slip(
    "the codebook stays as it was: it must become the sums over the counts",
    "sums / counts.clamp(min=epsilon)[:, None]", "state[\"codebook\"]",
)  # fmt: skip
bare_division = slip("epsilon is not used: a count of zero divides by zero", ".clamp(min=epsilon)", "")
fixed_epsilon = slip("epsilon is fixed: use the argument", "min=epsilon", "min=1e-5")
fixed_decay = slip(
    "decay is fixed at 0.99: use the argument",
    "decay * state[\"counts\"] + (1 - decay)", "0.99 * state[\"counts\"] + 0.01",
    "decay * state[\"sums\"] + (1 - decay)", "0.99 * state[\"sums\"] + 0.01",
)  # fmt: skip
no_detach = slip("x is not detached, so that the averages carry a gradient", "x = x.detach()", "x = x * 1")
in_place = slip(
    "the old state is changed: return a new one",
    "return {", "state[\"counts\"].copy_(counts)\n    state[\"sums\"].copy_(sums)\n    return {",
)  # fmt: skip
epsilon_added = slip(
    "epsilon is added to the counts: it is the least divisor, and changes nothing above it",
    "counts.clamp(min=epsilon)", "(counts + epsilon)",
)  # fmt: skip
smoothed = slip(
    "the counts are smoothed towards each other, as other versions of this rule do: divide by the count itself",
    "sums / counts.clamp(min=epsilon)[:, None]",
    "sums / ((counts + epsilon) / (counts.sum() + len(counts) * epsilon) * counts.sum())[:, None]",
)  # fmt: skip
batch_mean = slip(
    "each word moves towards the mean of this batch: it is the running sum over the running count",
    "sums / counts.clamp(min=epsilon)[:, None]",
    "decay * state[\"codebook\"] + (1 - decay) * (chosen.T @ x) / chosen.sum(0).clamp(min=1)[:, None]",
)  # fmt: skip
at_least_one = slip("the least divisor is 1: it is epsilon", "min=epsilon", "min=1")
unused_zero = slip(
    "words that nobody chose become zero: they stay where they are",
    "sums / counts.clamp(min=epsilon)[:, None]",
    "torch.where(chosen.sum(0)[:, None] > 0, sums / counts.clamp(min=epsilon)[:, None], 0.0)",
)  # fmt: skip
unused_kept = slip(
    "counts and sums of words that nobody chose stay as they were: they fade, too",
    "return {", "used = chosen.sum(0) > 0\n    counts = torch.where(used, counts, state[\"counts\"])\n"
    "    sums = torch.where(used[:, None], sums, state[\"sums\"])\n    return {",
)  # fmt: skip
present_only = slip(
    "a word counts once, however many vectors chose it: count the vectors",
    "chosen.sum(0)",
    "(chosen.sum(0) > 0).float()",
)
last_vector = slip(
    "of several vectors that chose a word only the last counts: add them up",
    "chosen.T @ x", "torch.zeros_like(state[\"sums\"]).index_put((words,), x)",
)  # fmt: skip
too_few_words = slip(
    "words that were not chosen are missing from the table: there are as many rows as words in the codebook",
    "F.one_hot(words, len(state[\"counts\"]))", "F.one_hot(words)",
)  # fmt: skip
batch_counts = slip(
    "the new state holds this batch's counts: it holds the running ones", '"counts": counts', '"counts": chosen.sum(0)'
)
same_dict = slip(
    "the old dict is filled with the new numbers: return a new one",
    "return {\"codebook\"", "state |= {\"codebook\"",
    "\"sums\": sums}", "\"sums\": sums}\n    return state",
)  # fmt: skip
clamped_counts = slip(
    "the counts are kept at epsilon or above: only the divisor is, the counts themselves go on shrinking",
    '"counts": counts,', '"counts": counts.clamp(min=epsilon),',
)  # fmt: skip
forgotten = slip(
    "the old counts and sums are forgotten: a running average mixes them with those of this batch",
    'decay * state["counts"] + (1 - decay) * chosen.sum(0)', "chosen.sum(0)",
    'decay * state["sums"] + (1 - decay) * chosen.T @ x', "chosen.T @ x",
)  # fmt: skip
sums_from_words = slip(
    "the new sums start from the codebook: they go on from the old sums",
    'decay * state["sums"]',
    'decay * state["codebook"]',
)
counts_of_the_chosen = slip(
    "only the counts of words that were chosen shrink: all counts do",
    'counts = decay * state["counts"] + (1 - decay) * chosen.sum(0)',
    'counts = decay * state["counts"] + (1 - decay) * chosen.sum(0)\n'
    '    counts = torch.where(chosen.sum(0) > 0, counts, state["counts"])',
)  # fmt: skip
of_all_vectors = slip(
    "every word's sum takes all vectors: it takes those that chose the word", "chosen.T @ x", "x.sum(0)"
)


@right
def word_by_word(state, x, words, decay=0.99, epsilon=1e-5):
    with torch.no_grad():
        new = {name: tensor.clone() for name, tensor in state.items()}
        for k in range(len(new["counts"])):
            mine = x[words == k]
            new["counts"][k] = new["counts"][k] * decay + mine.shape[0] * (1 - decay)
            new["sums"][k] = new["sums"][k] * decay + mine.sum(dim=0) * (1 - decay)
            new["codebook"][k] = new["sums"][k] / max(float(new["counts"][k]), epsilon)
    return new


@right
def by_lerp(state, x, words, decay=0.99, epsilon=1e-5):
    found = torch.bincount(words, minlength=state["counts"].numel()).float()
    total = torch.zeros_like(state["sums"]).index_add_(0, words, x.detach())
    counts, sums = state["counts"].lerp(found, 1 - decay), state["sums"].lerp(total, 1 - decay)
    return {"counts": counts, "sums": sums, "codebook": sums / torch.clamp_min(counts, epsilon).unsqueeze(1)}
