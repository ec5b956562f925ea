"""The fast path computes what the reference computes, forward, backward and after training."""

import pytest
import torch
from rounding import assert_same_but_rounding

from solutions.ch1_transformer_from_scratch.config import TransformerConfig
from solutions.ch1_transformer_from_scratch.fast import FastTransformer, fast_train_step
from solutions.ch1_transformer_from_scratch.model import Transformer
from solutions.ch1_transformer_from_scratch.objective import next_token_loss
from solutions.ch1_transformer_from_scratch.training import train
from solutions.ch1_transformer_from_scratch.variants import build_model


def config():
    return TransformerConfig(24, 31, 14, 7, 3, 2, 40, weight_initialization_range=0.3, device="cpu")


@pytest.mark.parametrize("variant", ["base", "no_positions", "no_mask"])
def test_equal_to_the_reference(variant):
    torch.manual_seed(1)
    model = build_model(config(), variant)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    fast = FastTransformer(config(), variant != "no_mask", variant != "no_positions").read(model)
    tokens = torch.randint(0, 31, (3, 11))
    assert_same_but_rounding(fast(tokens), model(tokens))
    assert_same_but_rounding(fast.loss(tokens), next_token_loss(model(tokens), tokens))
    with pytest.raises(ValueError, match="15 tokens do not fit the context of 14"):
        fast(torch.zeros(1, 15, dtype=torch.int64))


@pytest.mark.parametrize("variant", ["base", "no_positions", "no_mask"])
def test_equal_after_training(variant):
    torch.manual_seed(2)
    model, written = build_model(config(), variant), Transformer(config())
    fast = FastTransformer(config(), variant != "no_mask", variant != "no_positions").read(model)
    batches = [torch.randint(0, 31, (4, 14)) for _ in range(5)]

    def optimizer(net):
        return torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)

    descent = optimizer(fast)
    losses = [
        train(model, batches, optimizer(model), 5),
        [fast_train_step(fast, batch, descent) for batch in batches],
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    fast.write(written)
    for (name, ours), theirs in zip(model.state_dict().items(), written.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3, msg=lambda text, name=name: f"{name}: {text}")
    assert not written.unembedding.b_U.any()
    if variant == "no_positions":
        assert not written.positional_embedding.W_P.any()
