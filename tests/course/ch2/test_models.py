"""Both models: every setting, the merged form, and the faults of the published models that ours are free of."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from rounding import assert_same_but_rounding

from solutions.ch2_induction_heads.config import FullModelArgs, ModelArgs
from solutions.ch2_induction_heads.fast import ROWS, can_merge, masked_logits, merged_logits
from solutions.ch2_induction_heads.full import FullTransformer
from solutions.ch2_induction_heads.model import BasicTransformer, MemoryTransformer, rotate, sinusoids
from utils.course import CourseError

V, D, T = 11, 8, 6
BASIC = ModelArgs(vocab_size=V, dim=D, max_length=T)
FULL = FullModelArgs(vocab_size=V, dim=D, max_length=T, n_heads=2)
TOKENS = torch.randint(V, (3, T), generator=torch.Generator().manual_seed(0))
BASIC_SETTINGS = [
    {},
    {"final_ffn": True},
    {"final_ffn": True, "linear_final_ffn": False},
    {"first_ffn": True},
    {"first_ffn": True, "linear_first_ffn": False, "final_ffn": True},
    {"freeze_embeddings": True, "freeze_output": True},
    {"tie_output": True},
    {"tie_output": True, "freeze_output": True},
    {"tie_output": True, "sqrtd_embeddings": True, "final_ffn": True},
    {"use_rope": True},
    {"sqrtd_embeddings": True},
    {"no_sqrtd": True},
    {"sin_cos": True},
]
FULL_SETTINGS = [
    {},
    {"n_layers": 1},
    {"n_layers": 3},
    {"pre_norm": False},
    {"no_ffn": True},
    {"no_norm": True},
    {"linear_ffn": True},
    {"no_first_layer_ffn": True},
    {"freeze_embeddings": True},
    {"freeze_output": True},
    {"tie_output": True},
    {"tie_output": True, "freeze_output": True},
    {"freeze_wv": True, "freeze_wo": True},
    {"no_wo": True, "freeze_wo": True},
    {"no_wv": True},
    {"sin_cos": True},
    {"parallel_ffn": True},
]


def built(args, seed=0):
    torch.manual_seed(seed)
    return (FullTransformer if isinstance(args, FullModelArgs) else BasicTransformer)(args)


CASES = [
    pytest.param(replace(base, **changes), id=f"{type(base).__name__}{changes}")
    for base, settings in ((BASIC, BASIC_SETTINGS), (FULL, FULL_SETTINGS))
    for changes in settings
]


@pytest.mark.parametrize("args", CASES)
def test_every_setting_runs_trains_and_hides_the_future(args):
    model = built(args)
    logits, cache = model(TOKENS, return_cache=True)
    assert logits.shape == (3, T, V) and torch.isfinite(logits).all()
    n = len(model.layers)
    assert set(cache) == {f"h{i}" for i in range(n + 1)} | {f"A{i}" for i in range(1, n + 1)}
    assert torch.allclose(cache["A1"].sum(dim=-1), torch.ones(()))
    changed = TOKENS.clone()
    changed[:, -1] = (changed[:, -1] + 1) % V
    assert_same_but_rounding(model(changed)[:, :-1], logits[:, :-1])
    assert_same_but_rounding(model(TOKENS[:, :4]), logits[:, :4])  # shorter than max_length

    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    F.cross_entropy(logits.flatten(0, 1), TOKENS.flatten()).backward()
    optimizer.step()
    for name, parameter in model.named_parameters():
        moved = not torch.equal(parameter, before[name])
        assert moved == parameter.requires_grad, name


@pytest.mark.parametrize("args", CASES)
def test_reading_a_model(args):
    model = built(args)
    with torch.no_grad():
        logits, cache = model(TOKENS, return_cache=True)
        for i in range(len(model.layers) + 1):
            assert_same_but_rounding(model.stream(TOKENS, i), cache[f"h{i}"])
        for i in range(len(model.layers)):  # under rotation too: no position is added
            assert_same_but_rounding(model.layer_scores(TOKENS, i), cache[f"A{i + 1}"])
        assert_same_but_rounding(model.read_out(cache[f"h{len(model.layers)}"]), logits)
        assert model.forward_ff_only(TOKENS).shape == logits.shape
        before_ffn = model.stream(TOKENS, 1, before_ffn=True)
        assert torch.equal(before_ffn, cache["h1"]) == (getattr(model.layers[0], "ff", None) is None)
    values, tokens = model.top_preds(TOKENS[0], n=3)
    assert values.shape == (T, 3) and torch.equal(tokens[:, 0], logits[0].argmax(dim=-1))
    assert model.top_preds(TOKENS)[1].shape == (3, T, 4)


def test_the_plain_setting_is_the_exercises_model():
    torch.manual_seed(3)
    exercise, model = MemoryTransformer(BASIC), built(BASIC)
    model.load_state_dict(exercise.state_dict())
    assert_same_but_rounding(model(TOKENS), exercise(TOKENS))
    trainable = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trainable == {name for name, p in exercise.named_parameters() if p.requires_grad}


def test_parameter_count_of_the_published_run():
    args = ModelArgs(vocab_size=65, dim=256, freeze_embeddings=True, freeze_output=True)
    model = built(args)
    assert sum(p.numel() for p in model.parameters()) == 426_496
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 3 * 256**2
    with_ff = built(replace(args, final_ffn=True))
    assert sum(p.numel() for p in with_ff.parameters() if p.requires_grad) == 4 * 256**2


def test_tied_output_is_the_table_scaled_once():
    """The published simplified model raises TypeError here, or divides by sqrt(d) twice."""
    model = built(replace(BASIC, tie_output=True))
    assert torch.allclose(model.output.weight, model.tok_embeddings.weight / D**0.5)
    assert "output.weight" not in dict(model.named_parameters())
    model(TOKENS).sum().backward()
    through = model.tok_embeddings.weight.grad.clone()
    frozen = built(replace(BASIC, tie_output=True, freeze_output=True))
    assert torch.allclose(frozen.output.weight, frozen.tok_embeddings.weight / D**0.5)
    frozen(TOKENS).sum().backward()
    assert not torch.allclose(through, frozen.tok_embeddings.weight.grad)


def test_variance_of_the_embeddings():
    big = replace(BASIC, vocab_size=400, dim=64, max_length=300)
    for scaled, variance in ((False, 1.0), (True, 1 / 64)):
        model = built(replace(big, sqrtd_embeddings=scaled))
        assert model.tok_embeddings.weight.var().item() == pytest.approx(variance, rel=0.05)
        assert model.pe.var().item() == pytest.approx(variance, rel=0.05)
        assert "pe" in model.state_dict() and "pe" not in dict(model.named_parameters())


def test_scale_of_the_scores():
    scaled, unscaled = built(BASIC), built(replace(BASIC, no_sqrtd=True))
    unscaled.load_state_dict(scaled.state_dict())
    x = torch.randn(1, T, D)
    with torch.no_grad():
        scaled.layers[0].attention.wk.weight.mul_(D**0.5)
        assert_same_but_rounding(scaled.layers[0].attention(x)[1], unscaled.layers[0].attention(x)[1])


def test_rotation_sees_distances_only():
    """Rotary positions: the first layer's pattern on a repeated token depends on nothing but the distance."""
    model = built(replace(BASIC, use_rope=True))
    assert not model.pe.any()
    q, k = torch.randn(D), torch.randn(D)
    turned = torch.einsum("td,sd->ts", rotate(q.expand(1, T, D))[0], rotate(k.expand(1, T, D))[0])
    for offset in range(-T + 1, T):
        band = turned.diagonal(offset)
        assert_same_but_rounding(band, band[:1].expand_as(band))
    assert float(turned.diagonal(1)[0] - turned[0, 0]) != 0
    assert [type(layer.attention).__name__ for layer in model.layers] == ["RotaryAttention", "MemoryAttention"]


def test_sinusoids():
    angles = torch.tensor([3.0, 0.03])  # position 3, wavelengths of d = 4
    expected = torch.stack([angles.sin(), angles.cos()], dim=1).flatten()
    assert_same_but_rounding(sinusoids(5, 4)[3], expected)


def test_the_feed_forward_reads_what_attention_wrote():
    """The published pre-norm block feeds its MLP the block's input; ours does so only when asked to."""
    model, parallel = built(FULL), built(replace(FULL, parallel_ffn=True))
    parallel.load_state_dict(model.state_dict())
    x = torch.randn(2, T, D)
    block = model.layers[0]
    h = x + block.attention(block.attention_norm(x))[0]
    assert_same_but_rounding(block(x)[0], h + block.ff(block.ff_norm(h)))
    assert_same_but_rounding(parallel.layers[0](x)[0], h + block.ff(block.ff_norm(x)))
    post = built(replace(FULL, pre_norm=False)).layers[0]
    h = post.attention_norm(x + post.attention(x)[0])
    assert_same_but_rounding(post(x)[0], post.ff_norm(h + post.ff(h)))


def test_full_attention_is_torchs_own():
    attention = built(FULL).layers[0].attention
    x = torch.randn(2, T, D)
    q, k, v = (w(x).view(2, T, 2, D // 2).transpose(1, 2) for w in (attention.wq, attention.wk, attention.wv))
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
    assert_same_but_rounding(attention(x)[0], attention.wo(mixed))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (replace(BASIC, dim=7, sin_cos=True), "must be even"),
        (replace(BASIC, dim=7, use_rope=True), "must be even"),
        (replace(FULL, dim=7, n_heads=1, sin_cos=True), "must be even"),
        (replace(FULL, n_heads=3), "multiple of n_heads = 3"),
        (replace(BASIC, dim=0), "above zero"),
        (replace(FULL, n_layers=0), "above zero"),
    ],
)
def test_sizes_that_cannot_be(args, words):
    with pytest.raises(CourseError, match=words):
        built(args)


MERGED = ("sqrtd_embeddings", "sin_cos", "tie_output", "freeze_output", "freeze_embeddings")
MERGED = [changes for changes in BASIC_SETTINGS if set(changes) <= set(MERGED)]


@pytest.mark.parametrize("changes", MERGED, ids=str)
def test_the_fast_form_equals_the_plain_one(changes):
    """Logits and every gradient, at all positions and at those of a mask alone."""
    model = built(replace(BASIC, **changes))
    assert can_merge(model)
    mask = torch.rand(3, T, generator=torch.Generator().manual_seed(1)) < 0.4
    mask[1] = False

    def gradients(loss):
        parameters = [p for p in model.parameters() if p.requires_grad]
        return torch.autograd.grad(loss, parameters)

    logits, merged, chosen = model(TOKENS), merged_logits(model, TOKENS), masked_logits(model, TOKENS, mask)
    assert float((logits - merged).detach().abs().max()) < 1e-4
    assert float((logits[mask] - chosen).detach().abs().max()) < 1e-4
    expected = gradients(F.cross_entropy(logits[mask], TOKENS[mask]))
    for found in (gradients(F.cross_entropy(x, TOKENS[mask])) for x in (merged[mask], chosen)):
        for ours, theirs in zip(found, expected, strict=True):
            assert_same_but_rounding(ours, theirs)


def test_the_fast_form_at_the_size_of_a_lesson_and_what_it_does_not_know():
    torch.manual_seed(0)
    model = BasicTransformer(ModelArgs(vocab_size=65, dim=128, max_length=64))
    tokens = torch.randint(65, (2 * ROWS + 3, 64))
    mask = torch.rand(tokens.shape) < torch.rand(len(tokens), 1)  # rows of every density, in no order
    with torch.no_grad():
        logits = model(tokens)
        assert float((logits - merged_logits(model, tokens)).abs().max()) < 1e-4
        assert float((logits[mask] - masked_logits(model, tokens, mask)).abs().max()) < 1e-4
        nothing = masked_logits(model, tokens, torch.zeros_like(mask))
    assert nothing.shape == (0, 65)
    unknown = ({"use_rope": True}, {"no_sqrtd": True}, {"final_ffn": True}, {"first_ffn": True})
    assert not any(can_merge(built(replace(BASIC, **changes))) for changes in unknown) and not can_merge(built(FULL))
