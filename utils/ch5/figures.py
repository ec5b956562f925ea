"""The figures of chapter 5, drawn from what the learner's functions return; captions come from the same numbers."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from utils.ch5.shipped import FOLDER
from utils.plot import Explorer, Picture, bars, board_panels, explore, heatmap, line
from utils.plot.figures import plain_figure
from utils.plot.picture import CATEGORIES
from utils.train import read_json

SEEN = [colour for colour in CATEGORIES if colour != "#000000"]  # in a dark notebook as well
FEATURES = ("background", "object", "row", "column")  # what a board of the small world is made of


def panels(world, boards: Mapping[str, Int[Tensor, "S S"]], **more) -> Picture:
    """Boards of a world side by side; `more` as for `board_panels`."""
    return board_panels(boards, n_bg=world.n_bg, n_obj=world.n_obj, **more)


def opening() -> Explorer:
    """A trained network repaints the patch that is hidden from it; what it paints was worked out beforehand."""
    made = read_json(FOLDER / "data" / "opening.json")

    def draw(scene: int, patch_row: int, patch_column: int) -> Picture:
        whole = torch.tensor(made["scenes"][scene])
        painted = torch.tensor(made["painted"][scene][patch_row * 6 + patch_column])
        hidden, wrong = _patch(8, patch_row, patch_column, 3), painted != whole
        return board_panels(
            {"the scene": whole, "what the network sees": torch.where(hidden, 20, whole), "what it paints": painted},
            n_bg=10,
            n_obj=10,
            title=f"Scene {scene + 1}: {int(wrong.sum())} of {int(hidden.sum())} hidden cells painted wrong",
            caption="Tokens are numbers on the background and letters on objects; a question mark is a hidden cell, "
            "an outline a mistake.",
            marks={"what it paints": wrong},
        )

    scenes = [(f"scene {i + 1}", i) for i in range(len(made["scenes"]))]
    return explore(draw, scene=scenes, patch_row=range(6), patch_column=range(6))


def kinds(world, scenes: Mapping[str, Tensor]) -> Explorer:
    """Boards of the three kinds side by side."""
    names = ("one root", "two roots", "a composite")

    def draw(number: int) -> Picture:
        found = {name: int((scenes["kind"] == kind).nonzero()[number]) for kind, name in enumerate(names)}
        return panels(
            world,
            {name: scenes["board"][b] for name, b in found.items()},
            title="Boards of the world that you will train on: 6 x 6 cells, roots of 2 x 2",
            caption="Three of your boards; hover over a cell to see its root. The roots of a composite keep their "
            "order and their margin wherever it lies.",
            hover={
                name: [[_owner(r) for r in row] for row in scenes["root_id"][b].tolist()] for name, b in found.items()
            },
        )

    return explore(draw, number=range(8))


def _owner(root: int) -> str:
    return f"root {root}" if root >= 0 else "background"


def best_guesses(
    world, boards: Int[Tensor, "B S S"], masked: Int[Tensor, "B S S"], posterior: Float[Tensor, "B T V"]
) -> Explorer:
    """What the ideal observer says about masked boards, and how sure it is."""
    shape = masked.shape
    sure, best = (part.view(shape) for part in posterior.max(-1))

    def draw(board: int) -> Picture:
        return panels(
            world,
            {"the scene": boards[board], "what can be seen": masked[board], "the best guess": best[board]},
            title=f"Board {board}: the ideal observer is unsure about {int((sure[board] < 0.999).sum())} cells",
            caption="Hover over the right board for the probability of the best guess; outlined guesses are wrong. No "
            "network can do better on average.",
            marks={"the best guess": best[board] != boards[board]},
            hover={"the best guess": _percent(sure[board])},
        )

    unsure = (sure < 0.999).flatten(1).sum(1)
    return explore(draw, {"board": range(len(masked))}, {"board": int(unsure.argmax())})


def _percent(sure: Float[Tensor, "S S"]) -> list[list[str]]:
    return [[f"{p:.0%} sure" for p in row] for row in sure.tolist()]


def _patch(side: int, row: int, column: int, size: int) -> Bool[Tensor, "S S"]:
    hidden = torch.zeros(side, side, dtype=torch.bool)
    hidden[row : row + size, column : column + size] = True
    return hidden


def floor_and_ceiling(floor: Mapping[str, float], ceiling: Mapping[str, float]) -> Picture:
    """Accuracy by class of cell of the rule that knows nothing, and of the observer that knows everything."""
    shown = {"copy and background": floor, "ideal observer": ceiling}
    return bars(  # long names in two lines, so that they keep apart
        {who: {name.replace("_", "_<br>"): share for name, share in shares.items()} for who, shares in shown.items()},
        title="Floor and ceiling of this task, on 200 boards",
        y="accuracy",
        caption=f"On hidden object cells the floor is {floor['masked_object']:.0%} and the ceiling "
        f"{ceiling['masked_object']:.0%}: this is the number to watch.",
    )


def film(history: Mapping[str, Sequence[float]], floor: Mapping[str, float], ceiling: Mapping[str, float]) -> Picture:
    """The training so far, between floor and ceiling."""
    names = {"hidden background": "masked_background", "hidden objects": "masked_object", "whole boards": "board"}
    return line(
        {name: history.get(key, []) for name, key in names.items()},
        xs=history.get("step", []),
        title="The training film: what is learned when",
        x="steps",
        y="accuracy",
        levels={"ideal, hidden objects": ceiling["masked_object"], "floor, hidden objects": floor["masked_object"]},
        caption="Accuracy by class of cell. The floor copies and writes background; the ideal observer knows "
        "everything that can be known.",
    )


def restored(shares: Mapping[str, float]) -> Picture:
    """Whole boards by kind."""
    return bars(
        shares,
        title="Boards that your network restores completely",
        y="share of boards",
        caption="Whole boards by kind, 300 fresh ones each. A composite is one of five, so a glimpse of it says a "
        "lot; two roots need two glimpses.",
    )


def player(
    world,
    boards: Int[Tensor, "B S S"],
    network: Callable[[Tensor], Tensor],
    observer: Callable[[Tensor], Tensor],
) -> Explorer:
    """Hide a square and compare a network with the ideal observer; both map (1, T) to probabilities (1, T, V)."""

    @torch.no_grad()
    def draw(board: int, patch_row: int, patch_column: int, size: int) -> Picture:
        whole = boards[board]
        hole = _patch(world.side, patch_row, patch_column, size)
        seen = torch.where(hole, world.unk, whole)
        says, knows = (ask(seen.flatten()[None])[0] for ask in (network, observer))
        kl = (knows * (knows.clamp(min=1e-9).log() - says.clamp(min=1e-9).log())).sum(-1).view_as(whole)
        both = {"your network": says.max(-1), "ideal observer": knows.max(-1)}
        best = {name: top.indices.view_as(whole) for name, top in both.items()}
        return panels(
            world,
            {"the scene": whole, "what can be seen": seen, **best},
            title=f"Hidden cells: the network is {kl[hole].mean():.2f} nats a cell away from the ideal observer",
            caption="Outlined cells differ from the scene; where the ideal observer is wrong as well, nobody could "
            "know. Hover for how sure each is.",
            marks={name: guess != whole for name, guess in best.items()},
            hover={name: _percent(top.values.view_as(whole)) for name, top in both.items()},
        )

    places = range(world.side - 1)
    row, column = (boards[0] >= world.n_bg).nonzero()[0].tolist()  # the patch starts over a part of an object
    choices = {"board": range(len(boards)), "patch_row": places, "patch_column": places, "size": [2, 3, 4]}
    return explore(draw, choices, {"patch_row": min(row, world.side - 2), "patch_column": max(column - 1, 0)})


def by_site(curves: Mapping[str, Sequence[float]], *, xs: Sequence[str], **more) -> Picture:
    """Curves over the sites of a network, their names above, so that the sites have room."""
    picture = line(curves, xs=xs, **more)
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    picture.figure.update_layout(legend=legend, margin_t=75)
    return picture


def converge(shares: Mapping[str, Sequence[float]], sites: Sequence[str]) -> Picture:
    """The share of the variance that each label explains, site by site; `shares` has the object's first."""
    (name, first), *others = shares.items()
    peak, values = max(range(len(sites)), key=first.__getitem__), list(shares.items())
    ends = ", ".join(f"{label} {shared[-1]:.0%}" for label, shared in values)
    return by_site(
        shares,
        xs=sites,
        title="Converge, then diverge: what the vectors of hidden cells vary with",
        x="site, from the first block to the last",
        y="share of variance (eta squared)",
        caption=f"The {name} explains most at {sites[peak]} ({first[peak]:.0%}). At {sites[-1]}: {ends}.",
    )


def microscope(
    vectors: Mapping[str, Float[Tensor, "n D"]],
    labels: Mapping[str, Int[Tensor, "n"]],
    explained: Callable[[Tensor, Tensor], float],
    start: str,
    shown: int = 700,
) -> Explorer:
    """Vectors of one site on their two principal axes, coloured by one of the labels.

    `explained(vectors, labels)`: the share of the variance that lies between the classes.
    """
    import plotly.graph_objects as go

    planes: dict[str, Tensor] = {}

    def plane(site: str) -> Tensor:
        if site not in planes:
            X = vectors[site] - vectors[site].mean(0)
            planes[site] = X[:shown] @ torch.linalg.svd(X, full_matrices=False).Vh[:2].T
        return planes[site]

    def draw(site: str, colour: str) -> Picture:
        points, classes = plane(site), labels[colour][:shown]
        traces = [
            go.Scatter(
                x=points[classes == c, 0].numpy(),
                y=points[classes == c, 1].numpy(),
                mode="markers",
                name=f"{colour} {c}",
                marker={"size": 7, "symbol": (n % 7 + n // 7) % 8, "color": SEEN[n % 7]},  # no two alike
            )
            for n, c in enumerate(classes.unique().tolist())
        ]
        title = f"Hidden object cells at {site}, by {colour}"
        words = (
            f"Each point is a hidden cell, on the two main axes at {site}; the {colour} explains "
            f"{explained(vectors[site], labels[colour]):.0%} of the variance in all {vectors[site].shape[1]} "
            "dimensions."
        )
        figure = plain_figure(traces, title, "first principal axis", "second principal axis", 480)
        return Picture(figure, words, f"Scatter plot of {len(points)} vectors. {title}. {words}")

    return explore(draw, {"site": list(vectors), "colour": list(labels)}, {"site": start})


def probes(accuracies: Mapping[str, Sequence[float]], sites: Sequence[str]) -> Picture:
    """Accuracies of the probe and of its controls, site by site."""
    best, blank = max(accuracies["trained"]), max(accuracies["untrained network"])
    return line(
        accuracies,
        xs=sites,
        title="Which object does this hidden cell belong to?",
        x="site",
        y="accuracy of a linear probe",
        levels={"chance": 0.1},
        caption=f"The probe is best at {sites[accuracies['trained'].index(best)]} ({best:.0%}); the untrained network "
        f"reaches {blank:.0%} at its best site.",
    )


def moved_background(shares: Mapping[str, Sequence[float]], sites: Sequence[str]) -> Picture:
    """What a shift of the hidden background cells does; the second curve is the control."""
    shift, noise = shares.values()
    best = max(range(len(sites)), key=shift.__getitem__)
    return by_site(
        shares,
        xs=sites,
        title="Move the background of the hidden cells",
        x="site of the edit",
        y="share of cells that follow",
        caption=f"At {sites[best]} the shift by class means turns {shift[best]:.0%} of the hidden background cells "
        f"into the new background, and a random shift of the same length {noise[best]:.0%}.",
    )


def relay(shares: Mapping[str, Sequence[float]], sites: Sequence[str]) -> Picture:
    """Where the identity of the object is, block by block."""
    return by_site(
        shares,
        xs=sites,
        title="The relay: where the object's identity is, block by block",
        x="site of the edit",
        y="share of cells that follow",
        caption="Two curves replace cells by those of a donor with another object; two shift hidden cells, by the "
        "difference of object means or at random.",
    )


def swap_lab(
    world,
    tokens: Int[Tensor, "B T"],
    holes: Bool[Tensor, "B T"],
    move: Callable[[int, int, str, float], tuple[Tensor, Tensor, Tensor]],
    sites: Sequence[str],
) -> Explorer:
    """Move hidden cells of an object towards another object and see what is painted, beside a random shift.

    `move(board, become, site, alpha)`: the logits (1, T, V) after the move, those after the random shift, and the
    board (S, S) that shows the other object.
    """

    def draw(board: int, become: int, site: str, alpha: float) -> Picture:
        *logits, goal = move(board, become, site, alpha)
        seen, hole = tokens[board].view_as(goal), holes[board].view_as(goal)
        moved, control = (torch.where(seen == world.unk, x[0].argmax(-1).view_as(goal), seen) for x in logits)
        hits = [int((painted == goal)[hole].sum()) for painted in (moved, control)]
        name = f"moved towards object {become}"
        return panels(
            world,
            {"what it sees": seen, name: moved, "random shift": control},
            title=f"{site}, alpha {alpha}: {hits[0]} of {int(hole.sum())} hidden cells show object {become}, "
            f"{hits[1]} after a random shift",
            caption="Outlined: hidden cells of the object. The shift is the difference of two object means, times "
            "alpha.",
            marks={name: hole, "random shift": hole},
        )

    def gain(case: tuple[int, int]) -> int:
        """Hidden cells that the shift wins over the random one."""
        moved, control, goal = move(*case, sites[-2], 1)
        wins, loses = ((x[0].argmax(-1) == goal.flatten())[holes[case[0]]].sum() for x in (moved, control))
        return int(wins - loses)

    full, roots = (holes.sum(1) >= 3).nonzero()[:12, 0].tolist(), list(range(len(world.roots)))
    board, become = max(((board, root) for board in full[:4] for root in roots), key=gain)
    choices = {"board": full, "become": roots, "site": sites, "alpha": [0, 0.5, 1, 1.5, 2]}
    return explore(draw, choices, {"board": board, "become": become, "site": sites[-2], "alpha": 1})


def subjects(changes: Float[Tensor, "F W"], word: int) -> Picture:
    """How often each word changes where one thing alone is different; `word` (from 0) follows the object most."""
    return heatmap(
        changes,
        title="If two boards differ in one thing only, which words differ?",
        x="place in the sentence",
        y="the one thing",
        rows=FEATURES,
        columns=places(changes.shape[1]),
        caption=f"Share of pairs of boards. The word that follows the object most is word {word + 1}: it changes in "
        f"{changes[1, word]:.0%} of the pairs with another object, and in {changes[0, word]:.0%} of those with another "
        "background.",
        show_values=True,
    )


def places(words: int) -> list[str]:
    """Names of the places of a sentence."""
    return [f"word {i + 1}" for i in range(words)]


def _those(name: str, values: Int[Tensor, "n"], chosen: Bool[Tensor, "n"]) -> str:
    """The values that occur among the chosen ones, in words: "background 0", "object 1 or 4", "any row"."""
    *some, last = map(str, values[chosen].unique().tolist() or [0])
    if len(some) + 1 == len(values.unique()):
        return f"any {name}"
    return f"{name} {', '.join(some)} or {last}" if some else f"{name} {last}"


def dictionary(
    world, sentences: Int[Tensor, "n W"], boards: Int[Tensor, "n T"], features: Int[Tensor, "n F"], place: int
) -> Explorer:
    """Look up a word: boards about which it is said at a place (from 1), and what most of them share."""

    def draw(place: int, word: int) -> Picture:
        says = sentences[:, place - 1] == word
        shown = boards[says] if says.any() else boards.new_full((1, boards.shape[1]), world.unk)
        common = shown.mode(0).values
        most = torch.where((shown == common).float().mean(0) > 0.5, common, world.unk)
        found = [_those(name, features[:, i], says) for i, name in enumerate(FEATURES)]
        return panels(
            world,
            {
                name: board.view(world.side, world.side)
                for name, board in {
                    "one of them": shown[0],
                    "another": shown[-1],
                    "what most of them share": most,
                }.items()
            },
            title=f"Word {word} in place {place} is said about {int(says.sum())} of {len(boards)} boards",
            caption=f"These boards show {', '.join(found)}. A question mark is a cell on which no more than half agree."
            if says.any()
            else "None of the boards is described with this word in this place.",
        )

    words = sorted(sentences.unique().tolist())
    first = {"place": place, "word": int(sentences[0, place - 1])}
    return explore(draw, {"place": range(1, sentences.shape[1] + 1), "word": words}, first)


def editor(
    world,
    sentences: Int[Tensor, "n W"],
    boards: Int[Tensor, "n T"],
    drawn: Int[Tensor, "n T"],
    steer: Callable[[Tensor, int, int], tuple[Tensor, Tensor]],
    words: int,
) -> Explorer:
    """Change one word of a sentence and see it drawn; steer(sentence (1, W), slot, word) gives the drawing."""

    def draw(board: int, place: int, word: int) -> Picture:
        sentence = sentences[board : board + 1]
        drawing, changed = steer(sentence, place - 1, word)
        ours = sentence[0].tolist()
        ours[place - 1] = word
        return conversation(
            world,
            {"the board": boards[board], "drawn from its words": drawn[board], "drawn from yours": drawing[0]},
            changed[0],
            f"It says {' '.join(map(str, sentence[0].tolist()))}; you say {' '.join(map(str, ours))}",
        )

    choices = {"board": range(0, len(boards), 7), "place": range(1, sentences.shape[1] + 1), "word": range(words)}
    return explore(draw, choices, {"word": int(sentences[len(boards) // 2, 0])})


def conversation(world, boards: Mapping[str, Int[Tensor, "T"]], changed: Bool[Tensor, "T"], title: str) -> Picture:
    """Boards side by side; in the one whose name has "yours" the cells that your words changed are outlined."""
    ours = next(name for name in boards if "yours" in name)
    square = (world.side, world.side)
    return panels(
        world,
        {name: board.view(square) for name, board in boards.items()},
        title=title,
        caption="Numbers are backgrounds, letters object tokens. Outlines mark the cells that are drawn differently "
        f"than from the network's own sentence: {int(changed.sum())} of {len(changed)}.",
        marks={ours: changed.view(square)},
    )


def steering(shares: Mapping[str, Mapping[str, float]], together: float) -> Picture:
    """What one word of a partner does, and a random word; `together`: what all words about the object do."""
    taken, chance = shares.values()
    best = max(taken, key=taken.get)
    return bars(
        shares,
        title="Cells that turn into the partner's object when one word is taken from it",
        y="share of the cells that differ",
        caption=f"Best is {best}: {taken[best]:.0%} of the cells follow, {chance[best]:.0%} with a random word there. "
        f"With all the words about the object at once it is {together:.0%}.",
    )


# of the optional part


def place_distances(distances: Float[Tensor, "T T"], together: float) -> Explorer:
    """How far the position vector of one cell is from all the others; `together`: how distances correlate."""
    side = round(len(distances) ** 0.5)

    def draw(row: int, column: int) -> Picture:
        picture = heatmap(
            distances[side * row + column].view(side, side),
            title=f"How far is the position vector of row {row}, column {column} from the others?",
            x="column",
            y="row",
            caption="Distances between learned position vectors. Over all pairs they correlate with distances on the "
            f"board by {together:.2f}.",
        )
        picture.figure.update_yaxes(scaleanchor="x").update_xaxes(constrain="domain")  # the board is a square
        return picture

    return explore(draw, row=range(side), column=range(side))


def transfer(accuracies: Mapping[str, Sequence[float]], sites: Sequence[str]) -> Picture:
    """Accuracy of a probe under conditions it was not fitted under."""
    worst = [min(values) for values in zip(*accuracies.values(), strict=True)]
    best = max(range(len(sites)), key=worst.__getitem__)
    return by_site(
        accuracies,
        xs=sites,
        title="A probe for objects, fitted on single objects with backgrounds 0 to 4",
        x="site",
        y="accuracy",
        levels={"chance": 0.1},
        caption=f"Best in all circumstances is {sites[best]}: at least {worst[best]:.0%} everywhere, against "
        f"{worst[-1]:.0%} at {sites[-1]}.",
    )


def ablation(accuracies: Mapping[str, Sequence[float]], sites: Sequence[str], dimensions: int) -> Picture:
    """What is left when the objects' subspace is removed, and when a random one of the same size is."""
    return by_site(
        accuracies,
        xs=sites,
        title="Hidden object cells that are still right",
        x="site of the ablation",
        y="accuracy",
        caption=f"{dimensions} dimensions are removed from the vectors of all object cells: those of the object means, "
        "or as many random ones.",
    )


def talking(history: Mapping[str, Sequence[float]], score: Mapping[str, float], words_from: int) -> Picture:
    """The two losses of LEA while it learns to talk."""
    return line(
        {"board, seen with holes": history["board"], "board, from the sentence alone": history["speech"]},
        title="LEA learns to draw from words",
        x="step",
        y="cross-entropy of a cell (nats)",
        caption=f"From step {words_from} on the sentence is made of words. At the end {score['whole boards']:.0%} of "
        f"the boards are drawn without a mistake from their sentences alone; {score['different sentences']} different "
        "sentences are in use.",
    )


def information(table: Float[Tensor, "W F"]) -> Picture:
    """How many bits each place of the sentence tells about each feature."""
    most, about = table.max(dim=1)
    best = int(most.argmax())
    return heatmap(
        table.float(),
        title="What each place of the sentence is about",
        x="feature of the scene",
        y="place in the sentence",
        rows=places(len(table)),
        columns=FEATURES,
        caption=f"Bits of information. The most telling place is word {best + 1}: {float(most[best]):.2f} bits about "
        f"the {FEATURES[int(about[best])]}. Background and object have 2.32 bits to tell, row and column 2 each.",
        show_values=True,
    )


def repainted(cells: Sequence[float], word: int, feature: int, pairs: int) -> Picture:
    """Cells that change when one word comes from a board with another `feature`; `word` (from 0) tells most of it."""
    name, others = FEATURES[feature], [cells[i] for i in range(len(cells)) if i != word]
    return bars(
        dict(zip(places(len(cells)), cells, strict=True)),
        title=f"Cells repainted when one word is taken from a board with another {name}",
        y="cells of 25",
        caption=f"Mean over {pairs} pairs of boards. Word {word + 1} was the one with the most information about the "
        f"{name}; here it moves {cells[word]:.1f} cells, the others {min(others):.1f} to {max(others):.1f}.",
    )
