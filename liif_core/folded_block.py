"""One block of a LIIF's decoder: some rows and columns of a result, all in one go.

It is some hundred operations, which TorchScript runs without Python's lock: see `scripted`.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from liif_core.folded_quick import Scratch, hidden_layer, rectified


class Layers(NamedTuple):
    """The layers that follow the first one.

    Attributes:
        exact: whether nothing is rounded to another dtype.
        weights: of the hidden layers: (in, out) if exact, as matrix products read them fastest;
            else (out, in), in the other dtype.
        biases: of the same, if not exact: else they are in `Row.least`.
        last: (3, in), if there are more layers than the first; in the dtype it is computed in.
    """

    exact: bool
    weights: list[Tensor]
    biases: list[Tensor]
    last: Tensor | None


class Column(NamedTuple):
    """The outputs of a strip to which one latent column matters: see `Neighbour`.

    Attributes:
        outputs: as there; None if they are all.
        weight: as there.
    """

    outputs: Tensor | None
    weight: Tensor


class Asked(NamedTuple):
    """Latent columns that are asked together, each beside its outputs, one column after the other.

    Attributes:
        columns: which outputs they answer for.
        code: (m,) which latent column each answer is from.
        term: (m, hidden) what the place along x, and the cell, add to the first layer.
        outputs: (m,) for which output each answer is; None if for all, once.
    """

    columns: list[Column]
    code: Tensor
    term: Tensor
    outputs: Tensor | None


class Row(NamedTuple):
    """One latent row beside each output of a band: see `Neighbour`.

    Attributes:
        outputs: as there; None if they are all.
        codes: which latent rows, each once.
        which: (n,) of these; None if there is one for all.
        runs: how many outputs each of these has, one after the other.
        weight: (n, 1).
        least: (n, units) behind each layer but the last, what ReLU looks at instead of zero: minus
            what a row's outputs have in common. Of the first layer alone, if not exact.
        common: (n, 3) what they have in common behind the last layer.
    """

    outputs: Tensor | None
    codes: Tensor
    which: Tensor | None
    runs: list[int]
    weight: Tensor
    least: list[Tensor]
    common: Tensor


def answers(
    layers: Layers, near: Tensor, least: list[Tensor], runs: list[int], scratch: Scratch | None
) -> Tensor:
    """Compute what codes answer.

    Args:
        near: (h, w, hidden), or (1, w, hidden) for all rows: the first layer, without what the
            outputs of a row have in common.
        least, runs: of the rows; see `Row`.
        scratch: as for `decode`; then `near` may have one row for each of the `runs`, too.

    Returns:
        (3, h, w), or (3, 1, w) for all rows, without `Row.common`.
    """
    last = layers.last
    if last is None:
        return near.permute(2, 0, 1)
    height, width = least[0].shape[0], near.shape[1]
    if layers.exact:
        x = torch.clamp(near.expand(height, -1, -1), min=least[0][:, None]).flatten(0, 1)
        for layer, weight in enumerate(layers.weights):
            x = torch.mm(x, weight)
            rows = x.view(height, width, x.shape[1])
            torch.clamp(rows, min=least[layer + 1][:, None], out=rows)
    elif scratch is not None:
        x = rectified(near, least[0], runs, scratch)
        for weight, bias in zip(layers.weights, layers.biases):  # noqa: B905 (TorchScript)
            x = hidden_layer(x, weight, bias)
    else:
        x = (near.to(least[0].dtype) - least[0][:, None]).relu_().flatten(0, 1)
        for weight, bias in zip(layers.weights, layers.biases):  # noqa: B905 (TorchScript)
            x = F.linear(x, weight, bias).relu_()
    return torch.mm(last, x.to(last.dtype).t()).view(3, height, width)


def blended(
    layers: Layers,
    hidden: Tensor,
    own: Tensor | None,
    noise: Tensor | None,
    row: Row,
    beside: list[Asked],
    scratch: Scratch | None,
    width: int,
) -> Tensor:
    """Blend along x what the codes of a row answer: (3, h, w) in [-1, 1].

    Args:
        hidden, own, beside, scratch: as for `decode`.
        noise: of the row's outputs.
    """
    # What they have in common is the same for all columns, whose weights add up to one.
    # A copy: of a single pixel, `contiguous` would be the model's own bias.
    common = row.common.t()[:, :, None].expand(-1, -1, width)
    total = common.clone(memory_format=torch.contiguous_format)
    which = row.which
    if own is not None:
        mine = own.index_select(1, row.codes)
        total += mine if which is None else mine.index_select(1, which)
    near = hidden.index_select(0, row.codes)
    for asked in beside:
        outputs = asked.outputs
        x = near.index_select(1, asked.code).to(asked.term.dtype).add_(asked.term)
        if which is not None and (scratch is None or noise is not None):
            x = x.index_select(0, which)
        if noise is not None:
            x = x + (noise if outputs is None else noise[:, outputs])
        said = answers(layers, x, row.least, row.runs, scratch).to(total.dtype)
        start = 0
        for column in asked.columns:
            outputs, end = column.outputs, start + column.weight.shape[0]
            part, start = said[:, :, start:end], end
            if outputs is None:
                total.addcmul_(part, column.weight)
            else:
                total[:, :, outputs] += part.mul_(column.weight)
    return total


def decode(
    layers: Layers,
    hidden: Tensor,
    own: Tensor | None,
    noise: Tensor | None,
    rows: list[Row],
    beside: list[Asked],
    scratch: Scratch | None,
    result: Tensor,
) -> None:
    """Decode a block.

    Args:
        hidden: (H, W, hidden) the latent rows and columns that the strip reads.
        own: (3, H, w) in [-1, 1] the codes' own colours, blended along x, if they count.
        noise: (h, w, hidden) what noise adds to the first layer, if any is read.
        rows, beside: the outputs' neighbours.
        scratch: if in bfloat16 on a CPU, for as many answers as are asked together.
        result: (h, w, 3), where the colours go: about [0, 1].
    """
    height, width = result.shape[0], result.shape[1]
    total = torch.zeros(3, height, width, dtype=result.dtype, device=result.device)
    for row in rows:
        outputs = row.outputs
        read = noise if noise is None or outputs is None else noise[outputs]
        said = blended(layers, hidden, own, read, row, beside, scratch, width)
        if outputs is None:
            total.addcmul_(said, row.weight)
        else:
            total[:, outputs] += said.mul_(row.weight)
    torch.mul(total.permute(1, 2, 0), 0.5, out=result).add_(0.5)
