"""Hidden tests of exercise 1.19: no draw outside the k most likely tokens, and the right shares inside."""

from pathlib import Path

from utils.grade.suite import load_file

sampling = load_file(Path(__file__).with_name("_draws.py"))


def test_draws_differ(sample_top_k, draw):
    sampling.draws_differ(sample_top_k, draw, 60)


def test_only_the_best(sample_top_k, draw):
    sampling.check(
        sample_top_k, draw, sampling.STEPS, 1, 1, 80, "with k = 1 the most likely token must be drawn every time"
    )


def test_shares_of_the_k_best(sample_top_k, draw):
    says = "the k most likely tokens are not drawn in proportion to their probabilities"
    k = 2 + draw.index
    sampling.check(sample_top_k, draw, sampling.STEPS, k, k, 800, says, pass_generator=draw.index == 1)


def test_k_at_and_above_the_vocabulary(sample_top_k, draw):
    says = "with k at or above V every token takes part, with its own probability"
    sampling.check(sample_top_k, draw, [0.4, 0.3, 0.18, 0.12], 4 + 3 * draw.index, 4, 400, says)


def test_generator(sample_top_k, draw):
    sampling.follows_the_generator(sample_top_k, draw, 3)


def test_logits_are_left_alone(sample_top_k, draw):
    sampling.leaves_logits_alone(sample_top_k, draw, 3)
