"""Every Python block of BatchUp's README runs, `batchup` read as `penstock.batchup`.

A block is run as written, but for two things. A loop whose body is a comment gets a body, which ends loops without end
after some batches. And what cannot run is replaced, as `REPAIRS` lists: a wrong name and two brackets of the page, and
what Python 3 and SciPy no longer have.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tqdm
from PIL import Image

BLOCKS = re.findall(r"```python\n(.*?)```", (Path(__file__).parent / "page.md").read_text(), re.DOTALL)
MOST_BATCHES = 40
REPAIRS = {
    "batch_X[flip_flags, ...] = flip_flags[flip_flags, :, :, ::-1]": (
        "batch_X[flip_flags, ...] = batch_X[flip_flags, :, :, ::-1]"
    ),
    "from scipy.misc import imread": "imread = read_image",
    "(int, long)": "int",
    "'not a {}'.format(type(index))": "'not a {}'.format(type(index)))",
    "for p in image_paths)]": "for p in image_paths]",
    "'/path/to/my/images/*.jpg'": "image_pattern",
}


def as_run(block):
    """Return a block with the import changed, repaired, its loops ended."""
    for wrong, right in REPAIRS.items():
        block = block.replace(wrong, right)
    return re.sub(
        r"^( *)(# Process(?:es)? batch.*)$", r"\1\2\n\1if ended(locals()): break", block, flags=re.MULTILINE
    ).replace("from batchup", "from penstock.batchup")


class Ended:
    """Counts batches, and keeps the last namespace."""

    def __init__(self):
        self.count = 0

    def __call__(self, names):
        self.count += 1
        return self.count % MOST_BATCHES == 0


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """What the page assumes to be there already."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for number in range(12):
        pixels = rng.integers(0, 256, (6, 5, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{'dog' if number % 3 else 'cat'}{number}.jpg")
    train_y = rng.integers(0, 4, 300)
    return {
        "__name__": "page",
        "np": np,
        "tqdm": tqdm,
        "ended": Ended(),
        "read_image": lambda path: np.asarray(Image.open(path)),
        "image_pattern": str(folder / "*.jpg"),
        "train_X": rng.random((300, 3, 4, 6)),
        "train_y": train_y,
        "train_w": rng.random(300),
        "modify_weights": lambda weights: weights**2,
        "lab_X": rng.random((30, 2)),
        "lab_y": rng.integers(0, 2, 30),
        "unlab_X": rng.random((200, 2)),
        "f_pred": lambda x: x.sum(axis=1),
        "f_eval": lambda x, y: [np.log(x + 1).sum(), (y == 0).sum()],
        "test_X": rng.random((500, 4)),
        "val_X": rng.random((500, 4)),
        "val_y": rng.integers(0, 2, 500),
    }


@pytest.mark.slow
def test_every_block_runs_in_turn(names):
    data = names["train_X"]
    before = data.copy()
    for number, block in enumerate(BLOCKS):
        had = names["ended"].count
        exec(compile(as_run(block), f"block {number}", "exec"), names)
        assert names["ended"].count > had or "# Process" not in block, block
    assert np.array_equal(data, before), "augmentation changed the data"
    np.testing.assert_allclose(names["pred_y"], names["test_X"].sum(axis=1))
    np.testing.assert_allclose(names["mean_log_loss"], np.log(names["val_X"] + 1).sum() / 500)
    np.testing.assert_allclose(names["mean_err_rate"], (names["val_y"] == 0).mean())


def test_page_has_its_blocks():
    assert len(BLOCKS) == 19


def test_repairs_are_all_needed():
    text = "\n".join(BLOCKS)
    assert [wrong for wrong in REPAIRS if wrong not in text] == []
