"""Everything that the notebook of chapter 1 is given: `from utils.ch1.kit import *`."""

from utils.ch1 import figures, measure, play
from utils.ch1.config import TransformerConfig
from utils.ch1.recipe import scheduled_adamw
from utils.ch1.shipped import demo, for_writing, gpt2, shipped, shipped_tokenizer, without_mask
from utils.ch1.text import ngram_levels, split, works
