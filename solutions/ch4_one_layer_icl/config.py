"""Sizes of the data model of chapter 4, in the paper's letters."""

from dataclasses import dataclass

from utils.course import CourseError


@dataclass(frozen=True)
class DataConfig:
    """Who is who among the tokens: triggers 0 .. Q-1, outputs Q .. Q+Y-1, fillers Q .. N-2, noise token N-1.

    The fillers hold the outputs too; those from Q+Y on are the outputs never seen in training. The defaults are the
    paper's sizes. Raises CourseError for sizes that leave a sentence, an output or an unseen output no room.
    Source: Nguyen and Nguyen-Tang 2025 (arXiv 2505.15009), section 3; their released code.
    """

    vocab_size: int = 60  # N
    H: int = 256  # tokens in a sentence, the query at its end
    Q: int = 5  # triggers
    Y: int = 4  # outputs seen in training

    def __post_init__(self):
        if self.H < 4:
            raise CourseError(f"H must be at least 4 (6 with noise), but it is {self.H}.")
        for name, value in (("Q", self.Q), ("Y", self.Y)):
            if value < 1:
                raise CourseError(f"{name} must be above zero, but it is {value}.")
        if self.vocab_size < self.Q + self.Y + 2:
            raise CourseError(
                f"{self.Q} triggers, {self.Y} outputs, an unseen output and the noise token need a vocab_size of "
                f"{self.Q + self.Y + 2}, but it is {self.vocab_size}."
            )


SMALL = DataConfig(vocab_size=24, H=32, Q=3, Y=3)  # the notebook's sizes: seconds instead of hours
