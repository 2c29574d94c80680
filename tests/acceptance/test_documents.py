"""The code of the five documents themselves runs: what is excepted, and why, is in `excepted.EXCEPTED`.

The documents are read from a folder beside the checkout. A loop whose body is a comment gets one that keeps the
batches, and leaves the loop after some where it has no end.
"""

from __future__ import annotations

import ast
import inspect
import json
import re

import numpy as np
import pytest
from scipy import stats

import penstock
from penstock.dataset.samples import content_of
from penstock.loader import Loader
from tests.acceptance.excepted import EXCEPTED, as_read
from tests.acceptance.reading import code_of, parsed, unread
from tests.acceptance.stand_ins import install, matplotlib, torchvision

DOCUMENTS = {"sampling": "000", "batchup": "001", "loader": "002", "lineage": "003", "article": "004"}
MOST_BATCHES = 40

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def texts(shared_seeds):
    return {name: next(shared_seeds.glob(f"{number}_*.txt")).read_text() for name, number in DOCUMENTS.items()}


@pytest.fixture(scope="module")
def read(texts):
    """Return the code of a document as it is run: pairs of its kind and text."""

    def read(document):
        blocks = [(block.kind, as_read(document, block.text)) for block in code_of(texts[document])]
        return [(kind, text) for kind, text in blocks if text is not None]

    return read


class Page:
    """The names of a document, and the batches of the loops of its block that ran last."""

    def __init__(self, **names):
        self.names = {"__name__": "document", "keep": self._keep, **names}
        self.batches = []

    def __getitem__(self, name):
        return self.names[name]

    def run(self, code):
        self.batches = []
        tree = parsed(code)
        for loop in ast.walk(tree):
            if isinstance(loop, ast.For) and isinstance(loop.body[0], ast.Pass):
                loop.body = ast.parse(f"for _ in _:\n if keep({ast.unparse(loop.target)}): break").body[0].body
        exec(compile(ast.fix_missing_locations(tree), "document", "exec"), self.names)

    def _keep(self, batch):
        self.batches.append(batch)
        return len(self.batches) == MOST_BATCHES


# ---- the table of what is excepted


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_code_of_a_document_is_overlooked(texts, document):
    text = texts[document]
    assert [line for line in unread(text, code_of(text)) if as_read(document, line) is not None] == []


def test_every_exception_is_in_its_document_and_short(texts):
    assert [one for one in EXCEPTED if one.written not in texts[one.document] or len(one.written) > 26] == []


# ---- 000: sampling

FINDINGS = ["No_Finding", "Infiltration", "Effusion", "Emphysema", "Edema", "Fibrosis", "Pneumonia", "Hernia"]
SHARES = [0.5, 0.2, 0.15, 0.03, 0.03, 0.02, 0.02, 0.01]
WEIGHTS = {"Hernia": 20, "Pneumonia": 8, "Fibrosis": 5, "Edema": 5, "Emphysema": 2}


def chest_x_rays(path, num_samples=2000):
    """Make a dataset of tiny images with the findings of the document, rare ones rare; return who has which."""
    rng = np.random.default_rng(0)
    has = rng.random((num_samples, len(FINDINGS))) < SHARES
    has[has[:, 1:].any(1), 0] = False
    has[~has.any(1), 0] = True
    ds = penstock.empty(path)
    ds.create_tensor("images", htype="image", sample_compression="png")
    ds.create_tensor("findings", htype="class_label", class_names=FINDINGS)
    images = [np.full((4, 4, 1), row % 256, np.uint8) for row in range(num_samples)]
    ds.extend({"images": images, "findings": [np.flatnonzero(row) for row in has]})
    ds.commit("made")
    return has


@pytest.mark.torch
def test_the_sampling_document_runs(read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    modules = matplotlib()
    install(monkeypatch, modules)
    has = chest_x_rays("activeloop/nih-chest-xray-train")
    page = Page()
    for kind, code in read("sampling"):
        if kind == "query":
            query_of_the_page = code
        else:
            page.run(code)
    view = page["balanced_view"]
    assert page["ds"].query(query_of_the_page).indices.tolist() == view.indices.tolist()

    weights = np.max([np.where(has[:, FINDINGS.index(name)], weight, 1) for name, weight in WEIGHTS.items()], axis=0)
    shares = (weights[:, None] * has).sum(0) / weights.sum()
    low, high = stats.binom.interval(0.999 ** (1 / len(FINDINGS)), len(has), shares)
    drawn = page["class_count_balanced"]
    assert ((low <= drawn) & (drawn <= high)).all(), (low, drawn, high)
    bars = [arguments[1] for name, arguments, _ in modules["matplotlib.pyplot"].calls if name == "bar"]
    assert [bar.tolist() for bar in bars] == [has.sum(0).tolist()] * 2 + [drawn.tolist()]
    assert sum(len(batch["index"]) for batch in page.batches) == MOST_BATCHES


# ---- 001: BatchUp


def test_the_batchup_document_runs(read):
    rng = np.random.default_rng(0)
    train_X, lab_X, unlab_X = rng.random((300, 3, 4, 6)), rng.random((30, 2)), rng.random((200, 2))
    train_y, lab_y = rng.integers(0, 4, 300), rng.integers(0, 2, 30)
    page = Page(
        train_X=train_X, train_y=train_y, train_w=rng.random(300), lab_X=lab_X, lab_y=lab_y, unlab_X=unlab_X,
        np=np, modify_weights=lambda weights: weights**2,
    )  # fmt: skip
    before = train_X.copy()
    lengths = []
    for kind, code in read("batchup"):
        assert kind == "python"
        page.run(code)
        if page.batches:
            lengths.append([len(batch[-1]) for batch in page.batches])
    all_samples, without_end = [64, 64, 64, 64, 44], [64] * MOST_BATCHES
    subset, unlabeled = [64, 64, 64, 8], [64, 64, 64, 8]
    assert lengths == [all_samples] * 2 + [subset] + [all_samples] * 2 + [without_end] * 4 + [unlabeled]
    assert np.array_equal(train_X, before), "augmentation changed the data"
    assert len(page["batch_unlab_X"]) == 8
    assert len(page["batch_lab_X"]) == 8


# ---- 002: the chained loader

ONCE = {"batch", "offset", "shuffle", "transform", "numpy", "pytorch", "tensorflow"}  # refused a second time
NUM_IMAGES = 80


def fashion_and_coco():
    """Make the two datasets of the document, of equal length: it weighs one by numbers of the other."""
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(NUM_IMAGES) % 10)
    fashion = penstock.empty("activeloop/fashion-mnist-train")
    fashion.create_tensor("images", htype="image", sample_compression="png")
    fashion.create_tensor("labels", htype="class_label", class_names=[f"garment {label}" for label in range(10)])
    fashion.extend({"images": list(rng.integers(0, 256, (NUM_IMAGES, 28, 28, 1), np.uint8)), "labels": list(labels)})
    fashion.commit("made")
    categories = [[["car"], ["motorcycle", "person"], ["person"], ["car", "motorcycle"]][row % 4] for row in range(80)]
    coco = penstock.empty("activeloop/coco-train")
    coco.create_tensor("categories", htype="class_label")
    coco.extend({"categories": categories})
    coco.commit("made")
    return labels


def sections(code):
    """Return the Python of each method of the page, by its name."""
    methods = [text.partition("(")[0] if kind == "signature" else None for kind, text in code]
    found, method = {}, ""
    for name, (_, text) in zip(methods, code, strict=True):
        method = name or method
        found.setdefault(method, []).extend([text] if name is None else [])
    return {method: texts for method, texts in found.items() if texts}


def rows_of(loader):
    return [row for batch in loader.batch(16).numpy() for row in batch["index"].tolist()]


@pytest.mark.torch
def test_the_loader_document_runs(read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    install(monkeypatch, torchvision())
    labels = fashion_and_coco()
    examples = sections(read("loader"))
    assert list(examples) == ["pytorch", "query", "sample_by", "tensorflow"]
    page = Page()
    for code in examples["pytorch"]:
        page.run(code)
    assert len(page["train_loader"]) == 3
    assert page["i"] == 2
    assert page["sample"]["images"].shape == (16, 1, 28, 28)
    assert page["sample"]["images"].is_floating_point()
    assert page["sample"]["labels"].shape == (16, 1)

    queried = []
    for code in examples["query"]:
        page.run(code)
        queried += [rows_of(page["query_ds_train"])] if "query_ds_train" in code else []
    assert queried == [np.flatnonzero(labels != 5).tolist(), [row for row in range(80) if row % 4 != 2]]

    sampled = []
    for code in examples["sample_by"]:
        page.run(code)
        sampled += [page["sampled_ds"]] if "sampled_ds" in code else []
    fives_and_sixes, by_label = map(rows_of, sampled[:2])
    with pytest.warns(UserWarning, match="64"):  # a fifth of the weights are 0
        once = rows_of(sampled[2])
    assert {5, 6} == set(labels[fives_and_sixes].tolist())
    assert stats.binom.interval(0.9999, NUM_IMAGES, 2 / 3)[0] <= np.sum(labels[fives_and_sixes] == 5)
    assert 0 not in labels[by_label]
    assert sorted(once) == [row for row in range(80) if row % 5]


@pytest.mark.tensorflow
def test_the_tensorflow_example_of_the_loader_document_runs(read, tmp_path, monkeypatch):
    pytest.importorskip("tensorflow")
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("torch")
    install(monkeypatch, torchvision())
    fashion_and_coco()
    page = Page()
    for code in sections(read("loader"))["tensorflow"]:
        page.run(code)
    assert page["i"] == 2
    assert page["sample"]["images"].shape.as_list() == [16, 28, 28, 1]


def test_the_loader_has_the_signatures_of_its_document(read):
    signatures = [text for kind, text in read("loader") if kind == "signature"]
    assert len(signatures) == 10
    for text in signatures:
        written = ast.parse(f"def {text}: pass").body[0].args
        defaults = [inspect.Parameter.empty] * (len(written.args) - len(written.defaults))
        defaults += [ast.literal_eval(default) for default in written.defaults]
        ours = list(inspect.signature(getattr(Loader, text.partition("(")[0])).parameters.values())[1:]
        by_position = [one for one in ours if one.kind is one.POSITIONAL_OR_KEYWORD]
        assert [(one.name, one.default) for one in by_position] == [
            (argument.arg, default) for argument, default in zip(written.args, defaults, strict=True)
        ], text
        assert any(one.kind is one.VAR_KEYWORD for one in ours) == bool(written.kwarg)
        assert all(one.default is not one.empty for one in ours if one.kind is one.KEYWORD_ONLY)


@pytest.mark.torch
def test_the_loader_refuses_what_its_document_says(texts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fashion_and_coco()
    loader = penstock.load("activeloop/fashion-mnist-train").dataloader()
    calls = {
        "batch": lambda chain: chain.batch(4), "offset": lambda chain: chain.offset(1),
        "shuffle": lambda chain: chain.shuffle(), "transform": lambda chain: chain.transform({"labels": None}),
        "numpy": lambda chain: chain.numpy(), "pytorch": lambda chain: chain.pytorch(),
    }  # fmt: skip
    lines = [line for line in texts["loader"].splitlines() if "ValueError" in line]
    refused = {tuple(re.findall(r"\.(\w+)\(\)", line)) for line in lines if as_read("loader", line) is not None}
    assert {name for names in refused for name in names} == ONCE
    for names in refused:
        outputs = [name for name in names if name != "tensorflow"]  # its result is a tf.data.Dataset, with no steps
        for first in outputs:
            for second in outputs:
                with pytest.raises(ValueError, match=r"already been called"):
                    calls[second](calls[first](loader))


# ---- 003: lineage

IMAGES, EIGHT = 80, 8  # the sample whose third label of four the document deletes


def coco_in_a_bucket(folder, bucket):
    """Put real COCO images in the bucket of the document, one with four labels in the place it speaks of."""
    content = json.loads((folder / "annotations" / "instances_train2017.json").read_text())
    labels = [annotation["image_id"] for annotation in content["annotations"]]
    ids = sorted(image["id"] for image in content["images"])
    four = next(identity for identity in ids if labels.count(identity) == 4 and identity != ids[61])
    swapped = {ids[EIGHT]: four, four: ids[EIGHT]}
    for image in content["images"]:
        image["id"] = swapped.get(image["id"], image["id"])
    for annotation in content["annotations"]:
        annotation["image_id"] = swapped.get(annotation["image_id"], annotation["image_id"])
    bucket.put("coco/annotations/instances_train2017.json", json.dumps(content).encode())
    for file in sorted((folder / "train2017").glob("*.jpg")):
        bucket.put(f"coco/train2017/{file.name}", file.read_bytes())


@pytest.fixture
def bucket_of_the_document(object_store, shared_data, monkeypatch, tmp_path):
    names = {"aws_access_key_id": "test", "aws_secret_access_key": object_store.keys["aws_secret_access_key"]}
    for name, value in {**object_store.environment, **names, "PENSTOCK_CACHE_DIR": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    bucket = object_store.new_bucket("non-hub-datasets")
    coco_in_a_bucket(shared_data / "coco_mini", bucket)
    return bucket


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")  # boto3, albumentations and torch warn on their own account
@pytest.mark.parametrize(
    "place",
    [pytest.param("", marks=pytest.mark.exhaustive), "s3://non-hub-datasets/sets/"],
    ids=["folder", "bucket"],
)
def test_the_lineage_document_runs(read, bucket_of_the_document, place, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    install(monkeypatch, torchvision())
    page = Page()
    for kind, code in read("lineage"):
        if kind == "query":
            query = code
        elif "verify = False" in code:
            quick = Page(ds=penstock.empty("quick"))
            quick.run(code)
        elif code.startswith("# ds.delete_view"):
            afterwards = code.removeprefix("# ")
        else:
            if "optimize = True" in code:
                saved = page["ds"].query(query).save_view(id=re.search(r"'(\w+)'", code).group(1))
            run_and_check(page, code.replace("dl-corp/", f"{place}dl-corp/"))
    assert quick["ds"].images.htype == "link[image]"

    wanted = set(page["CLASSES_OF_INTEREST"])
    names = page["ds"].categories.data()["text"]
    assert page["ds_view"].indices.tolist() == [row for row, found in enumerate(names) if wanted & set(found)]
    batches = list(page["train_loader"])
    assert sum(len(images) for images, _ in batches) == len(page["ds_view"])
    assert {tuple(image.shape) for images, _ in batches for image in images} == {(3, page["HEIGHT"], page["WIDTH"])}
    assert all(len(target["boxes"]) == len(target["labels"]) for _, targets in batches for target in targets)
    losses = re.findall(r"\[ *\d+\] loss: (\S+), speed", capfd.readouterr().out)
    assert len(losses) == page["num_epochs"] == 3
    assert np.isfinite(np.array(losses, float)).all()
    page["train_loader"].close()
    page.run(afterwards)
    with pytest.raises(penstock.PenstockError, match=saved):
        page["ds"].load_view(saved)


def run_and_check(page, code):
    """Run a block of the lineage document, and check what it made, deleted or changed."""
    if "ds.pop(61)" in code:
        uids = content_of(page["ds"]).table.uids(np.arange(IMAGES))
        page.run(code)
        assert content_of(page["ds"]).table.uids(np.arange(IMAGES - 1)).tolist() == np.delete(uids, 61).tolist()
    elif "ds.categories[8]" in code:
        labels, boxes = page["ds"].categories[EIGHT].numpy(), page["ds"].boxes[EIGHT].numpy()
        page.run(code)
        assert page["ds"].categories[EIGHT].numpy().tolist() == labels[[0, 1, 3]].tolist()
        assert page["ds"].boxes[EIGHT].numpy().tolist() == boxes[[0, 1, 3]].tolist()
        messages = [commit.message for commit in page["ds"].log()]
        assert messages == ["Deleted bad label at index 8", "Deleted index 61 because the image is low quality."]
    else:
        page.run(code)
    if "ds.append(" in code:
        assert len(page["ds"]) == IMAGES
        assert set(page["ds"].categories.info.class_names) == {one["name"] for one in page["category_info"]}
