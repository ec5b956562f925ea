"""A transformer of the course's own with the parameter names of chapter 1, with or without its causal mask.

It shows a finished model before the learner has written one, and it takes a learner's weights by name where an
experiment needs attention that the learner's class does not have. Built from torch's fused kernels.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


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


@torch.no_grad()
def write_on(model: nn.Module, tokens: Int[Tensor, "T"], new: int, temperature: float, seed: int) -> Tensor:
    """The tokens with `new` more, each drawn at this temperature."""
    draws = torch.Generator().manual_seed(seed)
    for _ in range(new):
        logits = model(tokens[None, -model.config.context_length :])[0, -1]
        chosen = torch.multinomial((logits / temperature).softmax(dim=-1), 1, generator=draws)
        tokens = torch.cat([tokens, chosen])
    return tokens
