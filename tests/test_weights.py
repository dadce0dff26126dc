"""Weights: shipped ones, files, official checkpoints, and everything that is not one."""

import hashlib
import json
import os
import pickle
import stat
from pathlib import Path

import pytest
import reference
import torch
from safetensors.torch import load_file, save_file

from liif_core import weights
from liif_core.errors import LiifError
from liif_core.liif import LIIF, LIIFConfig
from liif_core.weights import load_model, manifest, save_weights, training_facts

TINY = LIIFConfig(blocks=2, channels=6, hidden=(8, 8))


def tiny(seed: int = 0, config: LIIFConfig = TINY) -> LIIF:
    torch.manual_seed(seed)
    return LIIF(config).eval()


def official(model: LIIF, **args: object) -> dict:
    """A checkpoint as the official code writes it, of the model's values."""
    config = model.config
    state = dict(model.state_dict())
    for shift in ("sub_mean", "add_mean"):
        state[f"encoder.{shift}.weight"] = torch.randn(3, 3, 1, 1)
        state[f"encoder.{shift}.bias"] = torch.randn(3)
    return {
        "model": {
            "name": "liif",
            "args": {
                "encoder_spec": {
                    "name": "edsr-baseline",
                    "args": {
                        "no_upsampling": True,
                        "n_resblocks": config.blocks,
                        "n_feats": config.channels,
                    },
                },
                "imnet_spec": {
                    "name": "mlp",
                    "args": {"out_dim": 3, "hidden_list": list(config.hidden)},
                },
                **args,
            },
            "sd": state,
        },
        "optimizer": {"name": "adam", "args": {"lr": 1e-4}, "sd": {}},
        "epoch": 1000,
    }


def test_what_is_shipped_is_what_the_manifest_says():
    for name, entry in manifest().items():
        path = weights.weights_folder() / entry["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
        model = load_model(name, "cpu")
        assert sum(p.numel() for p in model.parameters()) == entry["parameters"]
        assert not model.training
        assert not any(p.requires_grad for p in model.parameters())
        facts = training_facts(path)
        assert facts["photographs"] > 0
        assert facts["recipe"].get("init") in {None, *manifest()}, "no file of one machine"
    assert weights.DEFAULT_MODEL in manifest()


def test_round_trip(tmp_path):
    model = tiny()
    save_weights(model, tmp_path / "tiny.safetensors", {"steps": 3})
    again = load_model(tmp_path / "tiny.safetensors", "cpu")
    assert again.config == TINY
    assert training_facts(tmp_path / "tiny.safetensors") == {"steps": 3}
    for key, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.safetensors"]


@pytest.mark.parametrize("full_size", [False, True])
def test_official_checkpoint_gives_the_papers_function(tmp_path, full_size):
    """Random values in the official layout, through the importer, against the equations."""
    model = tiny(config=LIIFConfig() if full_size else TINY)
    checkpoint = official(model)
    if full_size:  # the official files name neither: 16 blocks of 64 are the defaults
        arguments = checkpoint["model"]["args"]["encoder_spec"]["args"]
        del arguments["n_resblocks"], arguments["n_feats"]
    torch.save(checkpoint, tmp_path / "edsr-baseline-liif.pth")
    loaded = load_model(tmp_path / "edsr-baseline-liif.pth", "cpu")
    assert loaded.config == model.config
    photo = torch.rand(1, 3, 5, 7)
    coord, cell = torch.rand(1, 9, 2) * 2 - 1, torch.rand(1, 9, 2) * 0.3
    found = loaded.query(loaded.encode(photo), coord, cell)[0]
    expected = reference_query(checkpoint["model"]["sd"], photo, coord, cell)
    torch.testing.assert_close(found, expected.to(found), atol=1e-5, rtol=0)


def reference_query(state, photo, coord, cell):
    return torch.from_numpy(
        reference.query(state, photo[0].numpy(), coord[0].numpy(), cell[0].numpy())
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["model"]["args"]["encoder_spec"].update(name="rdn"), "another architecture"),
        (lambda c: c["model"]["args"]["encoder_spec"]["args"].clear(), "another architecture"),
        (lambda c: c["model"].update(name="metasr"), "another architecture"),
        (lambda c: c.pop("model"), "official LIIF layout"),
        (
            lambda c: c["model"]["args"]["imnet_spec"]["args"].update(hidden_list=[8] * 17),
            "hidden must be a list of at most 16",
        ),
        (
            lambda c: c["model"]["args"]["encoder_spec"]["args"].update(n_resblocks=10**6),
            "blocks must be an integer in 1 … 1024",
        ),
        (lambda c: c["model"]["sd"].pop("imnet.layers.0.bias"), "do not fit"),
        (lambda c: c["model"]["args"].update(cell_decode=False), "do not fit"),
        (lambda c: c["model"]["sd"]["imnet.layers.0.bias"].fill_(float("nan")), "not finite"),
    ],
)
def test_other_checkpoints_are_refused(tmp_path, change, message):
    checkpoint = official(tiny())
    change(checkpoint)
    torch.save(checkpoint, tmp_path / "other.pth")
    with pytest.raises(LiifError, match=message):
        load_model(tmp_path / "other.pth", "cpu")


class Trap:
    """Unpickled without restriction, it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize(
    "writer", [torch.save, lambda obj, path: path.write_bytes(pickle.dumps(obj))]
)
def test_a_checkpoint_never_runs_code(tmp_path, writer):
    writer({"model": Trap(tmp_path / "sprung")}, tmp_path / "trap.pth")
    with pytest.raises(LiifError, match="run code"):
        load_model(tmp_path / "trap.pth", "cpu")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"no weights at all"])
def test_files_that_are_no_weights(tmp_path, ending, content):
    path = tmp_path / f"junk{ending}"
    path.write_bytes(content)
    with pytest.raises(LiifError, match=r"junk.*(cannot be read|run code)"):
        load_model(path, "cpu")


def test_truncated_safetensors(tmp_path):
    path = tmp_path / "cut.safetensors"
    save_weights(tiny(), path, {})
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(LiifError, match="cannot be read"):
        load_model(path, "cpu")


@pytest.mark.parametrize("dtype", [torch.int64, torch.complex64, torch.float8_e4m3fn])
def test_values_of_an_odd_kind(tmp_path, dtype):
    path = tmp_path / "odd.safetensors"
    state = {key: value.to(dtype) for key, value in tiny().state_dict().items()}
    save_file(state, path, metadata={"config": json.dumps(TINY.to_dict())})
    with pytest.raises(LiifError, match="not floats of 16, 32 or 64 bits"):
        load_model(path, "cpu")


@pytest.mark.parametrize("config", ["null", "[1]", "7", '"text"', "[" * 100_000, None])
def test_a_configuration_that_is_none_is_told_in_our_words(tmp_path, config):
    path = tmp_path / "odd.safetensors"
    save_file(tiny().state_dict(), path, metadata=None if config is None else {"config": config})
    with pytest.raises(LiifError) as error:
        load_model(path, "cpu")
    words = "hold no LIIF configuration; give a file of liif train"
    assert str(error.value) == f"weights {path} {words}"


@pytest.mark.parametrize(
    "config",
    [
        None,
        "nonsense",
        "[]",
        json.dumps({"blocks": 2}),
        json.dumps({**TINY.to_dict(), "blocks": 10**9}),
        json.dumps({**TINY.to_dict(), "hidden": [8] * 17}),
        json.dumps({**TINY.to_dict(), "local_colour": "yes"}),
        "[" * 100_000,
    ],
)
def test_safetensors_without_a_configuration(tmp_path, config):
    path = tmp_path / "odd.safetensors"
    save_file(dict(tiny().state_dict()), path, {"config": config} if config else {})
    with pytest.raises(LiifError, match="configuration"):
        load_model(path, "cpu")


def test_a_changed_shipped_weight_is_noticed(tmp_path, monkeypatch):
    source = weights.weights_folder()
    name, entry = next(iter(manifest().items()))
    content = bytearray((source / entry["file"]).read_bytes())
    content[-1] ^= 1
    (tmp_path / entry["file"]).write_bytes(content)
    (tmp_path / "manifest.json").write_text((source / "manifest.json").read_text())
    monkeypatch.setattr(weights, "weights_folder", lambda: tmp_path)
    with pytest.raises(LiifError, match="checksum"):
        load_model(name, "cpu")


def test_names_are_told_where_there_is_no_such_weight():
    with pytest.raises(LiifError, match="liif-edsr-small"):
        load_model("liif-of-my-dreams", "cpu")
    with pytest.raises(LiifError, match="device"):
        load_model(device="abacus")


@pytest.mark.parametrize("notes", ["nonsense", "[]", "[" * 100_000])
def test_notes_about_the_training_that_are_none(tmp_path, notes):
    path = tmp_path / "odd.safetensors"
    save_file(dict(tiny().state_dict()), path, {"training": notes})
    with pytest.raises(LiifError, match="notes about the training cannot be read"):
        training_facts(path)


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LiifError, match="tiny.safetensors: could not be written: No space left"):
        save_weights(tiny(), tmp_path / "tiny.safetensors", {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask_which_stays_what_it_is(tmp_path, monkeypatch, umask):
    before = os.umask(umask)
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail(f"umask {mask:o}"))
    try:
        save_weights(tiny(), tmp_path / "tiny.safetensors", {})
    finally:
        monkeypatch.undo()
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "tiny.safetensors").stat().st_mode) == 0o666 & ~umask


def test_half_precision_files_load_as_float32(tmp_path):
    path = tmp_path / "half.safetensors"
    save_weights(tiny(), path, {})
    state = {key: value.half() for key, value in load_file(path).items()}
    save_file(state, path, {"config": json.dumps(TINY.to_dict())})
    assert next(load_model(path, "cpu").parameters()).dtype == torch.float32
