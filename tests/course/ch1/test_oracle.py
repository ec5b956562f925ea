"""The reference against independent implementations: transformers' GPT-2 with random weights, torch's layers."""

import socket

import pytest
import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from solutions.ch1_transformer_from_scratch.config import TransformerConfig
from solutions.ch1_transformer_from_scratch.gpt2 import gpt2_config, load_gpt2_weights, pretrained_gpt2
from solutions.ch1_transformer_from_scratch.layers import GELU
from solutions.ch1_transformer_from_scratch.model import Transformer
from utils.course import CourseError

SHAPES = [  # V, context, E, N, L, inner
    (97, 24, 32, 4, 2, None),
    (300, 40, 48, 3, 3, 100),
    (64, 16, 24, 1, 1, 50),
    (128, 64, 64, 8, 4, None),
]


def gpt2(V, context, E, N, L, inner, tie=True):
    torch.manual_seed(V)
    config = GPT2Config(
        vocab_size=V,
        n_positions=context,
        n_embd=E,
        n_head=N,
        n_layer=L,
        n_inner=inner,
        initializer_range=0.2,
        bos_token_id=0,
        eos_token_id=0,
        tie_word_embeddings=tie,
    )
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():  # biases and gains that a loader which forgets them would get wrong
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or ".ln_" in name:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tie", [True, False])
def test_logits_equal_transformers_gpt2(shape, tie):
    theirs = gpt2(*shape, tie=tie)
    ours = load_gpt2_weights(Transformer(gpt2_config(theirs.config)), theirs.state_dict())
    tokens = torch.randint(0, shape[0], (3, shape[1] - 3))
    with torch.no_grad():
        torch.testing.assert_close(ours(tokens), theirs(tokens).logits, atol=1e-4, rtol=1e-4)


def test_a_missing_weight_is_named():
    state = gpt2(*SHAPES[0]).state_dict()
    del state["transformer.h.1.mlp.c_fc.bias"]
    with pytest.raises(ValueError, match=r"transformer\.h\.1\.mlp\.c_fc\.bias"):
        load_gpt2_weights(Transformer(gpt2_config(gpt2(*SHAPES[0]).config)), state)


@pytest.mark.parametrize("field", ["embedding_dimension", "num_attention_heads", "context_length", "mlp_dimension"])
def test_a_shape_that_does_not_fit_is_named(field):
    theirs = gpt2(*SHAPES[0])
    config = gpt2_config(theirs.config)
    setattr(config, field, getattr(config, field) + 1)
    with pytest.raises(ValueError, match=r"transformer\..*shape"):
        load_gpt2_weights(Transformer(config), theirs.state_dict())


def test_heads_need_not_fill_the_embedding():
    config = TransformerConfig(10, 11, 6, 5, 3, 2, 13, device="cpu")
    assert Transformer(config)(torch.randint(0, 11, (2, 4))).shape == (2, 4, 11)


def test_gelu_is_the_tanh_form():
    x = torch.linspace(-6, 6, 101)
    torch.testing.assert_close(GELU()(x), F.gelu(x, approximate="tanh"), atol=1e-6, rtol=1e-5)


def test_annotations_are_enforced_in_tests():
    config = TransformerConfig(10, 11, 6, 5, 3, 2, 13, device="cpu")
    with pytest.raises(Exception, match="(?i)type-check|shape|hint"):
        Transformer(config)(torch.zeros(2, 4))  # tokens must be integers


def test_b_U_is_a_constant_zero():
    config = TransformerConfig(10, 11, 6, 5, 3, 2, 13, device="cpu")
    model = Transformer(config)
    assert not model.unembedding.b_U.requires_grad
    assert not model.unembedding.b_U.any()
    assert "unembedding.b_U" in model.state_dict()


def online() -> bool:
    try:
        socket.create_connection(("huggingface.co", 443), timeout=2).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_pretrained_gpt2():
    if not online():
        pytest.skip("the hub cannot be reached, and the pretrained weights come from there")
    try:
        model, tokenizer = pretrained_gpt2()
    except CourseError as error:
        pytest.skip(f"the hub answers, but does not hand out the weights: {error}")
    tokens = torch.tensor(tokenizer.encode("The capital of France is").ids)
    with torch.no_grad():
        likely = model(tokens[None].to(model.config.device))[0, -1].topk(20).indices.tolist()
    assert tokenizer.encode(" Paris").ids[0] in likely
