"""LEA's reference: its size, its codebook's start and second lives, and that it learns to be understood."""

import pytest
import torch

from solutions.ch5_abstract_representations.lea import LEASettings, TinyLEA, draw, lea_loss, speak
from solutions.ch5_abstract_representations.lea_training import (
    blurred,
    published_score,
    start_codebook,
    train_lea,
    update_codebook,
)
from solutions.ch5_abstract_representations.quantise import ema_update, new_state, restart_unused, soft_usage
from utils.course import CourseError

SMALL = LEASettings(
    vocab_size=6, block_size=4, masking_token=5, n_layer=1, n_embd=16, n_embd_pos=8, vocab_speech_size=12,
    block_speech_size=2, commitment=1.0,
)  # fmt: skip


def colours(n, generator):
    """Boards of one colour each, with one cell hidden."""
    board = torch.randint(5, (n, 1), generator=generator).expand(-1, 4).contiguous()
    masked = board.clone()
    masked[:, 0] = 5
    return masked, board


@pytest.mark.parametrize(("kind", "count"), [("factor", 141_184), ("vanilla", 110_976)])
def test_published_sizes(kind, count):
    model = TinyLEA(LEASettings(type=kind, quantiser="gradient"))
    assert sum(parameter.numel() for parameter in model.parameters()) == count
    averages = 128 * 32 if kind == "vanilla" else 0  # the published count of the vanilla form holds the running sums
    assert count + averages in (141_184, 115_072)


@pytest.mark.parametrize(
    "wrong", [{"n_embd": 33}, {"vocab_speech_size": 1}, {"block_speech_size": 0}, {"masking_token": 21}, {"decay": 1.0}]
)
def test_settings_are_refused_in_one_sentence(wrong):
    with pytest.raises(CourseError, match=r"^[A-Z].*\.$"):
        LEASettings(**wrong)


def test_the_drawing_knows_only_the_words():
    torch.manual_seed(0)
    model = TinyLEA(SMALL)
    words = torch.tensor([[1, 2], [1, 2], [3, 2]])
    logits = draw(model, words)
    torch.testing.assert_close(logits[0], logits[1])
    assert not torch.allclose(logits[0], logits[2])


def test_unused_words_get_a_second_life():
    generator = torch.Generator().manual_seed(0)
    state = new_state(torch.randn(6, 4, generator=generator))
    x, words = torch.randn(20, 4, generator=generator), torch.randint(3, (20,), generator=generator)
    for _ in range(400):
        state = ema_update(state, x, words)
    assert state["codebook"].isfinite().all() and int((state["counts"] < 0.05).sum()) == 3
    fresh, restarted = restart_unused(state, x, generator)
    assert restarted == 3 and bool((fresh["counts"] >= 0.05).all())
    assert all((fresh["codebook"][k] == x).all(1).any() for k in (3, 4, 5))


def test_codebooks_of_both_kinds():
    generator = torch.Generator().manual_seed(0)
    for quantiser in ("ema", "gradient"):
        torch.manual_seed(0)
        model = TinyLEA(LEASettings(**{**vars(SMALL), "quantiser": quantiser}))
        masked, board = colours(30, generator)
        start_codebook(model, masked, generator)
        before = model.codebook.detach().clone()
        parts = lea_loss(model, masked, board)
        parts["loss"].backward()
        update_codebook(model, parts, generator)
        moved = not torch.equal(before, model.codebook.detach())
        assert moved == (quantiser == "ema")
        assert (model.codebook.grad is not None) == (quantiser == "gradient")


def test_lea_learns_to_be_understood():
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    model = TinyLEA(SMALL)
    history = train_lea(model, lambda: colours(32, generator), 300, 200, lr=5e-3, generator=generator)
    assert all(len(values) == 300 for values in history.values())
    assert history["vq"][:200] == [0.0] * 200 and history["vq"][200] > 0
    masked, board = colours(50, generator)
    right = (draw(model, speak(model, masked)).argmax(-1) == board).float().mean()
    assert right > 0.9, f"only {float(right):.2f} of the cells are drawn right from words"


def test_usage_and_sparsity_have_gradients():
    """The published losses of this name are functions of one-hot choices and have none."""
    torch.manual_seed(0)
    x = torch.randn(50, 4, requires_grad=True)
    words = torch.randn(6, 4)
    share = soft_usage(x, words)
    assert abs(float(share.sum()) - 1) < 1e-5
    (share.square().sum()).backward()
    assert float(x.grad.abs().sum()) > 0
    one = soft_usage(words[2].expand(20, 4) + 1e-3, words)
    assert int(one.argmax()) == 2 and float(one[2]) > 0.99
    model = TinyLEA(SMALL)
    masked, board = colours(20, torch.Generator().manual_seed(1))
    plain = lea_loss(model, masked, board)["loss"]
    parts = published_score(1.0, 0.5, 0.25)(model, masked, board)
    extra = 0.5 * parts["usage"] + 0.25 * parts["sparsity"]
    torch.testing.assert_close(parts["loss"], plain + extra)
    extra.backward()
    assert float(model.slots.grad.abs().sum()) > 0


def test_measuring_leaves_the_language_alone():
    """Speaking, drawing and measuring in train mode move no word (the published codebook moves while it is tested)."""
    torch.manual_seed(0)
    model = TinyLEA(SMALL)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    masked, board = colours(20, torch.Generator().manual_seed(1))
    draw(model, speak(model, masked))
    lea_loss(model, masked, board)["loss"].backward()
    assert model.training and all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_only_training_before_the_words_is_blurred():
    torch.manual_seed(0)
    model, generator = TinyLEA(SMALL), torch.Generator().manual_seed(0)
    masked, board = colours(400, generator)
    clear = lea_loss(model, masked, board, quantised=False)["vectors"]
    with blurred(model, 0.3, generator):
        with torch.no_grad():
            still = lea_loss(model, masked, board, quantised=False)["vectors"]
        first, second = (lea_loss(model, masked, board, quantised=False)["vectors"] for _ in range(2))
        model.started.fill_(True)
        started = lea_loss(model, masked, board)["vectors"]
    assert torch.equal(still, clear) and torch.equal(started, clear) and not torch.equal(first, second)
    assert abs(float((first - clear).std()) - 0.3) < 0.01 and not model.composer_norm._forward_hooks


def test_the_words_start_once():
    torch.manual_seed(0)
    model, generator = TinyLEA(SMALL), torch.Generator().manual_seed(0)
    masked, _ = colours(30, generator)
    start_codebook(model, masked, generator)
    first = model.codebook.clone()
    start_codebook(model, masked.flip(0), generator)
    assert bool(model.started) and torch.equal(first, model.codebook)
