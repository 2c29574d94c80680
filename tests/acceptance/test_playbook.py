# ruff: noqa: C901, PLR0915, N812, SIM112, E741  the playbook's code is kept as it was written
"""The data-lineage playbook, its code as written: deeplake -> penstock, hub path -> local path."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of

pytestmark = [pytest.mark.real_data, pytest.mark.slow, pytest.mark.torch]


@pytest.fixture(scope="module")
def bucket(shared_data, object_store, tmp_path_factory):
    """coco_mini in a bucket of a real HTTP server that speaks S3."""
    with pytest.MonkeyPatch.context() as patch:
        names = {"aws_access_key_id": "test", "aws_secret_access_key": object_store.keys["aws_secret_access_key"]}
        cache = {"PENSTOCK_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}
        for name, value in {**object_store.environment, **names, **cache}.items():
            patch.setenv(name, value)
        bucket = object_store.new_bucket("non-hub-datasets")
        source = shared_data / "coco_mini"
        for file in [
            source / "annotations" / "instances_train2017.json",
            *sorted((source / "train2017").glob("*.jpg")),
        ]:
            bucket.put(f"coco/{file.relative_to(source)}", file.read_bytes())
        yield bucket


@pytest.mark.filterwarnings("ignore")  # boto3, albumentations and torch warn on their own account
@pytest.mark.parametrize(
    "place",
    [pytest.param("coco-train", marks=pytest.mark.exhaustive), "s3://non-hub-datasets/sets/coco-train"],
    ids=["folder", "bucket"],
)
def test_the_playbook_runs_as_written(bucket, place, tmp_path, monkeypatch):
    import os

    import albumentations as A
    import boto3
    import torch
    from albumentations.pytorch import ToTensorV2
    from pycocotools.coco import COCO
    from tqdm import tqdm

    monkeypatch.chdir(tmp_path)
    dataset_bucket = "non-hub-datasets"
    s3 = boto3.resource(
        "s3",
        aws_access_key_id=os.environ.get("aws_access_key_id"),
        aws_secret_access_key=os.environ.get("aws_secret_access_key"),
    )
    s3_bucket = s3.Bucket(dataset_bucket)
    ann_path = "coco/annotations/instances_train2017.json"
    local_ann_path = "anns_train.json"
    s3_bucket.download_file(ann_path, local_ann_path)
    coco = COCO(local_ann_path)
    category_info = coco.loadCats(coco.getCatIds())

    ds = penstock.empty(place, token="Insert API Token")
    creds_name = "my_s3_creds"
    ds.add_creds_key(creds_name, managed=True)
    img_ids = sorted(coco.getImgIds())  # Image ids for uploading

    with ds:
        ds.create_tensor("images", htype="link[image]", sample_compression="jpg")
        ds.create_tensor("boxes", htype="bbox")
        ds.create_tensor("categories", htype="class_label")

    with ds:
        for img_id in tqdm(img_ids):
            anns = coco.loadAnns(coco.getAnnIds(img_id))
            img_coco = coco.loadImgs(img_id)[0]
            boxes = np.zeros((len(anns), 4))
            categories = []
            for i, ann in enumerate(anns):
                boxes[i, :] = ann["bbox"]
                categories.append(
                    next(
                        category_info[i]["name"]
                        for i in range(len(category_info))
                        if category_info[i]["id"] == ann["category_id"]
                    )
                )
            if categories == []:
                categories = None
            img_url = "s3://{}/coco/train2017/{}".format(dataset_bucket, img_coco["file_name"])
            ds.append(
                {
                    "images": penstock.link(img_url, creds_key=creds_name),
                    "boxes": boxes.astype("float32"),
                    "categories": categories,
                }
            )
    assert len(ds) == 80
    assert (
        ds.categories.info.class_names[0]
        == coco.loadCats([coco.loadAnns(coco.getAnnIds(img_ids[0]))[0]["category_id"]])[0]["name"]
    )
    assert len(ds.categories.info.class_names) == 80

    view = ds.query(
        """
(select * where contains(categories, 'car') limit 1000)
  union
(select * where contains(categories, 'bus') limit 1000)
  union
(select * where contains(categories, 'truck') limit 1000)
  union
(select * where contains(categories, 'bicycle') limit 1000)
  union
(select * where contains(categories, 'motorcycle') limit 1000)
  union
(select * where contains(categories, 'traffic light') limit 1000)
  union
(select * where contains(categories, 'stop sign') limit 1000)
"""
    )
    wanted = {"car", "bus", "truck", "bicycle", "motorcycle", "traffic light", "stop sign"}
    names = ds.categories.data()["text"]
    assert set(view.indices.tolist()) == {row for row in range(80) if wanted & set(names[row])}

    uids = content_of(ds).table.uids(np.arange(80))
    ds.pop(61)
    ds.commit("Deleted index 61 because the image is low quality.")
    np.testing.assert_array_equal(content_of(ds).table.uids(np.arange(79)), np.delete(uids, 61))

    # the playbook's sample 8 has four labels; here it is the first such sample
    four = next(row for row in range(len(ds)) if len(ds.categories[row].numpy()) == 4)
    before = ds.categories[four].numpy()
    ds.categories[four] = ds.categories[four].numpy()[np.arange(0, 4) != 2]
    ds.boxes[four] = ds.boxes[four].numpy()[np.arange(0, 4) != 2, :]
    ds.commit("Deleted bad label at index 8")
    assert ds.categories[four].numpy().tolist() == before[[0, 1, 3]].tolist()
    assert ds.boxes[four].numpy().shape == (3, 4)
    assert [commit.message for commit in ds.log()] == [
        "Deleted bad label at index 8",
        "Deleted index 61 because the image is low quality.",
    ]

    saved = ds.query("select * where contains(categories, 'car') or contains(categories, 'bus')").save_view("cars")
    ds.load_view(saved, optimize=True, num_workers=4)
    ds = penstock.load(place, token="Insert API Token")
    ds_view = ds.load_view(saved)

    WIDTH = 128
    HEIGHT = 128
    CLASSES_OF_INTEREST = ["car", "truck", "bus", "motorcycle", "bicycle", "traffic light", "stop sign"]
    INDS_OF_INTEREST = [
        ds.categories.info.class_names.index(item)
        for item in CLASSES_OF_INTEREST
        if item in ds.categories.info.class_names
    ]
    tform_train = A.Compose(
        [
            A.RandomSizedBBoxSafeCrop(width=WIDTH, height=HEIGHT, erosion_rate=0.2),
            A.Rotate(limit=20, p=0.5),
            A.RandomBrightnessContrast(brightness_limit=0.1, contrast_limit=0.1, p=0.5),
            A.Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
            ToTensorV2(),
        ],
        bbox_params=A.BboxParams(
            format="pascal_voc", label_fields=["class_labels", "bbox_ids"], min_area=16, min_visibility=0.6
        ),
    )

    def transform_train(sample_in):
        image = sample_in["images"]
        shape = image.shape
        if shape[2] == 1:
            image = np.repeat(image, int(3 / shape[2]), axis=2)
        boxes = coco_2_pascal(sample_in["boxes"], shape)
        labels_all = sample_in["categories"]
        indices = [l for l, label in enumerate(labels_all) if label in INDS_OF_INTEREST]
        labels_filtered = labels_all[indices]
        labels_remapped = [INDS_OF_INTEREST.index(label) for label in labels_filtered]
        boxes_filtered = boxes[indices, :]
        assert (len(labels_remapped)) == boxes_filtered.shape[0]
        transformed = tform_train(
            image=image,
            bboxes=boxes_filtered,
            bbox_ids=np.arange(boxes_filtered.shape[0]),
            class_labels=labels_remapped,
        )
        labels_torch = torch.tensor(transformed["class_labels"], dtype=torch.int64)
        boxes_torch = torch.zeros((len(transformed["bboxes"]), 4), dtype=torch.int64)
        for b, box in enumerate(transformed["bboxes"]):
            boxes_torch[b, :] = torch.tensor(np.round(box))
        target = {"labels": labels_torch, "boxes": boxes_torch}
        return transformed["image"], target

    def coco_2_pascal(boxes, shape):
        return np.stack(
            (
                np.clip(boxes[:, 0], 0, None),
                np.clip(boxes[:, 1], 0, None),
                np.clip(boxes[:, 0] + np.clip(boxes[:, 2], 1, None), 0, shape[1]),
                np.clip(boxes[:, 1] + np.clip(boxes[:, 3], 1, None), 0, shape[0]),
            ),
            axis=1,
        )

    def collate_fn(batch):
        return tuple(zip(*batch, strict=True))

    train_loader = ds_view.pytorch(
        num_workers=2,
        shuffle=True,
        transform=transform_train,
        tensors=["images", "categories", "boxes"],
        batch_size=4,
        collate_fn=collate_fn,
    )
    seen = 0
    for data in train_loader:
        images = list(data[0])
        targets = list(data[1])
        seen += len(images)
        for image, target in zip(images, targets, strict=True):
            assert image.shape == (3, HEIGHT, WIDTH)
            assert target["labels"].dtype == torch.int64
            assert target["boxes"].shape == (len(target["labels"]), 4)
    assert seen == len(ds_view)
    train_loader.close()
