"""Trained weights: by name, by path, and from the official checkpoints.

A weight file is a safetensors file whose metadata holds the model's kind (see `models`), its
configuration, and how it was trained, as JSON. `manifest.json` beside the shipped ones lists their
names and SHA-256 sums. Nothing here ever executes code from a file.
"""

import hashlib
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from liif_core.device import pick_device
from liif_core.errors import LiifError
from liif_core.files.publish import publishing
from liif_core.liif import LIIFConfig
from liif_core.models import KINDS, Config, Model, build, kind_of

#: What `load_model` and `liif zoom` use unless told otherwise.
DEFAULT_MODEL = "liif-edsr"

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def weights_folder() -> Path:
    """Return the folder of the shipped weights: inside the wheel, or beside the source tree."""
    packaged = Path(__file__).parent / "_weights"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "weights"


def manifest() -> dict[str, dict[str, Any]]:
    """Return what is shipped: name -> {file, sha256, parameters, summary}."""
    path = weights_folder() / "manifest.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LiifError(
            f"the list of shipped weights {path} cannot be read; install the package again"
        ) from error


def load_model(name_or_path: str | Path = DEFAULT_MODEL, device: str = "auto") -> Model:
    """Load a model by the name of a shipped weight, or from a file.

    Args:
        name_or_path: a name that `liif weights list` shows, a `.safetensors` file written by
            `save_weights`, or an official EDSR-baseline-LIIF checkpoint (`.pth`).
        device: see `pick_device`.

    Returns:
        the model in evaluation mode, its parameters frozen, on the device.

    Raises:
        LiifError: no such name or file, or the file is corrupt, altered, of another
            architecture, or would have to execute code.
    """
    chosen = pick_device(device)
    path = Path(name_or_path)
    shipped = manifest() if not path.suffix else {}
    if str(name_or_path) in shipped:
        entry = shipped[str(name_or_path)]
        path = weights_folder() / entry["file"]
        check_sum(path, entry["sha256"])
    elif not path.is_file():
        names = ", ".join(manifest())
        raise LiifError(f"no weights called '{name_or_path}'; shipped: {names}; or give a file")
    model = read_official(path) if path.suffix in (".pth", ".pt") else read_weights(path)
    # Of a file, its name alone: results say it, and folders are nobody's business.
    model.weights_name = str(name_or_path) if str(name_or_path) in shipped else path.name
    return model.eval().requires_grad_(False).to(chosen)


def check_sum(path: Path, expected: str) -> None:
    """Raise LiifError unless the file's SHA-256 is `expected` (hexadecimal)."""
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise LiifError(f"weights {path} cannot be read: {error.strerror}") from error
    if found != expected:
        raise LiifError(f"weights {path} are damaged (wrong checksum); install the package again")


def read_weights(path: Path) -> Model:
    """Build the model in a safetensors file written by `save_weights`; errors as `load_model`."""
    metadata, state = _read_safetensors(path)
    try:
        noted = json.loads(metadata["config"])
    except (KeyError, ValueError, RecursionError):
        noted = None
    if not isinstance(noted, dict):
        raise LiifError(f"weights {path} hold no LIIF configuration; give a file of liif train")
    kind = metadata.get("kind", "liif")  # older files do not say
    if kind not in KINDS:
        raise LiifError(
            f"weights {path} are of a kind that is not known here, {kind[:40]!r}; known: "
            f"{', '.join(KINDS)}; a newer version of this package may read them"
        )
    try:
        config = KINDS[kind].config.from_dict(noted)
    except ValueError as error:
        raise LiifError(f"weights {path}: {error}") from error
    return _build(config, state, path)


def training_facts(path: Path) -> dict[str, Any]:
    """Return what `save_weights` noted about the training; {} where nothing was.

    Raises:
        LiifError: the file cannot be read, or the notes are not what `save_weights` writes.
    """
    noted = _read_safetensors(path)[0].get("training", "{}")
    try:
        facts = json.loads(noted)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise LiifError(f"weights {path}: their notes about the training cannot be read")
    return facts


def save_weights(
    model: Model, path: Path, training: Mapping[str, Any], dtype: torch.dtype = torch.float32
) -> None:
    """Write a model as safetensors, atomically.

    Args:
        model: what to save; its configuration goes with it.
        path: the file, replaced if it exists.
        training: facts about the training, JSON values.
        dtype: number format in the file: float32, or float16, which `load_model` turns to float32.

    Raises:
        LiifError: the file cannot be written; nothing half-written is left.
    """
    state = {
        key: value.detach().to("cpu", dtype).contiguous()
        for key, value in model.state_dict().items()
    }
    metadata = {
        "format": "pt",
        "kind": kind_of(model.config),
        "config": json.dumps(model.config.to_dict()),
        "training": json.dumps(dict(training)),
    }
    content = save(state, metadata)  # save_file would make a file that none but its owner may read
    with publishing(path) as part:
        Path(part).write_bytes(content)


def read_official(path: Path) -> Model:
    """Build the model in a checkpoint of the official code (github.com/yinboc/liif).

    Only EDSR-baseline-LIIF is understood: `{'model': {'name': 'liif', 'args': …, 'sd': …}}`.
    Unpickling is restricted to tensors and plain containers. Errors as `load_model`.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise LiifError(
            f"checkpoint {path} is damaged or wants to run code, so it was not opened"
        ) from error
    except Exception as error:  # the unpickler meets arbitrary bytes and may raise anything
        raise LiifError(f"checkpoint {path} cannot be read; is it a LIIF .pth file?") from error
    try:
        spec = checkpoint["model"]
        config = _official_config(spec)
        state = {
            key: value.float()
            for key, value in spec["sd"].items()
            # EDSR's mean shifts are in the checkpoint, yet the official forward never uses them.
            if not key.startswith(("encoder.sub_mean.", "encoder.add_mean."))
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise LiifError(f"checkpoint {path} is not in the official LIIF layout") from error
    except ValueError as error:
        raise LiifError(f"checkpoint {path}: {error}") from error
    return _build(config, state, path)


def _official_config(spec: Mapping[str, Any]) -> LIIFConfig:
    args = spec["args"]
    encoder, imnet = args["encoder_spec"], args["imnet_spec"]
    names = (spec["name"], encoder["name"], imnet["name"])
    tail = encoder["args"].get("no_upsampling") and encoder["args"].get("res_scale", 1) == 1
    if names != ("liif", "edsr-baseline", "mlp") or not tail:
        raise LiifError(
            f"checkpoint of another architecture ({' + '.join(map(str, names))}); "
            "only the official EDSR-baseline-LIIF is understood"
        )
    return LIIFConfig.from_dict(  # which refuses numbers that no computer could hold
        {
            "blocks": encoder["args"].get("n_resblocks", 16),
            "channels": encoder["args"].get("n_feats", 64),
            "hidden": imnet["args"]["hidden_list"],
            "local_ensemble": args.get("local_ensemble", True),
            "feature_unfolding": args.get("feat_unfold", True),
            "cell_decoding": args.get("cell_decode", True),
            "local_colour": False,
        }
    )


def _read_safetensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise LiifError(f"weights {path} cannot be read: damaged, or not safetensors") from error


def _build(config: Config, state: Mapping[str, Tensor], path: Path) -> Model:
    with torch.device("meta"):  # no time lost on random values that are replaced at once
        model = build(config)
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in state.items()}
    if found != expected:
        odd = sorted(key for key in found.keys() | expected if found.get(key) != expected.get(key))
        raise LiifError(f"weights {path} do not fit their configuration, first at {odd[0]}")
    if any(value.dtype not in _FLOATS for value in state.values()):
        raise LiifError(f"weights {path} hold values that are not floats of 16, 32 or 64 bits")
    if not all(bool(torch.isfinite(value).all()) for value in state.values()):
        raise LiifError(f"weights {path} hold numbers that are not finite")
    model.load_state_dict({key: value.float() for key, value in state.items()}, assign=True)
    return model
