"""Wrong answers to exercise 1.23 that learners write, and right ones written differently."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F

from utils.grade.mutants import right, wrong


def attend(attention, x, cache, layer, *, mask="right", scale=True, first_row=False, bias="QKV", new_only=False):
    """Attention of the new tokens over all keys; the options are the mistakes."""
    q, k, v = (
        torch.einsum("bte,neh->btnh", x, getattr(attention, f"W_{c}"))
        + (getattr(attention, f"b_{c}") if c in bias else 0)
        for c in "QKV"
    )
    all_k, all_v = cache.append(layer, k, v)
    if new_only:
        all_k, all_v = k, v
    if first_row:
        all_k = all_k[:1].expand_as(all_k)
    scores = torch.einsum("bqnh,bknh->bnqk", q, all_k)
    if scale:
        scores = scores / q.shape[-1] ** 0.5
    Q, K = scores.shape[-2:]
    offset = {"right": K - Q, "top left": 0, "one ahead": K - Q + 1, "not itself": K - Q - 1, "empty only": K - Q}.get(
        mask
    )
    if mask == "never" or (mask == "empty only" and K > Q):
        pattern = scores.softmax(-1)
    else:
        hidden = torch.ones(Q, K, dtype=torch.bool).triu(offset + 1)
        pattern = scores.masked_fill(hidden, -1e9).softmax(-1)
    mixed = torch.einsum("bnqk,bknh->bqnh", pattern, all_v)
    return torch.einsum("bqnh,nhe->bqe", mixed, attention.W_O) + attention.b_O


def run(model, tokens, cache, start=None, only_layer_zero=False, final_norm=True, last=False, **options):
    start = cache.length if start is None else start
    x = model.embedding(tokens) + model.positional_embedding.W_P[start : start + tokens.shape[1]]
    for layer, block in enumerate(model.blocks):
        x = x + attend(block.attention, block.layer_norm_1(x), cache, 0 if only_layer_zero else layer, **options)
        x = x + block.mlp(block.layer_norm_2(x))
    if last:
        x = x[:, -1:]
    return model.unembedding(model.final_layer_norm(x) if final_norm else x)


@wrong("the causal mask is missing: even in one chunk a token must not see later ones")
def no_mask(model, tokens, cache):
    return run(model, tokens, cache, mask="never")


@wrong("the mask lets each token see the next one")
def one_ahead(model, tokens, cache):
    return run(model, tokens, cache, mask="one ahead")


@wrong("the mask hides each token from itself")
def not_itself(model, tokens, cache):
    return run(model, tokens, cache, mask="not itself")


@wrong("the scores are not divided by the square root of H")
def unscaled(model, tokens, cache):
    return run(model, tokens, cache, scale=False)


@wrong("the biases of queries, keys and values are missing")
def no_biases(model, tokens, cache):
    return run(model, tokens, cache, bias="")


@wrong("the final layer norm is missing")
def no_final_norm(model, tokens, cache):
    return run(model, tokens, cache, final_norm=False)


@wrong("only the logits of the last token are returned: return those of all new tokens")
def last_only(model, tokens, cache):
    return run(model, tokens, cache, last=True)


@wrong("the keys of all rows are taken from the first row of the batch")
def first_row(model, tokens, cache):
    return run(model, tokens, cache, first_row=True)


@wrong("positions start from 0 at every chunk: the first new token stands at position cache.length")
def no_offset(model, tokens, cache):
    return run(model, tokens, cache, start=0)


@wrong("positions are off by one once the cache holds something")
def offset_by_one(model, tokens, cache):
    return run(model, tokens, cache, start=max(cache.length - 1, 0))


@wrong("the new tokens attend only to each other: what the cache returns is not used")
def new_only(model, tokens, cache):
    return run(model, tokens, cache, new_only=True)


@wrong("the mask is aligned at the top left, as if the new tokens stood at the start: T_K - T_Q is missing")
def top_left(model, tokens, cache):
    return run(model, tokens, cache, mask="top left")


@wrong("the mask is left out as soon as the cache holds something: several new tokens then see each other's future")
def mask_when_empty(model, tokens, cache):
    return run(model, tokens, cache, mask="empty only")


@wrong("all layers read and write the cache's layer 0")
def layer_zero(model, tokens, cache):
    return run(model, tokens, cache, only_layer_zero=True)


@wrong("the cache is written twice for every chunk, so that each key is there two times")
def appended_twice(model, tokens, cache):
    start = cache.length
    if start:
        for layer, block in enumerate(model.blocks):
            x = block.layer_norm_1(
                model.embedding(tokens) + model.positional_embedding.W_P[start : start + tokens.shape[1]]
            )
            a = block.attention
            cache.append(
                layer, torch.einsum("bte,neh->btnh", x, a.W_K) + a.b_K, torch.einsum("bte,neh->btnh", x, a.W_V) + a.b_V
            )
    return run(model, tokens, cache, start=start)


@wrong("the positional embedding is added in every layer: it belongs to the input of the first one")
def positions_in_every_layer(model, tokens, cache):
    start, T = cache.length, tokens.shape[1]
    x = model.embedding(tokens) + model.positional_embedding.W_P[start : start + T]
    for layer, block in enumerate(model.blocks):
        if layer:
            x = x + model.positional_embedding.W_P[start : start + T]
        x = x + attend(block.attention, block.layer_norm_1(x), cache, layer)
        x = x + block.mlp(block.layer_norm_2(x))
    return model.unembedding(model.final_layer_norm(x))


@wrong("the last position of the context is never used: the token there gets the position before it")
def late_positions(model, tokens, cache):
    start, T = cache.length, tokens.shape[1]
    places = (torch.arange(start, start + T)).clamp(max=model.config.context_length - 2)
    x = model.embedding(tokens) + model.positional_embedding.W_P[places]
    for layer, block in enumerate(model.blocks):
        x = x + attend(block.attention, block.layer_norm_1(x), cache, layer)
        x = x + block.mlp(block.layer_norm_2(x))
    return model.unembedding(model.final_layer_norm(x))


@wrong("positions are off by one once the cache holds something")
def one_position_ahead(model, tokens, cache):
    return run(model, tokens, cache, start=cache.length + 1 if cache.length else 0)


@wrong("keys and values are handed to the cache in the wrong order: keys first")
def swapped(model, tokens, cache):
    turned = SimpleNamespace(length=cache.length, append=lambda layer, keys, values: cache.append(layer, values, keys))
    return run(model, tokens, turned)


@wrong("the residual stream is lost: what attention adds replaces it")
def no_residual(model, tokens, cache):
    start = cache.length
    x = model.embedding(tokens) + model.positional_embedding.W_P[start : start + tokens.shape[1]]
    for layer, block in enumerate(model.blocks):
        x = attend(block.attention, block.layer_norm_1(x), cache, layer)
        x = x + block.mlp(block.layer_norm_2(x))
    return model.unembedding(model.final_layer_norm(x))


@wrong("the model or a block is called as a whole, which knows nothing of the cache: write attention out here")
def calls_the_model(model, tokens, cache):
    return model(tokens)


@wrong("the model or a block is called as a whole, which knows nothing of the cache: write attention out here")
def calls_the_attention(model, tokens, cache):
    x = model.embedding(tokens) + model.positional_embedding.W_P[cache.length : cache.length + tokens.shape[1]]
    for block in model.blocks:
        x = x + block.attention(block.layer_norm_1(x))
    return model.unembedding(x)


@right
def by_sdpa(model, tokens, cache):
    start, T = cache.length, tokens.shape[1]
    places = torch.arange(start, start + T)
    x = model.embedding(tokens) + model.positional_embedding.W_P[places]
    seen = torch.arange(start + T)[None] <= places[:, None]
    for layer, block in enumerate(model.blocks):
        a, y = block.attention, block.layer_norm_1(x)
        q, k, v = (torch.einsum("bte,neh->btnh", y, w) + b for w, b in ((a.W_Q, a.b_Q), (a.W_K, a.b_K), (a.W_V, a.b_V)))
        k, v = cache.append(layer, k, v)
        mixed = F.scaled_dot_product_attention(*(part.transpose(1, 2) for part in (q, k, v)), attn_mask=seen)
        x = x + torch.einsum("bnth,nhe->bte", mixed, a.W_O) + a.b_O
        x = x + block.mlp(block.layer_norm_2(x))
    return model.unembedding(model.final_layer_norm(x))


@right
@torch.no_grad()
def token_by_token(model, tokens, cache):
    return torch.cat([run(model, tokens[:, t : t + 1], cache) for t in range(tokens.shape[1])], dim=1)
