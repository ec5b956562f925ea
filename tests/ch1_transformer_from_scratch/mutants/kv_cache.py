"""Wrong answers to exercise 1.22 that learners write, and right ones written differently."""

import torch

from utils.grade.mutants import right, wrong


@right
class Lists:
    """Chunks are kept in lists and joined when asked for."""

    def __init__(self, config, batch_size):
        self.layers = config.num_transformer_layers
        self.config, self.store = config, {}

    def append(self, layer, keys, values):
        kept = self.store.setdefault(layer, ([], []))
        kept[0].append(keys)
        kept[1].append(values)
        return torch.cat(kept[0], 1), torch.cat(kept[1], 1)

    @property
    def length(self):
        if len(self.store) < self.layers:
            return 0
        return min(sum(k.shape[1] for k in kept[0]) for kept in self.store.values())


@right
class Buffers:
    """One buffer of the context's size; each layer counts for itself."""

    def __init__(self, config, batch_size):
        N, H, T = config.num_attention_heads, config.attention_head_dimension, config.context_length
        self.data = torch.zeros(config.num_transformer_layers, 2, batch_size, T, N, H)
        self.filled = [0] * config.num_transformer_layers

    def append(self, layer, keys, values):
        start, end = self.filled[layer], self.filled[layer] + keys.shape[1]
        self.data[layer, 0, :, start:end] = keys
        self.data[layer, 1, :, start:end] = values
        self.filled[layer] = end
        return self.data[layer, 0, :, :end], self.data[layer, 1, :, :end]

    @property
    def length(self):
        return self.filled[-1]


@wrong("append returns only the new keys and values: all of them are needed")
class OnlyTheNew(Lists):
    def append(self, layer, keys, values):
        super().append(layer, keys, values)
        return keys, values


@wrong("append returns what was there before, without the new tokens")
class OnlyTheOld(Lists):
    def append(self, layer, keys, values):
        all_keys, all_values = super().append(layer, keys, values)
        old = all_keys.shape[1] - keys.shape[1]
        return all_keys[:, :old], all_values[:, :old]


@wrong("keys and values are swapped")
class Swapped(Lists):
    def append(self, layer, keys, values):
        return super().append(layer, keys, values)[::-1]


@wrong("append returns nothing")
class ReturnsNothing(Lists):
    def append(self, layer, keys, values):
        super().append(layer, keys, values)


@wrong("new tokens are put in front of the earlier ones: they come after them")
class InFront(Lists):
    def append(self, layer, keys, values):
        kept = self.store.setdefault(layer, ([], []))
        kept[0].insert(0, keys)
        kept[1].insert(0, values)
        return torch.cat(kept[0], 1), torch.cat(kept[1], 1)


@wrong("new tokens are joined along the wrong axis: the sequence is axis 1 of (B, T, N, H)")
class WrongAxis(Lists):
    def append(self, layer, keys, values):
        kept = self.store.setdefault(layer, ([], []))
        kept[0].append(keys)
        kept[1].append(values)
        return torch.cat(kept[0], 2), torch.cat(kept[1], 2)


@wrong("new tokens overwrite the first ones, because writing starts at position 0 again")
class Overwrites(Buffers):
    def append(self, layer, keys, values):
        T = keys.shape[1]
        self.data[layer, 0, :, :T], self.data[layer, 1, :, :T] = keys, values
        self.filled[layer] = end = self.filled[layer] + T
        return self.data[layer, 0, :, :end].clone(), self.data[layer, 1, :, :end].clone()


@wrong("the whole buffer is returned, with zeros where there is no token yet")
class WholeBuffer(Buffers):
    def append(self, layer, keys, values):
        super().append(layer, keys, values)
        return self.data[layer, 0], self.data[layer, 1]


@wrong("all layers share one store: each layer has keys and values of its own")
class OneStore(Lists):
    def append(self, layer, keys, values):
        return super().append(0, keys, values)

    @property
    def length(self):
        return sum(k.shape[1] for kept in self.store.values() for k in kept[0]) // self.layers


@wrong("the first layer advances the writing position, so the layers after it write one chunk too far")
class OnePosition(Buffers):
    def append(self, layer, keys, values):
        if layer == 0:
            self.filled = [self.filled[0] + keys.shape[1]] * len(self.filled)
            self.before = self.filled[0] - keys.shape[1]
        start = self.before if layer == 0 else min(self.filled[0], self.data.shape[3] - keys.shape[1])
        self.data[layer, 0, :, start : start + keys.shape[1]] = keys
        self.data[layer, 1, :, start : start + keys.shape[1]] = values
        end = self.filled[0]
        return self.data[layer, 0, :, :end].clone(), self.data[layer, 1, :, :end].clone()


@wrong("every layer's append is counted: length is the number of tokens, not tokens times layers")
class CountsLayers(Lists):
    count = 0

    def append(self, layer, keys, values):
        self.count += keys.shape[1]
        return super().append(layer, keys, values)

    @property
    def length(self):
        return self.count


@wrong("length counts the chunks, not the tokens in them")
class CountsChunks(Lists):
    @property
    def length(self):
        return len(self.store.get(0, ([],))[0])


@wrong("length is the size of the last chunk, not of all of them")
class LastChunk(Lists):
    @property
    def length(self):
        return self.store[0][0][-1].shape[1] if self.store else 0


@wrong("length is that of the context from the start: count the tokens that were appended")
class WholeContext(Lists):
    @property
    def length(self):
        return self.config.context_length


@wrong("length is the batch size (axis 0), not the number of tokens (axis 1)")
class BatchLength(Lists):
    @property
    def length(self):
        return self.store[0][0][0].shape[0] if self.store else 0


SHARED = "all caches share one store, made once for the class or as a default argument: make it in __init__"


@wrong(SHARED)
class Shared(Lists):
    everyones = {}

    def __init__(self, config, batch_size):
        super().__init__(config, batch_size)
        self.store = self.everyones


@wrong(SHARED)
class SharedByDefault(Lists):
    def __init__(self, config, batch_size, store={}):  # noqa: B006
        super().__init__(config, batch_size)
        self.store = store


@wrong("length is a method: it is read without brackets, so @property belongs above it")
class LengthAsMethod(Lists):
    def length(self):
        return Lists.length.fget(self)


@wrong("length is a tensor: return a Python int")
class LengthAsTensor(Lists):
    @property
    def length(self):
        return torch.tensor(super().length)


@wrong("the cache moves its contents within its memory, so what it returned earlier changes afterwards")
class SlidesInPlace(Buffers):
    def append(self, layer, keys, values):
        T = keys.shape[1]
        self.filled[layer] += T
        for buffer, new in zip(self.data[layer], (keys, values), strict=True):
            buffer.copy_(buffer.roll(-T, 1))
            buffer[:, -T:] = new
        return tuple(buffer[:, -self.filled[layer] :] for buffer in self.data[layer])


@wrong("the last position of the context is missing: context_length tokens must fit")
class OneTooSmall(Buffers):
    def append(self, layer, keys, values):
        room = self.data.shape[3] - 1 - self.filled[layer]
        return super().append(layer, keys[:, :room], values[:, :room])


@wrong("new tokens are joined along the wrong axis: the sequence is axis 1 of (B, T, N, H)")
class AlongTheBatch(Lists):
    def append(self, layer, keys, values):
        super().append(layer, keys, values)
        return tuple(torch.cat(chunks) for chunks in self.store[layer])


@wrong("new tokens are joined along the wrong axis: the sequence is axis 1 of (B, T, N, H)")
class AlongTheHeads(Lists):
    def append(self, layer, keys, values):
        super().append(layer, keys, values)
        return tuple(torch.cat(chunks, 2) for chunks in self.store[layer])


@wrong("all layers share one store: each layer has keys and values of its own")
class OneStoreCounted(Lists):
    def append(self, layer, keys, values):
        self.layers = 1
        return super().append(0, keys, values)


@wrong("keys and values share one list, so values end up among the keys: make two")
class OneList(Lists):
    def append(self, layer, keys, values):
        kept = self.store.setdefault(layer, [[]] * 2)
        kept[0].append(keys)
        kept[1].append(values)
        return torch.cat(kept[0], 1), torch.cat(kept[1], 1)


@wrong("append returns the lists of all layers: return the keys and the values of the layer that is asked for")
class AllLayers(Lists):
    def append(self, layer, keys, values):
        super().append(layer, keys, values)
        return tuple([torch.cat(self.store[i][kind], 1) for i in self.store] for kind in (0, 1))


@wrong("an empty cache can't tell its length: it must be 0 before the first append")
class NoLengthAtFirst(Lists):
    @property
    def length(self):
        return self.store.get(self.layers - 1, (None,))[0].shape[1]
