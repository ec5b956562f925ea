"""Hidden tests of exercise 4.16, on a model with random matrices."""

import torch

from utils.grade import close, equal, require

NAMES = ("W", "V", "F")


def probe_surgery(surgery, W, V, F_, cfg, x):
    """Operate; the matrices of the new model and of the given one, and what the new model computes."""

    class Model(nn.Module):
        def __init__(self, cfg):
            super().__init__()
            self.cfg = cfg
            for name in ("W", "V", "F"):
                self.register_parameter(name, nn.Parameter(torch.zeros(2 * cfg.vocab_size, 2 * cfg.vocab_size)))

        def forward(self, x):
            return self.W @ x, self.V @ x, self.F @ x

    model = Model(SimpleNamespace(**cfg))
    with torch.no_grad():
        for name, value in (("W", W), ("V", V), ("F", F_)):
            getattr(model, name).copy_(value)
    new = surgery(model)
    if not all(torch.is_tensor(getattr(new, name, None)) for name in ("W", "V", "F")):
        return {"kind": type(new).__name__}
    result = {"kind": "", "same": new is model}
    result["callable"] = callable(new)
    result["frozen"] = not all(p.requires_grad for p in model.parameters())
    result["new"] = [value.detach().clone() for value in (new.W, new.V, new.F)]
    result["given"] = [model.W.detach().clone(), model.V.detach().clone(), model.F.detach().clone()]
    if callable(new):
        result["outputs"] = new(x)
    if not result["same"]:
        for name in ("V", "F"):  # what is done to the new model must not reach the given one
            getattr(new, name).data.add_(1.0)
        result["tied"] = any(
            not torch.equal(getattr(model, name), old)
            for name, old in zip(("W", "V", "F"), result["given"], strict=True)
        )
    return result


def operated(surgery, draw):
    Q, Y = 2 + draw.index, 5 - draw.index
    cfg = {"vocab_size": Q + Y + 3, "H": 8, "Q": Q, "Y": Y}
    d = 2 * cfg["vocab_size"]
    matrices = [draw.normal(d, d) for _ in NAMES]
    matrices[1][Q : Q + Y, Q : Q + Y] += 2.0 + 3.0 * torch.diag(draw.uniform(Y))
    matrices[1][Q, Q] = -1.5  # not all that is learned need be positive
    x = draw.normal(d)
    got = surgery.run(probe_surgery, *matrices, cfg, x)
    says = "surgery must return a new model with W, V and F"
    kind = {"NoneType": "nothing: the line with return is missing"}.get(got["kind"], f"a {got['kind']}")
    require(not got["kind"], f"{says}, but it returns {kind}")
    return got, matrices, cfg, x


def test_given_model_is_left_alone(surgery, draw):
    got, matrices, *_ = operated(surgery, draw)
    for name, now, before in zip(NAMES, got["given"], matrices, strict=True):
        equal(now, before, f"{name} of the given model is different after the call: work on a copy")
    require(not got["frozen"], "the given model can no longer be trained: its parameters must still require gradients")
    require(not got["same"], "the given model itself is returned: a new one is wanted")
    require(not got["tied"], "the new model shares V or F with the given one: a deep copy keeps them apart")


def test_w_stays(surgery, draw):
    got, matrices, *_ = operated(surgery, draw)
    close(got["new"][0], matrices[0], "W of the new model is not that of the given one", name="W")


def test_values(surgery, draw):
    got, matrices, cfg, _ = operated(surgery, draw)
    outputs = range(cfg["Q"], cfg["Q"] + cfg["Y"])
    c = sum(matrices[1][o, o].item() for o in outputs) / len(outputs)
    V = got["new"][1]
    says = "V is not a multiple of the identity"
    close(V - torch.diag(V.diagonal()), torch.zeros_like(V), f"{says}: outside its diagonal there are other numbers")
    close(V.diagonal() - V[0, 0], torch.zeros(len(V)), f"{says}: the numbers on its diagonal differ")
    says = "the factor of the identity is not the mean of V's learned diagonal on the outputs Q .. Q+Y-1"
    close(V, c * torch.eye(len(V)), says, name="V")


def test_feed_forward_layer(surgery, draw):
    got, *_ = operated(surgery, draw)
    close(got["new"][2], torch.zeros_like(got["new"][2]), "F of the new model is not zero", name="F")


def test_new_model_works(surgery, draw):
    got, _, _, x = operated(surgery, draw)
    require(got["callable"], "the new model cannot be called as the given one can")
    for name, y, matrix in zip(NAMES, got["outputs"], got["new"], strict=True):
        says = f"the new model does not compute with its new {name}: replace the numbers in the parameter itself"
        close(y, matrix @ x, says, name="the new model's output")
