"""A step on the CPU: part by part on the workers, the same on any number of them."""

import copy
from dataclasses import replace

import pytest
import torch

from liif_core import workers
from liif_core.liif import LIIF, LIIFConfig
from liif_core.photos import photo_paths
from liif_core.training.loss import PairLoss
from liif_core.training.optim import make_optimizers
from liif_core.training.pairs import PairSampler
from liif_core.training.recipe import Recipe
from liif_core.training.update import PART, Update, autocast

RECIPE = Recipe("tiny", steps=10, batch=7, patch=8, queries=20, warmup=1, precision="float32")
#: Seven matrices of one shape, more than a worker orthogonalises together.
CONFIG = LIIFConfig(blocks=3, channels=6, hidden=(8,), local_colour=True)


def begun(recipe):
    torch.manual_seed(0)
    model = LIIF(CONFIG).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(model).requires_grad_(False)
    optimizers = make_optimizers(model, recipe.optimizer, recipe.rate)
    loss = PairLoss(model, recipe.loss)
    return model, Update(loss, model, average, optimizers, recipe)


def trained(recipe, sampler, number):
    model, update = begun(recipe)
    losses = []
    with workers.limited_to(number):
        for step in range(3):
            numbers = range(step * recipe.batch, (step + 1) * recipe.batch)
            losses.append(float(update(sampler.batch(numbers), step)))
    return losses, [*model.parameters(), *update.averages]


@pytest.mark.parametrize("loss", ["l1", "psnr"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_the_number_of_workers_changes_no_bit(loss, precision, optimizer, photos):
    recipe = replace(RECIPE, loss=loss, precision=precision, optimizer=optimizer)
    sampler = PairSampler(photo_paths(photos), recipe)
    one, *others = (trained(recipe, sampler, number) for number in (1, 2, 5))
    for losses, tensors in others:
        assert losses == one[0]
        assert all(torch.equal(a, b) for a, b in zip(tensors, one[1], strict=True))


@pytest.mark.parametrize("loss", ["l1", "psnr"])
def test_parts_add_up_to_the_whole_batch(loss, photos):
    recipe = replace(RECIPE, loss=loss)
    assert recipe.batch % PART, "the last part has another share"
    batch = PairSampler(photo_paths(photos), recipe).batch(range(recipe.batch))
    model, update = begun(recipe)
    found = update._by_parts(batch)
    gradients = [p.grad for p in model.parameters()]
    expected = update._whole(batch)
    torch.testing.assert_close(found, expected)
    for gradient, parameter in zip(gradients, model.parameters(), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, atol=1e-6, rtol=1e-4)
    assert not torch.is_autocast_enabled("cpu")


def test_precision_is_each_threads_own(photos):
    """Autocast is set per thread; within the workers it must be set anew."""
    seen = []

    class Spy(PairLoss):
        def forward(self, batch):
            seen.append(torch.is_autocast_enabled("cpu"))
            return super().forward(batch)

    recipe = replace(RECIPE, precision="bfloat16")
    model, update = begun(recipe)
    update.loss = Spy(model)
    with workers.limited_to(2):
        update(PairSampler(photo_paths(photos), recipe).batch(range(7)), 0)
    with autocast(torch.device("cpu"), "bfloat16"):
        expected = torch.is_autocast_enabled("cpu")
    assert seen == [expected] * 4
