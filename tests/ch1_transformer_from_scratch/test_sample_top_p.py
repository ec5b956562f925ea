"""Hidden tests of exercise 1.20: draws from the smallest set of most likely tokens whose mass reaches p."""

from pathlib import Path

import torch

from utils.grade import require
from utils.grade.suite import load_file

sampling = load_file(Path(__file__).with_name("_draws.py"))


def test_draws_differ(sample_top_p, draw):
    sampling.draws_differ(sample_top_p, draw, 1.0)


def test_small_p_keeps_the_best(sample_top_p, draw):
    says = "a p below the largest probability must leave exactly one token"
    sampling.check(sample_top_p, draw, sampling.STEPS, 0.1 + 0.1 * draw.index, 1, 80, says)


def test_smallest_set_that_reaches_p(sample_top_p, draw):
    says = "the tokens of the smallest set that reaches p are not drawn in proportion to their probabilities"
    p, kept = [(0.35, 2), (0.43, 3)][draw.index]
    sampling.check(sample_top_p, draw, sampling.STEPS, p, kept, 800, says, pass_generator=draw.index == 1)


def test_just_above_and_below_a_sum(sample_top_p, draw):
    steps = [0.45, 0.3, 0.2, 0.05]
    p, kept = [(0.745, 2), (0.755, 3)][draw.index]
    says = f"with p = {p} the two most likely tokens, of mass 0.75, are {'enough' if kept == 2 else 'not enough'}"
    sampling.check(sample_top_p, draw, steps, p, kept, 150, says)


def test_p_reached_exactly(sample_top_p, draw):
    p, kept = [(0.5, 2), (0.75, 3)][draw.index]
    got = sample_top_p.run(sampling.probe_draws, torch.zeros(4), p, 80, draw.seed, {}, tolerance=2.0)
    count = int((got["angles"] > 0).sum())
    says = f"{kept} of four equally likely tokens reach p = {p} exactly, but {count} are drawn"
    require(count == kept, says, got=got["angles"].sin() ** 2, shows="how often each token came up in 80 draws")


def test_p_one_keeps_all(sample_top_p, draw):
    says = "with p = 1 every token takes part, with its own probability"
    sampling.check(sample_top_p, draw, [0.4, 0.3, 0.18, 0.12], 1.0, 4, 400, says)


def test_min_tokens_to_keep(sample_top_p, draw):
    steps = [0.45, 0.25, 0.2, 0.06, 0.04]
    says = "at least min_tokens_to_keep tokens must take part, with their probabilities"
    sampling.check(sample_top_p, draw, steps, 0.3, 3, 400, says, min_tokens_to_keep=3)
    says = "min_tokens_to_keep is a lower limit: where p needs more tokens, those take part"
    sampling.check(sample_top_p, draw, steps, 0.85, 3, 150, says, min_tokens_to_keep=2)


def test_generator(sample_top_p, draw):
    sampling.follows_the_generator(sample_top_p, draw, 0.56)


def test_logits_are_left_alone(sample_top_p, draw):
    sampling.leaves_logits_alone(sample_top_p, draw, 0.56)
