"""Chapter 1 against transformers' GPT-2 of the same size, and cached against uncached generation."""

import gc
import importlib
import time
from types import SimpleNamespace

import torch

from tests.bench.table import Row, faster, interleaved, within
from utils import course

BATCH, CONTEXT = 8, 256
SIZES = {"embedding_dimension": 128, "num_attention_heads": 4, "attention_head_dimension": 32, "mlp_dimension": 512}
SIZES |= {"num_transformer_layers": 4, "vocabulary_size": 1024, "context_length": CONTEXT}
WIDE = {"embedding_dimension": 384, "num_attention_heads": 6, "attention_head_dimension": 64, "mlp_dimension": 1536}
WIDE |= {"num_transformer_layers": 6, "vocabulary_size": 1024, "context_length": 320}
NEW_TOKENS = 256


def rows() -> list[Row]:
    ours = _reference()
    return [*training(ours), *generation(ours)]


def _reference() -> SimpleNamespace:
    """The public names of the reference's modules, loaded now and not at import time."""
    package = f"solutions.{course.chapter_name('ch1')}"
    found: dict = {}
    for module in ("config", "model", "objective", "fast", "cache", "generation"):
        found.update(vars(importlib.import_module(f"{package}.{module}")))
    return SimpleNamespace(**found)


def training(ours) -> list[Row]:
    """Tokens a second of a full step (forward, backward, AdamW) on one batch, all three models in turns."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = ours.TransformerConfig(**SIZES, device="cpu")
    reference = ours.Transformer(config)
    fast = ours.FastTransformer(config).read(reference)
    peer_config = GPT2Config(
        vocab_size=1024,
        n_positions=CONTEXT,
        n_embd=128,
        n_layer=4,
        n_head=4,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        use_cache=False,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=0,
        attn_implementation="eager",
    )
    peer = GPT2LMHeadModel(peer_config).train()
    tokens = torch.randint(0, 1024, (BATCH, CONTEXT))
    with torch.no_grad():
        gap = float((reference(tokens) - fast(tokens)).abs().max())

    def step(model, loss_of):
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, fused=True)

        def run():
            optimizer.zero_grad()
            loss_of(tokens).backward()
            optimizer.step()

        return run

    seconds = interleaved(
        step(reference, lambda tokens: ours.next_token_loss(reference(tokens), tokens)),
        step(fast, fast.loss),
        step(peer, lambda tokens: ours.next_token_loss(peer(tokens).logits, tokens)),
        repeats=30,
    )
    plain, quick, theirs = (BATCH * CONTEXT / s for s in seconds)
    return [
        faster("training: readable reference / transformers' GPT-2 (eager)", "tokens/s", plain, theirs, 0.85),
        faster("training: fast path / transformers' GPT-2 (eager)", "tokens/s", quick, theirs, 1.3),
        within("fast path: largest difference of a logit from the reference", "", gap, 1e-5),
    ]


def generation(ours) -> list[Row]:
    """Greedy writing of 256 tokens, each token read once against the whole text read again for every token."""
    found = []
    gc.collect()
    gc.freeze()  # what the rows above left behind is not searched again while these run
    for name, sizes, goal in (("the chapter's size", SIZES, 3.0), ("6 layers of width 384", WIDE, 5.0)):
        torch.manual_seed(0)
        model = ours.Transformer(ours.TransformerConfig(**sizes | {"context_length": 320}, device="cpu"))
        prompt = torch.randint(0, 1024, (16,))
        cached, uncached = [], []
        for _ in range(3):
            for kept, write in ((cached, ours.generate_cached), (uncached, ours.generate)):
                start = time.perf_counter()
                write(model, prompt, NEW_TOKENS)
                kept.append(time.perf_counter() - start)
        rate = NEW_TOKENS / min(cached), NEW_TOKENS / min(uncached)
        found.append(faster(f"generation: cached / uncached, {name}", "tokens/s", *rate, goal))
    return found
