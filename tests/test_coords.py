import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from liif_core.coords import (
    TIE_BREAK,
    cell_size,
    centre_of,
    coord_grid,
    nearest_index,
    pixel_centres,
)

properties = settings(deadline=None, derandomize=True, max_examples=60)
sizes = st.integers(1, 20_000)  # pixels along an axis: up to the longest side of a large panorama
places = st.floats(-1, 1, width=32)


@properties
@given(n=sizes, dtype=st.sampled_from([torch.float32, torch.float64]))
def test_centres_increase_inside_the_frame_and_are_symmetric(n: int, dtype: torch.dtype) -> None:
    centres = pixel_centres(n, dtype=dtype)
    assert centres.shape == (n,)
    assert centres.dtype == dtype
    assert centres.abs().max() < 1
    assert (centres.diff() > 0).all()
    torch.testing.assert_close(centres, -centres.flip(0), rtol=0, atol=1e-7)
    assert torch.allclose(centres.double().diff(), torch.tensor(2 / n).double(), atol=2e-7)


@properties
@given(n=sizes, dtype=st.sampled_from([torch.float32, torch.float64]))
def test_nearest_index_inverts_centre_of(n: int, dtype: torch.dtype) -> None:
    index = torch.arange(n)
    centres = centre_of(index, n, dtype=dtype)
    assert torch.equal(nearest_index(centres, n), index)
    assert torch.equal(centres, pixel_centres(n, dtype=dtype))


@properties
@given(n=sizes, coords=st.lists(places, min_size=1, max_size=50))
def test_nothing_is_farther_than_half_a_cell_from_its_centre(n: int, coords: list[float]) -> None:
    coord = torch.tensor(coords)
    centre = centre_of(nearest_index(coord, n), n, dtype=torch.float64)
    # Just before a border the tie break already chooses the next pixel, 1e-6 farther away.
    assert (coord.double() - centre).abs().max() <= 1 / n + TIE_BREAK + 3e-7


@properties
@given(n=sizes)
def test_a_border_belongs_to_the_pixel_after_it(n: int) -> None:
    index = torch.arange(n)
    borders = (2 * index.double() / n - 1).float()
    assert torch.equal(nearest_index(borders, n), index)


@properties
@given(n=sizes, far=st.floats(1, 1e6))
def test_outside_the_frame_the_outermost_pixel_counts(n: int, far: float) -> None:
    assert nearest_index(torch.tensor([-far, far]), n).tolist() == [0, n - 1]


@properties
@given(n=st.integers(1, 300), times=st.integers(1, 30))
def test_a_finer_grid_nests_in_a_coarser_one(n: int, times: int) -> None:
    fine = pixel_centres(n * times)
    assert torch.equal(nearest_index(fine, n), torch.arange(n * times) // times)
    coarse_from_fine = pixel_centres(n * times, dtype=torch.float64).view(n, times).mean(dim=1)
    expected = pixel_centres(n, dtype=torch.float64)
    torch.testing.assert_close(coarse_from_fine, expected, rtol=0, atol=1e-12)


@properties
@given(height=st.integers(1, 40), width=st.integers(1, 40))
def test_a_grid_is_rows_then_columns(height: int, width: int) -> None:
    grid = coord_grid(height, width)
    assert grid.shape == (height, width, 2)
    assert torch.equal(grid[..., 0], pixel_centres(height)[:, None].expand(height, width))
    assert torch.equal(grid[..., 1], pixel_centres(width).expand(height, width))


@properties
@given(height=sizes, width=sizes)
def test_cells_tile_the_frame(height: int, width: int) -> None:
    cell = cell_size(height, width, dtype=torch.float64)
    assert cell.tolist() == pytest.approx([2 / height, 2 / width])
    assert (cell * torch.tensor([height, width])).tolist() == pytest.approx([2, 2])


def test_worked_examples() -> None:
    assert pixel_centres(1).tolist() == [0]
    assert pixel_centres(4).tolist() == [-0.75, -0.25, 0.25, 0.75]
    coord: Tensor = torch.tensor([[-1.0, -0.5001], [-0.4999, 1.0]])
    assert nearest_index(coord, 4).tolist() == [[0, 0], [1, 3]]
    assert cell_size(4, 8).tolist() == [0.5, 0.25]


@pytest.mark.parametrize("n", [0, -3])
def test_no_pixels_is_an_error(n: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 pixel along each axis, got {n}"):
        pixel_centres(n)
    with pytest.raises(ValueError, match="at least 1 pixel"):
        coord_grid(5, n)
