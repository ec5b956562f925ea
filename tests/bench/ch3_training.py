"""Chapter 3's trainings: data and steps against their budgets, and against a plain loop in the manner of the original.

All by processor seconds of one thread.
"""

import importlib
import random
import time

import torch
import torch.nn.functional as F
from torch import nn

from tests.bench.table import Row, faster, within
from utils import course

DATA = ("reverse_100", "hist_26", "hist2_26", "sort_100", "sort_by_freq_26_bos", "dyck2_ptf")
SUPERVISED = "hist2_10_bos_with_attns"


def rows() -> list[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [*language(), *data(), *steps(), *against_a_plain_loop()]
    finally:
        torch.set_num_threads(threads)


def _module(name: str):
    return importlib.import_module(f"solutions.{course.chapter_name('ch3')}.{name}")


def _cpu(run, repeats: int = 3) -> float:
    """Processor seconds of the quickest of several calls, after a warm-up: other programs can only slow it down."""
    run()
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return min(seconds)


def language() -> list[Row]:
    """The interpreter on a long input, and the compiler."""
    rasp, compiler = _module("programs"), _module("compiler")
    tokens = _module("language").tokens
    text = random.Random(0).choices("abcdefghijklmnopqrstuvwxyz", k=200)
    count, swap = rasp.hist(tokens), rasp.reverse(tokens)
    run = 1000 * _cpu(lambda: count(text), 20)
    compiled = _cpu(lambda: compiler.compile_rasp(swap, list("abcdefghij"), 10))
    return [
        within("ch3 interpreter: hist of 200 tokens", "ms", run, 5),
        within("ch3 compiler: reverse, up to 10 tokens", "s", compiled, 1.0),
    ]


def data() -> list[Row]:
    """50,000 strings of a task, with their targets, at the course's length and at the paper's."""
    languages, found = _module("languages"), []
    for longest, goal in ((16, 0.5), (100, 0.5)):
        seconds = max(_cpu(lambda k=k: languages.language(k).batch(50_000, longest), 2) for k in DATA)  # noqa: B023
        found.append(within(f"ch3 data: 50,000 strings up to {longest}, slowest task", "s", seconds, goal))
    return found


def _training(lang: str, layers: int, heads: int, width: int, longest: int, batch: int, n: int, bucket: int = 1):
    """A call that trains one epoch of n strings with the chapter's own train, data and attention targets included."""
    runs, settings, training = _module("runs"), _module("settings"), _module("training")
    args = settings.RunArgs(
        lang, nheads=heads, nlayers=layers, d_model=width, batch_size=batch, longest=longest, n_train=n, bucket=bucket
    )
    model = runs.Tagger(args)
    parts = runs.splits(args)
    validation = list(parts["valid"].first(2).batches(2))

    def run() -> None:
        weight = args.attn_loss_c if args.attention else 0.0
        epoch = parts["train"].batches(batch, torch.Generator().manual_seed(0), args.attention, bucket)
        training.train(model, [epoch], validation, runs.optimizer_of(model, args), attention_weight=weight)

    return run


def steps() -> list[Row]:
    """Samples in a processor second at the chapter's small settings."""
    found = []
    for lang, heads, goal in (("reverse_10", 1, 4000), (SUPERVISED, 2, 3000)):
        seconds = _cpu(_training(lang, 2, heads, 64, 16, 128, 4096, bucket=8))
        found.append(faster(f"ch3 training: {lang}, length <= 16, width 64", "samples/s", 4096 / seconds, goal, 1.0))
    return found


class _PlainLayer(nn.Module):
    """Torch's own attention and layers, sequence first, layer norm after each addition, as the original has them."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads)
        self.first, self.second = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, hidden):
        read, pattern = self.attention(x, x, x, key_padding_mask=hidden, average_attn_weights=False)
        x = self.norm_1(x + read)
        return self.norm_2(x + self.second(F.relu(self.first(x)))), pattern


class _PlainModel(nn.Module):
    def __init__(self, vocabulary: int, classes: int, width: int, heads: int, layers: int, longest: int):
        super().__init__()
        self.embedding, self.out = nn.Embedding(vocabulary, width), nn.Linear(width, classes)
        self.layers = nn.ModuleList(_PlainLayer(width, heads) for _ in range(layers))
        place = torch.arange(longest + 1)[:, None] / 10_000 ** (torch.arange(0, width, 2) / width)
        self.places = torch.stack([place.sin(), place.cos()], -1).flatten(1)[:, None]

    def forward(self, tokens, hidden):
        x, patterns = self.embedding(tokens.T) + self.places[: tokens.shape[1]], []
        for layer in self.layers:
            x, pattern = layer(x, hidden)
            patterns.append(pattern)
        return self.out(x), patterns


def _plain(lang: str, layers: int, heads: int, width: int, longest: int, batch: int, n: int):
    """The same epoch as a plain loop: unsorted batches, losses string by string, targets as Python lists."""
    language = _module("languages").language(lang)
    draw = random.Random(0)
    texts = [
        "§" * language.bos + "".join(draw.choices(language.alphabet, k=draw.randint(1, longest))) for _ in range(n)
    ]
    number = {name: place for place, name in enumerate(language.classes)}
    samples = [
        (language.encode(t)[0][0], torch.tensor([number[c] for c in language.target(t)]), t) for t in texts
    ]  # made once: the loop below is what is timed
    model = _PlainModel(language.vocabulary, len(language.classes), width, heads, layers, longest)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)

    def run() -> None:
        for start in range(0, n, batch):
            part = samples[start : start + batch]
            tokens = nn.utils.rnn.pad_sequence([x for x, _, _ in part], batch_first=True)
            lengths = torch.tensor([len(x) for x, _, _ in part])
            hidden = torch.arange(tokens.shape[1]) >= lengths[:, None]
            logits, patterns = model(tokens, hidden)
            loss = sum(F.cross_entropy(logits[: len(y), i], y) for i, (_, y, _) in enumerate(part)) / len(part)
            if language.supervised:
                far = 0.0
                for i, (x, _, text) in enumerate(part):
                    for name, matrix in language.attention(text).items():
                        wanted = torch.tensor(matrix).float() + 1e-8
                        wanted = wanted / wanted.sum(1, keepdim=True)
                        got = patterns[int(name[1])][i, int(name[3]), : len(x), : len(x)]
                        far = far + F.mse_loss(got, wanted)
                loss = loss + 100 * far / len(part)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def against_a_plain_loop() -> list[Row]:
    """Samples in a processor second at the paper's width and length; the two are timed in turns."""
    found = []
    for lang, heads, goal in (("reverse_10", 1, 1.6), (SUPERVISED, 2, 2.0)):
        n = 800  # 16 batches, which the program by default sorts by length together
        ours = _training(lang, 2, heads, 256, 100, 50, n, bucket=16)
        plain = _plain(lang, 2, heads, 256, 100, 50, n)
        seconds: dict = {ours: [], plain: []}
        for _ in range(2):
            for run in (ours, plain):
                start = time.process_time()
                run()
                seconds[run].append(time.process_time() - start)
        one, other = (n / min(seconds[run]) for run in (ours, plain))
        found.append(
            faster(f"ch3 training: {lang}, length <= 100, width 256, plain loop", "samples/s", one, other, goal)
        )
    return found
