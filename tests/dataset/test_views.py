from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.errors import (
    DatasetError,
    QueryEvaluationError,
    ReadOnlyError,
    SamplingError,
    UncommittedChangesError,
    ViewNotFoundError,
)
from penstock.tensors import decode_image, encode_image


@pytest.fixture
def ds(tmp_path):
    """Twelve samples: 'rare' on sample 5 alone, 'common' on the others."""
    dataset = penstock.empty(tmp_path / "shapes")
    dataset.create_tensor("images", htype="link[image]")
    dataset.create_tensor("labels", htype="class_label", class_names=["common", "rare"])
    dataset.create_tensor("age")
    for index in range(12):
        file = tmp_path / "files" / f"{index}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(encode_image(np.full((3, 4), index, np.uint8)))
        labels = ["rare"] if index == 5 else ["common"]
        dataset.append({"images": penstock.link(file), "labels": labels, "age": index * 10})
    dataset.commit("first")
    return dataset


@pytest.fixture
def old_or_rare(ds):
    return ds.query("select * where age >= 90 or labels == 'rare'")


def test_a_query_gives_its_rows(old_or_rare):
    assert old_or_rare.indices.tolist() == [5, 9, 10, 11]


def test_a_view_keeps_the_text_of_its_query(ds, old_or_rare):
    text = "select * where age >= 90 or labels == 'rare'"
    assert (old_or_rare.query_string, old_or_rare.seed, old_or_rare.version) == (text, 0, ds.version)


def test_a_query_of_a_view_is_among_its_rows(old_or_rare):
    assert old_or_rare.query("select * where age < 100").indices.tolist() == [5, 9]
    assert old_or_rare[1:].query("select * order by age desc limit 2").indices.tolist() == [11, 10]


def test_a_projection_shows_its_columns(ds):
    view = ds.query("select images, age + 1 as older where age > 100")
    assert list(view.tensors) == ["images", "older"]
    assert view.older.numpy().tolist() == [111]
    assert view.images[0].numpy()[0, 0, 0] == 11
    kept = ds.load_view(view.save_view())
    assert (kept.indices.tolist(), list(kept.tensors)) == ([11], ["images", "labels", "age"])
    batch = next(iter(view.dataloader().batch(1).numpy()))
    assert batch["older"].tolist() == [111]
    assert batch["index"].tolist() == [11]


def test_a_grouped_query_is_a_table_of_its_own(ds):
    view = ds.query("select labels, count(*) as n group by labels order by n")
    assert view.n.numpy().tolist() == [1, 11]
    assert view.labels.data()["text"] == [["rare"], ["common"]]
    with pytest.raises(DatasetError, match="is a table"):
        view.save_view()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select site, name group by site", [["a.jpg", "c.jpg"], ["b.jpg"]]),
        ("select site, unique(name) as name group by site", [["a.jpg", "c.jpg"], ["b.jpg"]]),
        ("select unique(name) as name, site", [["a.jpg"], ["b.jpg"], ["c.jpg"]]),
        ("select keys(meta) as name", [["iso", "lens"], [], ["iso"]]),
    ],
    ids=["grouped", "unique of a group", "unique of a row", "keys"],
)
def test_a_row_of_several_texts_is_their_list(tmp_path, query, expected):
    arrays = {
        "site": ["x", "y", "x"],
        "name": ["a.jpg", "b.jpg", "c.jpg"],
        "meta": [{"iso": 1, "lens": 2}, {}, {"iso": 3}],
    }
    htypes = {"site": "text", "name": "text", "meta": "json"}
    view = penstock.from_arrays(arrays, tmp_path / "texts", htypes=htypes, progress=False).query(query)
    assert view["name"].data()["value"] == expected
    assert view.pandas()["name"].tolist() == expected


def test_a_group_of_lists_of_texts_is_refused_in_words(tmp_path):
    arrays = {"site": ["x", "y", "x"], "meta": [{"iso": 1, "lens": 2}, {}, {"iso": 3}]}
    ds = penstock.from_arrays(arrays, tmp_path / "ds", htypes={"site": "text", "meta": "json"}, progress=False)
    with pytest.raises(QueryEvaluationError, match="a group cannot list several"):
        ds.query("select site, keys(meta) as k group by site")


def test_a_sampled_view_is_epoch_0_of_the_live_loader(ds):
    weights = "max_weight(labels == 'rare': 11, True: 1)"
    view = ds.sample_by(weights, size=40, seed=3)
    live = ds.dataloader(seed=3).sample_by(weights, size=40).batch(40).numpy()
    first, second = (next(iter(live))["index"] for _ in range(2))
    np.testing.assert_array_equal(view.indices, first)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(ds.query(f"select * sample by {weights} limit 40", seed=3).indices, first)
    assert view.spec.size == 40
    frozen = view.dataloader().batch(40).numpy()
    for _ in range(2):
        np.testing.assert_array_equal(next(iter(frozen))["index"], first)


def test_the_plan_of_a_frozen_view_is_exact(ds):
    view = ds[[5, 5, 1]]
    histogram = view.plan().histogram()
    assert histogram.raw.tolist() == histogram.expected.tolist() == [1, 2]
    assert histogram.low.tolist() == histogram.high.tolist() == [1, 2]


def test_the_plan_of_weights_has_the_closed_form_shares(ds):
    plan = ds.plan("max_weight(labels == 'rare': 11, True: 1)", size=22)
    np.testing.assert_allclose(plan.histogram().expected, [11, 11])
    by_tensor = ds.plan("age", labels="labels").histogram()
    np.testing.assert_allclose(by_tensor.expected, np.array([610, 50]) / 660 * 12)
    with pytest.raises(SamplingError, match=r"shape \(3,\) for 12 samples"):
        ds.sample_by([1, 2, 3])
    with pytest.raises(DatasetError, match=r"a class_label tensor: labels"):
        ds.plan([1] * 12, labels="age")


def test_options_beside_a_spec_take_the_place_of_its_own(ds):
    spec = penstock.parse_sampling("max_weight(labels == 'rare': 11, True: 1)", seed=3, mode="deck", size=24)
    assert ds.plan(spec).spec == spec
    assert ds.plan(spec, mode="once").spec == spec.with_options(mode="once")
    given = ds.plan(spec, mode="iid", seed=5, size=8).spec
    assert (given.mode, given.seed, given.size, given.clauses) == ("iid", 5, 8, spec.clauses)


def test_the_one_call_loader_trains_in_the_playbook_s_form(ds):
    loader = ds.pytorch(
        num_workers=0,
        shuffle=True,
        transform=lambda sample: (sample["images"].shape, int(sample["labels"][0])),
        tensors=["images", "labels"],
        batch_size=5,
        collate_fn=lambda batch: tuple(zip(*batch, strict=True)),
    )
    batches = list(loader)
    assert [len(batch[0]) for batch in batches] == [5, 5, 2]
    assert sum(label for batch in batches for label in batch[1]) == 1
    assert batches[0][0][0] == (3, 4, 1)


@pytest.mark.parametrize("optimize", [False, True], ids=["as stored", "optimized"])
def test_a_saved_view_is_of_its_commit_whatever_comes_later(ds, optimize):
    view = ds.query("select * where age > 30 order by age desc limit 3")[[0, 2, 0]]
    rows = view.indices.tolist()
    view_id = view.save_view("for training", id="train-1")
    ds.labels.rename_class("rare", "scarce")
    ds.age[11] = -1
    ds.pop(0)
    ds.commit("changed")
    opened = penstock.load(ds.path).load_view(view_id, optimize=optimize, num_workers=2)
    assert opened.indices.tolist() == rows == [11, 9, 11]
    assert opened.age.numpy().tolist() == [110, 90, 110]
    assert opened.labels.info.class_names == ["common", "rare"]
    assert opened.images[1].numpy()[0, 0, 0] == 9
    batch = next(iter(opened.dataloader().batch(3).numpy()))
    assert batch["index"].tolist() == rows
    assert batch["images"][:, 0, 0, 0].tolist() == rows
    saved = ds.get_views()[0]
    assert (saved.id, saved.message, saved.num_samples, saved.optimized) == ("train-1", "for training", 3, optimize)


def test_an_optimized_view_no_longer_needs_the_linked_files(ds, tmp_path):
    view_id = ds[2:5].save_view()
    ds.load_view(view_id, optimize=True)
    (tmp_path / "files" / "3.png").unlink()
    assert ds.load_view(view_id).images[1].numpy()[0, 0, 0] == 3
    assert decode_image(ds.load_view(view_id).images[2].tobytes())[0, 0, 0] == 4


def test_a_copy_that_fails_leaves_nothing_behind(ds, tmp_path):
    view_id = ds[2:5].save_view()
    (tmp_path / "files" / "3.png").unlink()
    with pytest.raises(OSError, match=r"sample 3: the linked file .* does not exist"):
        ds.load_view(view_id, optimize=True)
    left = sorted(entry.name for entry in (tmp_path / "shapes" / "views").iterdir())
    assert left == [f"{view_id}.json", f"{view_id}.npy", f"{view_id}.places.npy"]
    assert len(ds.load_view(view_id)) == 3


def test_deleted_views_are_gone(ds, tmp_path):
    view_id = ds[2:5].save_view()
    ds.load_view(view_id, optimize=True)
    ds.delete_view(view_id)
    assert len(ds.get_views()) == 0
    assert list((tmp_path / "shapes" / "views").iterdir()) == []
    with pytest.raises(ViewNotFoundError, match="is not a saved view"):
        ds.load_view(view_id)


def test_views_that_cannot_be_kept_are_refused(ds):
    with pytest.raises(DatasetError, match=r"array of weights.*store the weights as a tensor"):
        ds.sample_by(np.ones(12)).save_view()
    ds[1:3].save_view(id="mine")
    with pytest.raises(DatasetError, match="'mine' already exists"):
        ds[1:3].save_view(id="mine")
    ds.age[1] = 5
    with pytest.raises(UncommittedChangesError, match="Expected a commit"):
        ds[1:3].save_view()
    with pytest.raises(ReadOnlyError, match="read_only=True"):
        penstock.load(ds.path, read_only=True).delete_view("mine")


def test_a_view_of_an_old_version_can_be_saved(ds):
    first = ds.version
    ds.pop(0)
    ds.commit("popped")
    view_id = penstock.load(ds.path, version=first)[:2].save_view()
    assert ds.load_view(view_id).age.numpy().tolist() == [0, 10]


def test_links_are_known_whatever_a_view_is_read_through(ds):
    ds[[7, 2]].save_view(id="two")
    expected = [str(link) for link in ds[[7, 2]].images.links()]
    optimized = ds.load_view("two", optimize=True)
    projected = ds.query("select images, age + 1 as next where age = 70 or age = 20 order by age desc")
    for view in (optimized, projected):
        assert [str(link) for link in view.images.links()] == expected
