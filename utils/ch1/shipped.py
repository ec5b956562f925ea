"""The trained models of chapter 1, in a transformer of the course's own or in a learner's class."""

import copy
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from tokenizers import Tokenizer
from torch import Tensor, nn

from utils.course import ROOT, CourseError
from utils.train import read_json, read_tensors


class GivenTransformer(nn.Module):
    """A GPT-2-style model with these weights (a state dict of chapter 1); `causal` False: every query sees every key.

    Shapes: tokens (B, T) -> logits (B, T, V). `config` is any object with the fields of TransformerConfig.
    """

    def __init__(self, config, weights: dict[str, Tensor], causal: bool = True):
        super().__init__()
        self.config, self.causal = config, causal
        self.weights = nn.ParameterDict(
            {name.replace(".", "/"): nn.Parameter(w.detach().float().clone(), False) for name, w in weights.items()}
        )

    def _get(self, name: str) -> Tensor:
        return self.weights[name.replace(".", "/")]

    def _norm(self, x: Tensor, at: str) -> Tensor:
        epsilon = self.config.layer_normalization_epsilon
        return F.layer_norm(x, x.shape[-1:], self._get(f"{at}.w"), self._get(f"{at}.b"), epsilon)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        x = F.embedding(tokens, self._get("embedding.W_E"))
        x = x + self._get("positional_embedding.W_P")[: tokens.shape[1]]
        for layer in range(self.config.num_transformer_layers):
            at = f"blocks.{layer}"
            x = x + self._attention(self._norm(x, f"{at}.layer_norm_1"), f"{at}.attention")
            normal = self._norm(x, f"{at}.layer_norm_2")
            hidden = F.gelu(normal @ self._get(f"{at}.mlp.W_in") + self._get(f"{at}.mlp.b_in"), approximate="tanh")
            x = x + hidden @ self._get(f"{at}.mlp.W_out") + self._get(f"{at}.mlp.b_out")
        return self._norm(x, "final_layer_norm") @ self._get("unembedding.W_U") + self._get("unembedding.b_U")

    def _attention(self, x: Tensor, at: str) -> Tensor:
        q, k, v = (x[:, None] @ self._get(f"{at}.W_{c}") + self._get(f"{at}.b_{c}")[:, None] for c in "QKV")
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return (mixed @ self._get(f"{at}.W_O")).sum(dim=1) + self._get(f"{at}.b_O")


def without_mask(model: nn.Module) -> GivenTransformer:
    """The same weights, by name, in a model whose attention sees the future too. The model itself stays as it is."""
    return GivenTransformer(model.config, model.state_dict(), causal=False).eval()


def for_writing(model: nn.Module) -> nn.Module:
    """The same model with a context that is one token shorter; the model itself keeps its own.

    In a row of training tokens the last position has no target, so what the model says there was never trained, and
    neither was that position's vector. A text that outgrows the context would be continued from exactly there. (GPT-2's
    own last position was trained; to leave one of 1,024 out does it no harm.)
    """
    shorter = copy.copy(model)  # the same weights
    shorter.config = copy.copy(model.config)
    context = max(model.config.context_length - 1, 1)
    object.__setattr__(shorter.config, "context_length", context)  # a learner's config may be frozen
    return shorter


@torch.no_grad()
def write_on(model: nn.Module, tokens: Int[Tensor, "T"], new: int, temperature: float, seed: int) -> Tensor:
    """The tokens with `new` more, each drawn at this temperature."""
    draws, model = torch.Generator().manual_seed(seed), for_writing(model)
    for _ in range(new):
        logits = model(tokens[None, -model.config.context_length :])[0, -1]
        chosen = torch.multinomial((logits / temperature).softmax(dim=-1), 1, generator=draws)
        tokens = torch.cat([tokens, chosen])
    return tokens


FOLDER = ROOT / "chapters" / "ch1_transformer_from_scratch" / "checkpoints"
GPT2 = ROOT / "runs" / "ch1" / "gpt2"  # where `from-gpt2` puts GPT-2's weights unless it is told otherwise
END_OF_TEXT = "<|endoftext|>"


@dataclass
class Reader:
    """A model with the tokenizer it was trained with, and what its settings say."""

    model: nn.Module
    tokenizer: Tokenizer
    settings: dict


def shipped_tokenizer(folder: Path = FOLDER) -> Tokenizer:
    """The tokenizer of the shipped models: byte-pair encoding with 512 tokens, learned from the training texts."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def shipped(name: str, Transformer=None, file: Path | None = None) -> Reader:
    """A trained model of the chapter by its name, in `Transformer` (the learner's class) or, without one, in ours.

    "no_mask" always comes in ours, whose attention can see the future. Raises CourseError for an unknown name.
    """
    file = file or FOLDER / name
    if not file.with_suffix(".json").is_file():
        raise CourseError(f"There is no trained model {name!r}: it would be in {file.with_suffix('.json')}.")
    settings = read_json(file.with_suffix(".json"))
    weights, _ = read_tensors(file.with_suffix(".safetensors"))
    weights = {key: weight.float() for key, weight in weights.items()}
    config = SimpleNamespace(**settings["config"], device="cpu")
    masked = settings.get("variant") != "no_mask"
    if Transformer is None or not masked:
        model = GivenTransformer(config, weights, causal=masked)
    else:
        model = Transformer(config)
        model.load_state_dict(weights)
    return Reader(model.eval(), shipped_tokenizer(file.parent), settings)


def gpt2(Transformer, folder: Path = GPT2) -> Reader | None:
    """GPT-2 in the learner's own class, where its weights are on this computer; otherwise a sentence, and None."""
    if not (folder / "model.json").is_file():
        print(
            "GPT-2's own weights are not on this computer, so this cell has nothing to show. With a network, run\n"
            "    python -m solutions.ch1_transformer_from_scratch from-gpt2\n"
            "once in a terminal (it needs the package transformers), then run this cell again."
        )
        return None
    return shipped("gpt2", Transformer, folder / "model")


def demo(prompt: str, new: int = 90, temperature: float = 0.8, seed: int = 0) -> None:
    """Print the prompt as the shipped model continues it."""
    found = shipped("base")
    tokens = torch.tensor(found.tokenizer.encode(prompt).ids)
    if len(tokens) == 0 or not temperature > 0:
        print("Give a prompt of at least one character, and a temperature above 0.")
        return
    print(found.tokenizer.decode(write_on(found.model, tokens, new, temperature, seed).tolist()))
