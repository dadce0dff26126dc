"""What training makes small."""

from typing import Any

import torch
from torch import Tensor, nn

from liif_core.liif import Latents
from liif_core.models import KINDS, Model, kind_of
from liif_core.training.pairs import Batch

#: Below this mean squared error (50 dB) a patch is good enough: rounding to 8 bits alone is 59 dB.
GOOD_ENOUGH = 1e-5


class PairLoss(nn.Module):
    """The difference of the model's answers from the target pixels; a module, so that it can be
    compiled.

    Args:
        model: the model to train.
        kind: "l1", the mean absolute error with colours in [0, 1], as in the paper; or "psnr", a
            tenth of the logarithm of each patch's mean squared error: a plain patch and a busy
            one, ×1.5 and ×4, then count the same in dB (as in HINet, Chen et al. 2021,
            arXiv 2105.06086).
        teacher: a model with the very encoder of `model`: its answers are the target, instead of
            the photo's pixels (distillation, Hinton et al. 2015, arXiv 1503.02531). None: no such.
    """

    def __init__(self, model: Model, kind: str = "l1", teacher: Model | None = None) -> None:
        super().__init__()
        self.model, self.kind, self.teacher = model, kind, teacher
        # Looked up once: see `compile`.
        self.decoder: Any = KINDS[kind_of(model.config)].decoder
        self.of_teacher: Any = teacher and KINDS[kind_of(teacher.config)].decoder

    def forward(self, batch: Batch) -> Tensor:
        """Return the loss: a scalar."""
        latents = self.model.encode(batch.photo)
        rgb = _answers(self.decoder(self.model), latents, batch)
        colour = batch.colour
        if self.teacher is not None:
            with torch.no_grad():
                colour = _answers(self.of_teacher(self.teacher), latents, batch)
        if self.kind == "psnr":
            squared = (rgb.float() - colour).square().mean(dim=(1, 2))
            # A tenth: with gradients of about the L1's, one limit clips both.
            return 0.1 * (squared + GOOD_ENOUGH).log().mean()
        return (rgb - colour).abs().mean()


def _answers(decoder: Any, latents: Latents, batch: Batch) -> Tensor:
    hidden = decoder.hidden_map(latents.codes)
    answers: Tensor = decoder.query(hidden, latents.colours, batch.coord, batch.cell)
    return answers
