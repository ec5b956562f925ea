"""Several models trained side by side, each by its own normalised gradients, as one computation (chapter 4)."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from .batches import Batch
from .fast import fast_forward
from .runs import Run


class Fleet(ABC):
    """Models of one size and noise mode, from zero, that see the same sentences.

    Subclasses say what is trained: FullFleet (origin and reparamW) and LamFleet (reparam, in reparam_fleet.py).
    `told`: the noise that each reparameterised model is told; default its run's alpha.
    """

    def __init__(self, runs: Sequence[Run], told: Sequence[float] | None = None, device: str = "cpu"):
        first = runs[0]
        self.runs, self.kind, self.noisy, self.cfg = list(runs), first.kind, first.noisy, first.data
        self.device, self.N = device, self.cfg.vocab_size
        told = [run.alpha for run in runs] if told is None else told
        self.gamma = [math.log(alpha / (1 - alpha)) if alpha else 0.0 for alpha in told]
        self.alpha = self._numbers(run.alpha for run in runs)
        self.lr = self._numbers(run.lr for run in runs)
        self.kappa = self._numbers(float(run.kappa) for run in runs).view(-1, 1, 1)
        self.plain = self._numbers(run.rule == "gd" for run in runs)

    def _numbers(self, values: Iterable[float | bool]) -> Shaped[Tensor, "R"]:
        return torch.tensor(list(values), device=self.device)

    @abstractmethod
    def logits(self, batch: Batch, apart: bool = False) -> tuple[Float[Tensor, "R B N"], ...]:
        """(xi,), or with `apart` (xi, xi_A, xi_F), each (R, B, N)."""

    @abstractmethod
    def trained(self) -> list[Tensor]:
        """The tensors that gradients are taken of."""

    @abstractmethod
    def move(self, *gradients: Tensor) -> None:
        """One step against the gradients of `trained()`."""

    @abstractmethod
    def weights(self, i: int) -> dict[str, Tensor]:
        """W, V and F of run i as model.py has them, each (2N, 2N), and lam of a reparameterised one."""

    def step(self, batch: Batch) -> dict[str, Float[Tensor, "R"]]:
        """One step of every run on the batch; returns `loss`, `risk` and `prob` before it, as `evaluate`."""
        leaves = self.trained()
        for leaf in leaves:
            leaf.requires_grad_()
        (xi,) = self.logits(batch)
        measured = self._measure(xi, batch)
        gradients = torch.autograd.grad(measured["loss"].sum(), leaves)  # the runs share nothing
        for leaf in leaves:
            leaf.requires_grad_(False)
        with torch.no_grad():
            self.move(*gradients)
        return {name: values.detach() for name, values in measured.items()}

    @torch.no_grad()
    def evaluate(self, batches: Sequence[Batch], apart: bool = False) -> dict[str, Float[Tensor, "R"]]:
        """Means over the batches, each (R,): `loss`, `risk`, `prob`.

        With `apart` also `xiA_y`, `xiA_max`, `xiF_tau`, `xiF_max`: means of what each layer says.
        """
        sums: dict[str, Tensor] = {}
        for batch in batches:
            xi, *parts = self.logits(batch, apart)
            found = self._measure(xi, batch)
            if apart:
                xi_A, xi_F = parts
                own = batch.outputs.expand(len(xi), -1)[..., None]
                found["xiA_y"] = xi_A.gather(2, own).mean(dim=(1, 2))
                found["xiA_max"] = xi_A.amax(dim=2).mean(dim=1)
                found["xiF_tau"] = xi_F[..., self.N - 1].mean(dim=1)
                found["xiF_max"] = xi_F.amax(dim=2).mean(dim=1)
            for name, values in found.items():
                sums[name] = sums.get(name, 0) + values
        return {name: values / len(batches) for name, values in sums.items()}

    def _measure(self, xi: Float[Tensor, "R B N"], batch: Batch) -> dict[str, Float[Tensor, "R"]]:
        """`loss`: mean cross-entropy of the labels drawn; `risk`: its expectation over the label noise, at true alpha;
        `prob`: mean probability of y, with noise that of tau.

        The risk of a sentence is (1 - alpha) of the cross-entropy of y plus alpha of that of tau, which takes the
        luck of the label draw out of every curve and table.
        """
        log_p = xi.log_softmax(dim=-1)
        of_y = -log_p.gather(2, batch.outputs.expand(len(xi), -1)[..., None])[..., 0]
        if not self.noisy:
            loss = of_y.mean(dim=1)
            return {"loss": loss, "risk": loss, "prob": (-of_y.detach()).exp().mean(dim=1)}
        of_tau = -log_p[..., self.N - 1]
        loss = torch.where(batch.is_noise(self.alpha), of_tau, of_y).mean(dim=1)
        risk = (1 - self.alpha) * of_y.detach().mean(dim=1) + self.alpha * of_tau.detach().mean(dim=1)
        return {"loss": loss, "risk": risk, "prob": (-of_tau.detach()).exp().mean(dim=1)}

    def normalised(self, gradient: Tensor, run_axis: int) -> Tensor:
        """Each run's gradient divided by its own norm (plain gradient descent: as it is); zero stays zero."""
        axes = tuple(axis for axis in range(gradient.ndim) if axis != run_axis)
        norm = torch.linalg.vector_norm(gradient, dim=axes, keepdim=True)
        return gradient / torch.where((norm > 0) & ~self.plain.view(norm.shape), norm, 1.0)


class FullFleet(Fleet):
    """The models with a free W, of one attention kind: origin (V and F free too), reparamW (V = I, F as constructed).

    Shapes: W (2N, 2N, R), V and F (R, N, 2N); the rows of V and F below the first N never reach a logit.
    """

    def __init__(self, runs: Sequence[Run], told: Sequence[float] | None = None, device: str = "cpu"):
        super().__init__(runs, told, device)
        R, N = len(runs), self.N
        self.origin = self._numbers(run.model_type == "origin" for run in runs).view(R, 1, 1)
        self.any_origin = bool(self.origin.any())
        self.W = torch.zeros(2 * N, 2 * N, R, device=device)
        self.V = torch.zeros(R, N, 2 * N, device=device)
        self.F = torch.zeros(R, N, 2 * N, device=device)
        for i, run in enumerate(runs):
            if run.model_type == "reparamW":
                self.V[i, :, :N] = torch.eye(N, device=device)
                if self.noisy:
                    self.F[i, N - 1, 0], self.F[i, N - 1, N] = self.gamma[i], 1.0

    def logits(self, batch: Batch, apart: bool = False) -> tuple[Tensor, ...]:
        return fast_forward(self.W, self.V, self.F, self.kappa, batch.sentences, self.kind, apart)

    def trained(self) -> list[Tensor]:
        return [self.W, self.V, self.F] if self.any_origin else [self.W]

    def move(self, W: Tensor, V: Tensor | None = None, F: Tensor | None = None) -> None:
        self.W -= self.lr * self.normalised(W, run_axis=2)
        if V is not None:
            lr = self.lr.view(-1, 1, 1) * self.origin
            self.V -= lr * self.normalised(V, run_axis=0)
            self.F -= lr * self.normalised(F, run_axis=0)

    def weights(self, i: int) -> dict[str, Tensor]:
        N = self.N
        V, F = (torch.zeros(2 * N, 2 * N, device=self.device) for _ in "VF")
        V[:N], F[:N] = self.V[i], self.F[i]
        if self.runs[i].model_type == "reparamW":
            V = torch.eye(2 * N, device=self.device)
        return {"W": self.W[..., i].clone(), "V": V, "F": F}
