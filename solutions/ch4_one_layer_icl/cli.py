"""Command line of chapter 4: the authors' own options (-g, -s, -n, -m, ...), and five commands beside them."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from utils.course import CourseError
from utils.train import Interrupt, best_device, command_line, parse_command, progress_bar, run_command, usable_device

from . import files, surgery
from .config import ALL_MODELS, ALPHAS, FINITE_MODELS, PAPER_MODELS, RATES, DataConfig, Run, grid
from .experiments import figures, runs, tables

EPOCHS = 100  # of a finite run
FNST = 4  # batches of a finite set, unless told otherwise
PROGRAM = "python -m solutions.ch4_one_layer_icl"

# How the authors' README writes the options; each is an option of ours in another spelling.
SPELLINGS = {
    "seed": ("-s", "--s"),
    "noise": ("-n", "--n"),
    "alpha": ("-alpha",),
    "model-type": ("-m", "--m", "--model_type"),
    "att-type": ("-a", "--a", "--att_type"),
    "kappa": ("-k", "--k"),
    "lr": ("-lr",),
    "nsteps": ("-nst", "--nst"),
    "finite-nsteps": ("-fnst", "--fnst", "--finite_nsteps"),
    "generate": ("-g", "--g"),
    "visualize": ("-v", "--v"),
    "plot": ("-pl", "--pl"),
    "finite": ("-f", "--f"),
}


@dataclass
class Common:
    """Settings that all commands share."""

    seed: int = 0
    nsteps: int = 2000  # steps of a run, each on a fresh batch
    finite_nsteps: int = FNST  # size of a finite training set, in batches
    batch_size: int = 512
    vocab_size: int = 60  # N
    H: int = 256  # tokens in a sentence
    Q: int = 5  # triggers
    Y: int = 4  # outputs seen in training
    rule: str = "ngd"  # ngd: per-tensor normalised gradient descent; gd: plain gradient descent
    epochs: int = EPOCHS  # of a finite run
    eval_every: int = 1  # steps between measurements on unseen outputs
    device: str = field(default_factory=lambda: best_device(double=True))
    threads: int | None = None  # CPU threads; none: torch's choice
    logs: Path = Path("logs")  # folder of the saved runs

    def sizes(self) -> DataConfig:
        return DataConfig(self.vocab_size, self.H, self.Q, self.Y)

    def check(self) -> None:
        """Raises CourseError for what no run setting covers; sets the threads."""
        for name in ("finite_nsteps", "epochs", "eval_every", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise CourseError(f"{name} must be above zero, but it is {value}.")
        usable_device(self.device, double=True)
        if self.threads is not None:
            torch.set_num_threads(self.threads)

    def settings(self, finite: bool = False) -> dict:
        """Settings of a run other than the model, alpha and lr."""
        found = {"seed": self.seed, "batch_size": self.batch_size, "rule": self.rule, "data": self.sizes()}
        if finite:
            return found | {"nsteps": self.epochs, "finite_nsteps": self.finite_nsteps}
        return found | {"nsteps": self.nsteps}


@dataclass
class OneModel(Common):
    """The model to train or to look at, and its data."""

    noise: int | None = None  # 0: no noise, anything else: noise
    alpha: float = 0.5  # probability that the label is the noise token (with noise)
    model_type: str | None = None  # origin, reparam, reparamW
    att_type: str | None = None  # linear, softmax, relu
    kappa: int | None = None  # 1: the feed-forward layer sees what attention read, 0: it does not
    lr: float = 0.1
    finite: int = 0  # 1: train on a finite set of --finite-nsteps batches
    from_files: bool = False  # train on the files that -g 1 wrote
    form: Literal["fast", "plain"] = "fast"  # plain: by the exercises' own train and forward, many times slower

    def check_noise(self) -> None:
        if self.noise is None:
            raise CourseError("Say whether there is noise in the data: -n 0 or -n 1.")
        if self.noise and not 0 < self.alpha < 1:
            raise CourseError(f"With noise, alpha must lie between 0 and 1 (neither of them), but it is {self.alpha}.")

    @property
    def true_alpha(self) -> float:
        return float(self.alpha) if self.noise else 0.0

    def one_run(self) -> Run:
        for name, flag in (("model_type", "-m"), ("att_type", "-a"), ("kappa", "-k")):
            if getattr(self, name) is None:
                raise CourseError(f"Say which model: {name} is missing ({flag}).")
        if self.form == "plain" and (self.finite or self.from_files or self.rule == "gd"):
            raise CourseError(
                "--form plain takes normalised steps on fresh sentences: leave out -f, --from-files and --rule gd."
            )
        source = "plain" if self.form == "plain" else "files" if self.from_files else "torch"
        settings = self.settings(bool(self.finite)) | {"source": source}
        return Run(self.model_type, self.att_type, self.kappa, self.true_alpha, self.lr, **settings)


@dataclass
class Single(OneModel):
    """Train one model, or with -g 1 write data files, or with -v 1 draw figures from saved runs.

    Other commands: sweep (train many models), table (what they reach), theory (what they can reach), look (what a
    saved run has learned), plateau (when softmax attention falls); each has a --help of its own.
    """

    generate: int = 0  # 1: write the data sets as .npy files (training needs none)
    visualize: int = 0  # 1: draw the figures of --plot
    plot: int = -1  # type of plot: 0, 1, 2 or 3
    legacy_data: bool = False  # with -g 1: the authors' own random numbers, one sentence at a time
    data_folder: Path = Path("data")
    figure_folder: Path = Path("viz")
    format: Literal["pdf", "png", "svg", "html"] = "pdf"  # of the figures; html needs no browser

    def run(self) -> int:
        self.check()
        if self.visualize:
            return self._figures()
        self.check_noise()
        return self._data() if self.generate else self._train()

    def _set(self) -> files.DataSet:
        if self.noise and self.H < 6:
            raise CourseError(f"A noisy sentence needs H of at least 6, but it is {self.H}.")
        Run(alpha=self.true_alpha, **self.settings())  # its checks
        return files.DataSet(
            self.sizes(), bool(self.noise), self.true_alpha, self.seed, self.nsteps, self.finite_nsteps, self.batch_size
        )

    def _data(self) -> int:
        for path in files.generate(self._set(), self.data_folder, self.legacy_data):
            print(path)
        return 0

    def _train(self) -> int:
        run = self.one_run()
        if run.finite_nsteps and not run.noisy:
            raise CourseError("The finite-sample experiments are about label noise: they need -n 1.")
        given = {}
        if self.from_files:
            which = "finite" if self.finite else "train"
            given["unseen"] = files.read(self._set(), "test", self.data_folder)
            given["seen" if self.finite else "batches"] = files.read(self._set(), which, self.data_folder)
        files.make_folder(self.logs)
        with Interrupt() as interrupt, progress_bar(total=run.nsteps, label=run.label, delay=1) as bar:
            common = {"device": self.device, "tick": bar.update, "stop": lambda: interrupt.asked, **given}
            if self.form == "plain":
                result = runs.plain(run, **common)
            elif self.finite:
                (result,) = runs.finite([run], **common)
            else:
                (result,) = runs.population([run], self.eval_every, **common)
        if not result.steps:
            raise KeyboardInterrupt
        path = files.save(result, self.logs, {"command": command_line(PROGRAM)})
        print(_summary(result))
        print(path)
        if not result.finished:
            print(f"stopped; what was learned is in {path.with_suffix('.safetensors')}", file=sys.stderr)
            return 130
        return 0

    def _figures(self) -> int:
        if self.plot not in (0, 1, 2, 3):
            raise CourseError(f"There is no plot type {self.plot}: choose 0, 1, 2 or 3 (-pl).")
        alpha = self.alpha if self.noise != 0 else 0.5
        source = "files" if self.from_files else "torch"
        base = Run(alpha=alpha, lr=self.lr, source=source, **self.settings(self.plot in (1, 3)))
        drawn = figures.figures(self.plot, base, lambda run: files.curves(run, self.logs))
        for path in write_figures(drawn, self.figure_folder, self.format):
            print(path)
        return 0


@dataclass
class Sweep(Common):
    """Train all models at every alpha and learning rate, similar ones together; saved runs are skipped."""

    models: Literal["paper", "all", "finite"] = "paper"  # the paper's 13; all 18; those of the finite-sample figures
    alphas: tuple[float, ...] = ALPHAS
    lrs: tuple[float, ...] = RATES
    jobs: int = 1  # processes on this machine
    eval_every: int = 5  # steps between measurements on unseen outputs
    cluster: str | None = None  # address of a Dask scheduler, tcp://HOST:PORT, instead
    again: bool = False  # train runs again that are saved already

    def run(self) -> int:
        self.check()
        if self.jobs < 1:
            raise CourseError(f"jobs must be above zero, but it is {self.jobs}.")
        finite = self.models == "finite"
        models = {"paper": PAPER_MODELS, "all": ALL_MODELS, "finite": FINITE_MODELS}[self.models]
        alphas = [float(alpha) for alpha in self.alphas if alpha or not finite]
        settings = self.settings(finite)
        wanted = grid(models, alphas, [float(lr) for lr in self.lrs], **settings)
        waiting = [run for run in wanted if self.again or not files.is_saved(run, self.logs)]
        files.make_folder(self.logs)
        seconds = 0.0
        for results, took in runs.sweep(waiting, self.jobs, self.cluster, self.eval_every, self.device):
            seconds += took
            for result in results:
                files.save(result, self.logs, {"command": command_line(PROGRAM)})
        print(
            f"{len(waiting)} runs trained in {seconds:.1f} processor seconds, "
            f"{len(wanted) - len(waiting)} were there; they are in {self.logs}"
        )
        return 0


@dataclass
class Table(Common):
    """Print the 13 x 4 table of excess loss, in / out of distribution, from saved runs."""

    lr: float = 0.1

    def run(self) -> int:
        self.check()
        table = tables.excess_table(lambda run: files.curves(run, self.logs), lr=self.lr, **self.settings())
        print(tables.as_markdown(table))
        return 0


@dataclass
class Look(OneModel):
    """Look inside a saved run: where it attends, what each layer votes for, its losses before and after surgery."""

    def run(self) -> int:
        self.check()
        self.check_noise()
        run = self.one_run()
        found = surgery.look(files.model(run, self.logs), run.alpha)
        print(run.label, *(f"  {name}: {value:.3f}" for name, value in found.items()), sep="\n")
        return 0


@dataclass
class Theory(Common):
    """Print what the closed forms say: the lowest losses, the descent of lam, the first gradient, the saddle."""

    alphas: tuple[float, ...] = tuple(alpha for alpha in ALPHAS if alpha)
    lr: float = 0.1
    steps: int = 200  # of the descent

    def run(self) -> int:
        self.check()
        for alpha in self.alphas:
            if not 0 < alpha < 1:
                raise CourseError(f"alphas must lie between 0 and 1 (neither of them), but one is {alpha}.")
        Run(lr=self.lr)  # its check
        print(tables.theory(self.sizes(), self.alphas, self.lr, self.steps))
        return 0


@dataclass
class Plateau(Common):
    """Print when Origin-Softmax-FA leaves its plateau, for several seeds trained together (takes --nsteps steps)."""

    seeds: int = 4  # how many: 0, 1, ..
    lr: float = 0.5

    def run(self) -> int:
        self.check()
        if self.seeds < 1:
            raise CourseError(f"seeds must be above zero, but it is {self.seeds}.")
        Run(lr=self.lr, **self.settings())  # its checks
        print(tables.plateau(self.sizes(), range(self.seeds), self.nsteps, self.batch_size, self.lr))
        return 0


COMMANDS = {"sweep": Sweep, "table": Table, "look": Look, "theory": Theory, "plateau": Plateau}


def write_figures(drawn: dict, folder: Path, ending: str) -> list[Path]:
    """Write pictures into the folder; returns their paths. Raises CourseError where that cannot be done."""
    paths = [folder / f"{name}.{ending}" for name in drawn]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if ending == "html":
            for path, picture in zip(paths, drawn.values(), strict=True):
                picture.write(path)
            return paths
        import plotly.io

        plotly.io.write_images([picture.figure for picture in drawn.values()], paths, width=720, height=480)
    except OSError as error:
        raise CourseError(f"{folder} cannot be written: {error.strerror or error}.") from None
    except (ImportError, ValueError, RuntimeError):
        raise CourseError(
            f"Figures in {ending} need the package kaleido and a Chrome browser: install them, or take --format html."
        ) from None
    return paths


def _summary(result: runs.Result) -> str:
    run, ends = result.run, {name: tables.end(curve) for name, curve in result.curves.items()}
    floor = tables.bayes_risk(run.alpha)
    if run.finite_nsteps:
        return (
            f"{run.label}: training loss {ends['train_loss']:.4f}, population {ends['pop_loss']:.4f}, "
            f"unseen outputs {ends['ood_loss']:.4f} (Bayes risk {floor:.4f})"
        )
    return (
        f"{run.label}: loss {ends['risk']:.4f}, on unseen outputs {ends['ood_loss']:.4f} (Bayes risk {floor:.4f}), "
        f"probability of the {'noise token' if run.noisy else 'output'} there {ends['ood_prob']:.4f}"
    )


def readable(arguments: list[str]) -> list[str]:
    """The arguments with each of the authors' spellings replaced by the option it stands for."""
    ours = {spelling: f"--{name}" for name, spellings in SPELLINGS.items() for spelling in spellings}
    found = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        found.append(ours.get(name, name) + equals + value)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for a mistake that the user can correct, 130 after Ctrl-C."""
    arguments = readable(sys.argv[1:] if arguments is None else arguments)
    command = COMMANDS.get(arguments[0] if arguments else "", Single)
    prog = PROGRAM if command is Single else f"{PROGRAM} {arguments.pop(0)}"
    return run_command(lambda: parse_command(command, arguments, prog, command.__doc__).run())
