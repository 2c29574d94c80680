"""Images: decode methods, sizes, shapes, and samples that cannot be read."""

from __future__ import annotations

import gc
import io
import threading
from types import FrameType

import cv2
import numpy as np
import pytest
from PIL import Image

import penstock
from penstock.errors import ImageDecodeError, LoaderError, TensorNotFoundError
from penstock.loader import Loader
from penstock.loader.reading._resizing import opencv_alone, resized
from penstock.sampling import ClassCounts, Clause, SamplingSpec, Strata
from penstock.table import ArrayTable
from penstock.tensors import decode_image, encode_image


def gradient(height, width, channels=3):
    ramp = np.add.outer(np.arange(height), np.arange(width))[:, :, None] * 3 % 256
    return np.repeat(ramp, channels, axis=2).astype(np.uint8)


def test_tobytes_gives_the_bytes_as_stored_as_the_document_says(table):
    batch = next(iter(Loader(table).batch(2).numpy(decode_method={"images": "tobytes", "score": "tobytes"})))
    stored = table.take(np.arange(2), ["images"])["images"]
    assert batch["images"] == list(stored)
    assert batch["score"][1] == np.float64(0.5).tobytes()


def test_pil_gives_pillow_images_for_transforms_as_the_document_says(table):
    loader = Loader(table).transform({"images": lambda image: np.asarray(image.resize((4, 3)))})
    batch = next(iter(loader.batch(2).numpy(decode_method={"images": "pil"})))
    assert batch["images"].shape == (2, 3, 4, 3)
    plain = next(iter(Loader(table).batch(2).numpy(decode_method={"images": "pil"})))
    assert all(isinstance(image, Image.Image) for image in plain["images"])


def test_ragged_images_are_a_list(ragged_images):
    assert isinstance(next(iter(Loader(ragged_images).batch(12).numpy()))["images"], list)


def test_ragged_images_equal_decode_image(ragged_images):
    batch = next(iter(Loader(ragged_images).batch(12).numpy()))
    stored = ragged_images.take(np.arange(12), ["images"])["images"]
    assert all((ours == decode_image(data)).all() for ours, data in zip(batch["images"], stored, strict=True))


def test_ragged_images_can_be_padded(ragged_images):
    assert next(iter(Loader(ragged_images).batch(12).numpy(padding="pad")))["images"].shape == (12, 19, 20, 3)


@pytest.mark.parametrize("compression", ["jpeg", "png"])
@pytest.mark.parametrize("size", [(10, 12), (14, 30), (40, 24)], ids=["shrunk", "mixed", "grown"])
def test_resize_is_opencv_with_areas_averaged_when_shrinking(compression, size):
    encoded = [encode_image(gradient(32, 20 + row), compression) for row in range(6)]
    batch = next(iter(Loader(ArrayTable({"images": encoded})).batch(6).numpy(resize={"images": size})))
    assert batch["images"].shape == (6, *size, 3)
    for ours, data in zip(batch["images"], encoded, strict=True):
        pixels = decode_image(data)
        factor = max(pixels.shape[0] / size[0], pixels.shape[1] / size[1])
        how = cv2.INTER_AREA if factor > 1.25 else cv2.INTER_LINEAR
        assert (ours == cv2.resize(pixels, size[::-1], interpolation=how)).all()


def test_bilinear_differs_from_areas_by_less_than_a_level_where_it_is_used():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (48, 48, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC)
    areas = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(resized(picture, (224, 224)).astype(int) - areas).mean() < 1


@pytest.mark.parametrize(("others", "channels"), [(3, 3), (1, 1)], ids=["gray beside color", "gray alone"])
def test_resize_brings_images_to_one_number_of_channels(others, channels):
    encoded = [
        encode_image(gradient(9, 9, 1), "png"),
        encode_image(gradient(9, 9, others), "png" if others == 1 else "jpeg"),
    ]
    batch = next(iter(Loader(ArrayTable({"images": encoded})).batch(2).numpy(resize={"images": 6})))
    assert batch["images"].shape == (2, 6, 6, channels)


def test_turned_jpeg_is_upright_also_straight_into_the_batch():
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(gradient(8, 16)).save(stream, "JPEG", exif=exif, quality=95)
    data = stream.getvalue()
    batch = next(iter(Loader(ArrayTable({"images": [data, data]})).batch(2).numpy()))
    assert (batch["images"][1] == decode_image(data)).all()
    plain = np.asarray(Image.open(io.BytesIO(data)))
    assert (batch["images"][0] == plain[::-1, ::-1]).all()


class Broken(ArrayTable):
    """Some rows hold bytes that are no image, of the shape of the others."""

    def __init__(self, broken, count=40, **columns):
        good = [encode_image(np.full((6, 6, 3), row, np.uint8), "jpeg") for row in range(count)]
        super().__init__({"images": good, **columns.pop("more", {})}, **columns)
        for row in broken:
            self._images["images"][row] = good[row][:150]

    def shapes(self, tensor):
        return np.tile(np.array([6, 6, 3]), (self.num_rows, 1)) if tensor == "images" else super().shapes(tensor)


def test_raise_names_tensor_row_and_uid():
    with pytest.raises(ImageDecodeError, match=r"'images' of row 13 \(uid 13\): the image cannot be decoded"):
        list(Loader(Broken([13, 14])).batch(8).numpy())


def test_skip_leaves_out_what_cannot_be_decoded():
    loader = Loader(Broken([3, 13, 14])).batch(8).numpy(on_error="skip")
    rows = [row for batch in loader for row in batch["index"].tolist()]
    assert rows == [row for row in range(40) if row not in {3, 13, 14}]


def test_skip_counts_what_it_leaves_out():
    loader = Loader(Broken([3, 13, 14])).batch(8).numpy(on_error="skip")
    assert len(list(loader)) == 5
    assert loader.stats().skipped == 3
    assert [row for row, _ in loader.audit().skipped] == [3, 13, 14]
    assert "cannot be decoded" in loader.audit().skipped[0][1]


def test_skip_of_a_whole_batch_is_an_error():
    with pytest.raises(LoaderError, match="none of the 4 samples"):
        list(Loader(Broken(range(4, 8))).batch(4).numpy(on_error="skip"))


RARE = np.arange(40) % 4 == 0


@pytest.fixture
def substituted():
    """Return the loader, the draws and what came; rows 8 and 16, both rare, cannot be decoded."""
    table = Broken([8, 16], more={"labels": RARE.astype(int)}, class_names={"labels": ["often", "rare"]})
    labels = ClassCounts.from_labels(RARE.astype(int), class_names=("often", "rare"))
    strata = Strata.from_masks({"rare": RARE, "True": np.ones(40, bool)}, labels=labels)
    spec = SamplingSpec(clauses=(Clause("rare", 5), Clause("True", 1)), size=200)
    loader = Loader(table, plan=strata.with_spec(spec)).batch(10).numpy(on_error="substitute")
    return loader, strata.with_spec(spec).stream().epoch(0), np.concatenate([batch["index"] for batch in loader])


def test_substitute_takes_a_sample_of_the_same_stratum(substituted):
    _, drawn, got = substituted
    replaced = np.isin(drawn, [8, 16])
    assert replaced.sum() > 5
    assert RARE[got[replaced]].all()
    assert not np.isin(got, [8, 16]).any()
    assert len(set(got[replaced].tolist())) > 2


def test_substitute_leaves_the_other_draws(substituted):
    _, drawn, got = substituted
    replaced = np.isin(drawn, [8, 16])
    assert (got[~replaced] == drawn[~replaced]).all()


def test_substitute_counts_what_it_replaces(substituted):
    loader, drawn, _ = substituted
    assert loader.stats().substituted == np.isin(drawn, [8, 16]).sum()


def test_substitutes_are_the_same_whatever_the_batches_and_threads():
    def rows(batch, threads):
        loader = (
            Loader(Broken(range(0, 40, 3))).shuffle().batch(batch).numpy(on_error="substitute", num_threads=threads)
        )
        return [row for given in loader for row in given["index"].tolist()]

    assert rows(10, 2) == rows(7, 1)


class Counted(Broken):
    """Counts the samples that are asked for."""

    def __init__(self, broken):
        super().__init__(broken)
        self.asked = []

    def take(self, rows, tensors):
        self.asked += rows.tolist()
        return super().take(rows, tensors)


def test_substitute_reads_only_the_replaced_samples_again():
    table = Counted([3, 13, 14])
    loader = Loader(table).batch(20).numpy(on_error="substitute", num_threads=1)
    batches = list(loader)
    again = len(table.asked) - 40
    assert 3 <= again <= 9
    for batch in batches:
        stored = table.take(batch["index"], ["images"])["images"]
        assert all((image == decode_image(data)).all() for image, data in zip(batch["images"], stored, strict=True))


@pytest.mark.parametrize("policy", ["skip", "substitute"])
def test_samples_that_cannot_be_read_leave_no_cycles_that_hold_batches(policy):
    loader = Loader(Broken(range(0, 40, 3))).batch(8).numpy(on_error=policy, num_threads=0)
    list(loader)
    gc.freeze()  # what was there before is left out, so that the collection below looks at one epoch alone
    gc.disable()
    try:
        for batch in loader:
            del batch
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        held = [thing for thing in gc.garbage if isinstance(thing, np.ndarray | ImageDecodeError | FrameType)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        gc.unfreeze()
    assert held == []


def sixteen_bit():
    stream = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000).save(stream, "PNG")
    return stream.getvalue()


def palette():
    stream = io.BytesIO()
    Image.fromarray(gradient(6, 8)).convert("P").save(stream, "PNG", transparency=0)
    return stream.getvalue()


def cmyk():
    stream = io.BytesIO()
    Image.fromarray(gradient(6, 8)).convert("CMYK").save(stream, "JPEG")
    return stream.getvalue()


STORED = {
    "jpeg": encode_image(gradient(6, 8), "jpeg"),
    "png": encode_image(gradient(6, 8), "png"),
    "gray": encode_image(gradient(6, 8, 1), "png"),
    "16-bit": sixteen_bit(),
    "palette": palette(),
    "cmyk": cmyk(),
}


@pytest.fixture(params=STORED.values(), ids=STORED)
def undeclared(request, tmp_path):
    """Return an encoded image and a dataset that holds it twice without a declared compression."""
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("images", htype="image")
    ds.extend({"images": [request.param] * 2})
    ds.commit("two")
    return request.param, ds


def test_pil_opens_what_is_stored_without_a_declared_compression(undeclared):
    encoded, ds = undeclared
    image = next(iter(ds.dataloader().batch(2).numpy(decode_method={"images": "pil"})))["images"][1]
    pixels = np.asarray(image)
    assert (pixels.reshape(*pixels.shape[:2], -1) == decode_image(encoded)).all()


def test_tobytes_gives_what_is_stored_without_a_declared_compression(undeclared):
    encoded, ds = undeclared
    content = next(iter(ds.dataloader().batch(2).numpy(decode_method={"images": "tobytes"})))["images"][1]
    assert (decode_image(content) == decode_image(encoded)).all()


@pytest.mark.parametrize(
    "options",
    [{"resize": 64}, {"resize": (64, 64)}, {"decode_method": "pil"}, {"decode_method": ["images"]}, {"tensors": 3}],
    ids=str,
)
def test_an_option_without_its_tensors_says_what_to_write(options):
    (name,) = options
    table = ArrayTable({"images": np.zeros((4, 8, 8, 3), np.uint8)})
    with pytest.raises(LoaderError, match=rf"{name}=.*. Expected .* Hint: {name}="):
        Loader(table).batch(2).numpy(**options)


@pytest.mark.parametrize("options", [{"resize": {3: 4}}, {"decode_method": {3: "pil"}}, {"tensors": [3]}], ids=str)
def test_a_tensor_that_is_no_name_is_shown_as_it_is(options):
    table = ArrayTable({"images": np.zeros((4, 8, 8, 3), np.uint8)})
    with pytest.raises(TensorNotFoundError, match=r"3 is not a tensor of this dataset. Expected one of: images"):
        Loader(table).batch(2).numpy(**options)


def _threads_inside(given, barrier):
    import cv2

    with opencv_alone():
        barrier.wait()  # so that both are inside at once
        with opencv_alone():
            given.append(cv2.getNumThreads())
        given.append(cv2.getNumThreads())


@pytest.fixture
def opencv():
    """Set OpenCV to three threads for a test."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    yield cv2
    cv2.setNumThreads(before)


def run_two_inside():
    given, barrier = [], threading.Barrier(2)
    threads = [threading.Thread(target=_threads_inside, args=(given, barrier)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


def test_opencv_splits_no_work_in_threads_of_ours(opencv):
    assert run_two_inside() == [1, 1, 1, 1]


def test_opencv_has_its_threads_again_after_ours(opencv):
    run_two_inside()
    with opencv_alone():
        assert opencv.getNumThreads() == 3  # the main thread stays, so that nothing is lost with it
    assert opencv.getNumThreads() == 3
