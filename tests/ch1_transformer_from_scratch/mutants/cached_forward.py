"""Wrong answers to exercise 1.23 that learners write, and right ones written differently."""

import torch

from utils.grade import right, slips

F = torch.nn.functional

slip = slips("""
    def cached_forward(model, tokens, cache):
        start, end = cache.length, cache.length + tokens.shape[1]
        if end > model.config.context_length:
            raise ValueError(f"{end} tokens are too many")
        x = model.embedding(tokens) + model.positional_embedding.W_P[start:end]
        for layer, block in enumerate(model.blocks):
            a, y = block.attention, block.layer_norm_1(x)
            q = torch.einsum("bte,neh->btnh", y, a.W_Q) + a.b_Q
            k = torch.einsum("bte,neh->btnh", y, a.W_K) + a.b_K
            v = torch.einsum("bte,neh->btnh", y, a.W_V) + a.b_V
            all_k, all_v = cache.append(layer, k, v)
            scores = torch.einsum("bqnh,bknh->bnqk", q, all_k) / q.shape[-1] ** 0.5
            Q, K = scores.shape[-2:]
            pattern = scores.masked_fill(torch.ones(Q, K, dtype=torch.bool).triu(K - Q + 1), -1e9).softmax(-1)
            mixed = torch.einsum("bnqk,bknh->bqnh", pattern, all_v)
            x = x + torch.einsum("bqnh,nhe->bqe", mixed, a.W_O) + a.b_O
            x = x + block.mlp(block.layer_norm_2(x))
        return model.unembedding(model.final_layer_norm(x))
""")
MASKED = "scores.masked_fill(torch.ones(Q, K, dtype=torch.bool).triu(K - Q + 1), -1e9)"
ERROR = 'if end > model.config.context_length:\n        raise ValueError(f"{end} tokens are too many")\n    '
NORM_1, MLP = "y = block.attention, block.layer_norm_1(x)", "        x = x + block.mlp(block.layer_norm_2(x))\n"
LOOP, PLACES = "for layer, block in enumerate(model.blocks):\n        ", "W_P[start:end]"

no_mask = slip("the causal mask is missing: even in one chunk a token must not see later ones", MASKED, "scores")
one_ahead = slip("the mask lets each token see the next one", "K - Q + 1", "K - Q + 2")
not_itself = slip("the mask hides each token from itself", "K - Q + 1", "K - Q")
top_left = slip(
    "the mask is aligned at the top left, as if the new tokens were at the start: T_K - T_Q is missing",
    "K - Q + 1", "1",
)  # fmt: skip
mask_when_empty = slip(
    "the mask is left out as soon as the cache holds something: several new tokens then see each other's future",
    MASKED, f"(scores if start else {MASKED})",
)  # fmt: skip
unscaled = slip("the scores are not divided by the square root of H", " / q.shape[-1] ** 0.5", "")
no_biases = slip(
    "the biases of queries, keys and values are missing", " + a.b_Q", "", " + a.b_K", "", " + a.b_V", ""
)  # fmt: skip
no_query_bias = slip("the bias of the queries, b_Q, is missing", " + a.b_Q", "")
no_value_bias = slip("the bias of the values, b_V, is missing", " + a.b_V", "")
no_output_bias = slip("the bias of attention's output, b_O, is missing", " + a.b_O", "")
no_mlp = slip("the MLP is missing: each block ends with it, added to the stream", MLP, "")
no_second_norm = slip(
    "the MLP reads the raw stream: layer_norm_2 is missing", "block.mlp(block.layer_norm_2(x))", "block.mlp(x)"
)
first_norm_twice = slip(
    "the MLP reads through layer_norm_1: it has its own, layer_norm_2", "block.layer_norm_2", "block.layer_norm_1"
)
no_first_norm = slip(
    "queries, keys and values are computed from the raw stream: they must read it through layer_norm_1",
    NORM_1, "y = block.attention, x",
)  # fmt: skip
keys_of_the_stream = slip(
    "the keys are computed from the raw stream: they must read it through layer_norm_1, as the queries do",
    "y, a.W_K", "x, a.W_K",
)  # fmt: skip
values_of_the_stream = slip(
    "the values are computed from the raw stream: they must read it through layer_norm_1, as the queries do",
    "y, a.W_V", "x, a.W_V",
)  # fmt: skip
keys_and_values_of_the_stream = slip(
    "keys and values are computed from the raw stream: they must read it through layer_norm_1, as the queries do",
    "y, a.W_K", "x, a.W_K", "y, a.W_V", "x, a.W_V",
)  # fmt: skip
mlp_residual_lost = slip(
    "the residual stream is lost at the MLP: what it writes is added to the stream",
    "x = x + block.mlp", "x = block.mlp",
)  # fmt: skip
no_final_norm = slip("the final layer norm is missing", "model.final_layer_norm(x)", "x")
last_only = slip(
    "only the logits of the last token are returned: return those of all new tokens", "norm(x))", "norm(x))[:, -1:]"
)
first_row = slip(
    "the keys of all rows are taken from the first row of the batch", "q, all_k)", "q, all_k[:1].expand_as(all_k))"
)
no_offset = slip(
    "positions start from 0 at every chunk: the first new token is at position cache.length",
    PLACES, "W_P[: tokens.shape[1]]",
)  # fmt: skip
OFF_BY_ONE = "positions are off by one once the cache holds something"
offset_by_one = slip(OFF_BY_ONE, PLACES, "W_P[max(start - 1, 0) :][: tokens.shape[1]]")
one_position_ahead = slip(OFF_BY_ONE, PLACES, "W_P[start + 1 if start else 0 :][: tokens.shape[1]]")
late_positions = slip(
    "the last position of the context is never used: the token there gets the position before it",
    PLACES, "W_P[torch.arange(start, end).clamp(max=model.config.context_length - 2)]",
)  # fmt: skip
no_positions = slip(
    "the positional embedding is missing: its rows from cache.length on are added to the token embedding",
    " + model.positional_embedding.W_P[start:end]", "",
)  # fmt: skip
positions_in_every_layer = slip(
    "the positional embedding is added in every layer: it belongs to the input of the first one",
    LOOP, f"{LOOP}x = x + (layer > 0) * model.positional_embedding.W_P[start:end]\n        ",
)  # fmt: skip
new_only = slip(
    "the new tokens attend only to each other: what the cache returns is not used",
    "all_k, all_v = cache.append(layer, k, v)", "cache.append(layer, k, v)\n        all_k, all_v = k, v",
)  # fmt: skip
layer_zero = slip("all layers read and write the cache's layer 0", "append(layer", "append(0")
appended_twice = slip(
    "the cache is written twice for every chunk, so each key is stored twice",
    "all_k, all_v =", "cache.append(layer, k, v)\n        all_k, all_v =",
)  # fmt: skip
SWAPPED = "keys and values are passed to the cache, or taken from it, in the wrong order: keys come first"
swapped = slip(
    SWAPPED,
    "all_k, all_v = cache.append(layer, k, v)", "all_k, all_v = cache.append(layer, v, k)",
)  # fmt: skip
swapped_back = slip(
    SWAPPED,
    "all_k, all_v = cache", "all_v, all_k = cache",
)  # fmt: skip
no_residual = slip(
    "the residual stream is lost: what attention adds replaces it", "x = x + torch.einsum", "x = torch.einsum"
)
offset_read_late = slip(
    "the mask's offset is read from the cache inside the loop, where blocks have appended already: read it before",
    "triu(K - Q + 1)", "triu(cache.length + 1)",
)  # fmt: skip
AS_A_WHOLE = "the model or a block is called as a whole, but it doesn't know about the cache: write attention out here"
calls_the_model = slip(AS_A_WHOLE, "x = model.embedding", "return model(tokens)\n    x = model.embedding")
calls_the_attention = slip(
    AS_A_WHOLE,
    "a, y = block.attention",
    "x = x + block.attention(block.layer_norm_1(x))\n        a, y = block.attention",
)
no_error = slip(
    "past the context length no ValueError is raised: count the tokens in the cache and the new ones together",
    ERROR,
    "",
)
# often forgotten along with another mistake
AND_NO_ERROR = ", and past the context length no ValueError is raised"
no_mask_no_error = slip(
    "the causal mask is missing: even in one chunk a token must not see later ones" + AND_NO_ERROR,
    ERROR, "", MASKED, "scores",
)  # fmt: skip
top_left_no_error = slip(
    "the mask is aligned at the top left, as if the new tokens were at the start: T_K - T_Q is missing" + AND_NO_ERROR,
    ERROR, "", "K - Q + 1", "1",
)  # fmt: skip
no_offset_no_error = slip(
    "positions start from 0 at every chunk: the first new token is at position cache.length" + AND_NO_ERROR,
    ERROR, "", PLACES, "W_P[: tokens.shape[1]]",
)  # fmt: skip
unscaled_no_error = slip(
    "the scores are not divided by the square root of H" + AND_NO_ERROR, ERROR, "", " / q.shape[-1] ** 0.5", ""
)
no_mlp_no_error = slip(
    "the MLP is missing: each block ends with it, added to the stream" + AND_NO_ERROR, ERROR, "", MLP, ""
)
no_biases_no_error = slip(
    "the biases of queries, keys and values are missing" + AND_NO_ERROR,
    ERROR, "", " + a.b_Q", "", " + a.b_K", "", " + a.b_V", "",
)  # fmt: skip
no_first_norm_no_error = slip(
    "queries, keys and values are computed from the raw stream: they must read it through layer_norm_1" + AND_NO_ERROR,
    ERROR, "", NORM_1, "y = block.attention, x",
)  # fmt: skip
new_tokens_only_counted = slip(
    "only the new tokens are compared with the context length: those in the cache count as well",
    "if end > model", "if tokens.shape[1] > model",
)  # fmt: skip
one_too_early = slip(
    "exactly context_length tokens are refused: they fit, and only more than that do not",
    "if end > model",
    "if end >= model",
)


@right
def by_sdpa(model, tokens, cache):
    start, T = cache.length, tokens.shape[1]
    if start + T > model.config.context_length:
        raise ValueError("too long")
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
def token_by_token(model, tokens, cache):
    if cache.length + tokens.shape[1] > model.config.context_length:
        raise ValueError("these tokens do not fit")
    logits = []
    with torch.no_grad():
        for t in range(tokens.shape[1]):
            place = cache.length
            x = model.embedding(tokens[:, t : t + 1]) + model.positional_embedding.W_P[place]
            for layer, block in enumerate(model.blocks):
                a, y = block.attention, block.layer_norm_1(x)[:, 0]
                q, k, v = (y @ getattr(a, f"W_{c}") + getattr(a, f"b_{c}")[:, None] for c in "QKV")  # (N, B, H)
                k, v = cache.append(layer, k.transpose(0, 1)[:, None], v.transpose(0, 1)[:, None])
                share = (torch.einsum("nbh,bknh->bnk", q, k) / q.shape[-1] ** 0.5).softmax(-1)
                mixed = torch.einsum("bnk,bknh->bnh", share, v)
                x = x + (torch.einsum("bnh,nhe->be", mixed, a.W_O) + a.b_O)[:, None]
                x = x + block.mlp(block.layer_norm_2(x))
            logits.append(model.unembedding(model.final_layer_norm(x)))
    return torch.cat(logits, dim=1)
