"""What training makes small."""

import itertools
from typing import Any

import torch
from torch import Tensor, nn

from liif_core.liif import Latents
from liif_core.models import KINDS, Model, kind_of
from liif_core.training.pairs import Batch


class PairLoss(nn.Module):
    """The difference of the model's answers from the target pixels; a module, so that it can be
    compiled.

    Args:
        model: the model to train.
        kind: "l1", the mean absolute error with colours in [0, 1], as in the paper; or "psnr", a
            tenth of the logarithm of each patch's mean squared error: a plain patch and a busy
            one, ×1.5 and ×4, then count the same in dB (as in HINet, Chen et al. 2021,
            arXiv 2105.06086).
        enough: to "psnr", so many dB are good enough: the better a patch is than that, the less it
            counts.
        teacher: a model whose answers are the target, instead of the photo's pixels (distillation,
            Hinton et al. 2015, arXiv 1503.02531). To "psnr", its own error is what is good enough:
            the squared errors of teacher and pupil are taken to add up, so that a patch counts by
            what the difference between the two costs in dB. None: no such.
        teacher_to: the largest scale at which its answers are; beyond, they and the photo's pixels
            are the target by halves. 0: at all scales.
        from_all_sides: the teacher's answer is the mean of those that it gives to the photo's eight
            orientations (self-ensemble, Lim et al. 2017, arXiv 1707.02921, section 3.4).
        from_any_side: it is what the teacher answers to one of them, another for each sample: over
            many steps about the same, for an eighth of the work (with squared errors, just that).
    """

    def __init__(
        self,
        model: Model,
        kind: str = "l1",
        teacher: Model | None = None,
        *,
        enough: float = 50.0,
        teacher_to: float = 0.0,
        from_all_sides: bool = False,
        from_any_side: bool = False,
    ) -> None:
        super().__init__()
        self.model, self.kind, self.teacher = model, kind, teacher
        # Looked up once: see `compile`.
        self.decoder: Any = KINDS[kind_of(model.config)].decoder
        self.of_teacher: Any = teacher and KINDS[kind_of(teacher.config)].decoder
        self.teacher_to = teacher_to
        self.from_all_sides, self.from_any_side = from_all_sides, from_any_side
        self.enough = 10 ** (-enough / 10)  # as a mean squared error
        turned = from_all_sides or from_any_side
        self.same_codes = teacher is not None and not turned and _same_encoder(model, teacher)

    def forward(self, batch: Batch) -> Tensor:
        """Return the loss: a scalar."""
        latents = self.model.encode(batch.photo)
        rgb = _answers(self.decoder(self.model), latents, batch)
        with torch.no_grad():
            colour = self._target(latents, batch)
        if self.kind == "psnr":
            enough = self.enough + _squared(colour, batch.colour)  # the teacher's own error
            # A tenth: with gradients of about the L1's, one limit clips both.
            return 0.1 * (_squared(rgb, colour) + enough).log().mean()
        return (rgb - colour).abs().mean()

    def _of_teacher(self, latents: Latents, batch: Batch) -> Tensor:
        assert self.teacher is not None
        decoder = self.of_teacher(self.teacher)
        if self.same_codes:
            return _answers(decoder, latents, batch)
        if self.from_any_side:
            seen = [_any_side(batch)]
        else:
            seen = _sides(batch) if self.from_all_sides else [batch]
        answers = [_answers(decoder, self.teacher.encode(side.photo), side) for side in seen]
        return torch.stack(answers).mean(dim=0)

    def _target(self, latents: Latents, batch: Batch) -> Tensor:
        """Return what the model should answer, (B, Q, 3)."""
        if self.teacher is None:
            return batch.colour
        said = self._of_teacher(latents, batch)
        if not self.teacher_to:
            return said
        scale = 2 / (batch.cell[:, :1, :1] * batch.photo.shape[-2])
        beyond = scale > self.teacher_to * (1 + 1e-6)
        return torch.where(beyond, (batch.colour + said) / 2, said)


def _sides(batch: Batch) -> list[Batch]:
    """Return the same questions about the photos' eight orientations."""
    mirrored = batch._replace(
        photo=batch.photo.mT, coord=batch.coord.flip(-1), cell=batch.cell.flip(-1)
    )
    found = []
    for one, turns in itertools.product((batch, mirrored), itertools.product((1, -1), repeat=2)):
        upside_down = [dim for dim, sign in zip((2, 3), turns, strict=True) if sign < 0]
        # No tensor of signs: a recorded step must not copy one to the device.
        along = [axis * sign for axis, sign in zip(one.coord.unbind(dim=-1), turns, strict=True)]
        found.append(
            one._replace(photo=one.photo.flip(upside_down), coord=torch.stack(along, dim=-1))
        )
    return found


def _any_side(batch: Batch) -> Batch:
    """Return each sample in one of the eight orientations; its seed, a number, says which."""
    side, sample = batch.seed % 8, torch.arange(len(batch.seed), device=batch.seed.device)
    photos, coords, cells = (
        torch.stack(all_sides)[side, sample]
        for all_sides in zip(*((s.photo, s.coord, s.cell) for s in _sides(batch)), strict=True)
    )
    return batch._replace(photo=photos, coord=coords, cell=cells)


def _answers(decoder: Any, latents: Latents, batch: Batch) -> Tensor:
    hidden = decoder.hidden_map(latents.codes)
    cell = batch.cell[:, :1]  # all target pixels of a photo are of one size
    answers: Tensor = decoder.query(hidden, latents.colours, batch.coord, cell)
    return answers


def _squared(rgb: Tensor, colour: Tensor) -> Tensor:
    """Return the mean squared difference of each patch: (B, Q, 3) twice -> (B,)."""
    return (rgb.float() - colour).square().mean(dim=(1, 2))


def _same_encoder(model: Model, teacher: Model) -> bool:
    """Whether both read the same codes, now and later, so that reading them once will do."""
    own, theirs = model.encoder.state_dict(), teacher.encoder.state_dict()
    frozen = not any(weight.requires_grad for weight in model.encoder.parameters())
    return (
        frozen
        and own.keys() == theirs.keys()
        and all(
            own[key].shape == value.shape and torch.equal(own[key], value)
            for key, value in theirs.items()
        )
    )
