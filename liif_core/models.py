"""The kinds of models there are: LIIF, and the heat field that came after it.

All that follows in this house, rendering, measuring and training, asks any of them in one way: a
model has an `encoder`, a `config`, `encode` and `query`; its decoder, arranged for speed, has
`hidden_map`, `cell_term`, `query` and `grid`.
"""

from typing import NamedTuple, TypeAlias

from torch import nn

from liif_core import heat, liif
from liif_core.errors import LiifError
from liif_core.folded import FoldedDecoder
from liif_core.heat import HeatConfig, HeatField
from liif_core.heat_grid import HeatGrid
from liif_core.liif import LIIF, LIIFConfig

Model: TypeAlias = LIIF | HeatField
Config: TypeAlias = LIIFConfig | HeatConfig
Decoder: TypeAlias = FoldedDecoder | HeatGrid


class Kind(NamedTuple):
    """What belongs together.

    Attributes:
        title: what people call it.
        config, model, decoder: its classes.
    """

    title: str
    config: type[Config]
    model: type[Model]
    decoder: type[Decoder]


#: By the name that a weight file gives its kind.
KINDS = {
    "liif": Kind("LIIF", LIIFConfig, LIIF, FoldedDecoder),
    "heat": Kind("heat field", HeatConfig, HeatField, HeatGrid),
}

#: What a recipe may name.
CONFIGS: dict[str, Config] = {**liif.CONFIGS, **heat.CONFIGS}


def kind_of(config: Config) -> str:
    """Return the name of a configuration's kind."""
    return next(name for name, kind in KINDS.items() if isinstance(config, kind.config))


def title_of(model: Model) -> str:
    """Return what people call a model's kind."""
    return KINDS[kind_of(model.config)].title


def seed_of(model: nn.Module) -> int | None:
    """Return the seed that a model invents details from; None if it invents none."""
    return model.seed if isinstance(model, LIIF) and model.config.noise else None


def set_seed(model: nn.Module, seed: int | None) -> None:
    """Let a model invent its details from another seed; None: from the one that it has.

    Raises:
        LiifError: it invents none.
    """
    if seed is None:
        return
    if seed_of(model) is None:
        raise LiifError(
            "a seed is for weights that invent details, such as liif-edsr-crisp; these do not: "
            "leave it out, or choose others"
        )
    model.seed = seed  # type: ignore[assignment]


def build(config: Config) -> Model:
    """Return a new model, its weights random."""
    made: nn.Module = KINDS[kind_of(config)].model(config)  # type: ignore[arg-type]
    return made  # type: ignore[return-value]


def decoder_of(model: Model) -> Decoder:
    """Return a model's decoder, arranged for speed; its tensors are views of the model's."""
    return KINDS[kind_of(model.config)].decoder(model)  # type: ignore[arg-type]
