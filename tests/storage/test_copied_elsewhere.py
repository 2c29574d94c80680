"""A dataset that was copied between a folder and buckets by another tool is verified, and damage to the copy is found."""

from __future__ import annotations

from pathlib import Path

import pytest

import penstock


def files_of(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()}


def fill(place, files, bucket):
    for name, content in files.items():
        if str(place).startswith(bucket.url):
            bucket.put(f"{place[len(bucket.url) + 1 :]}/{name}", content)
        else:
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def copy(source, place, bucket):
    if str(source).startswith(bucket.url):
        prefix = source[len(bucket.url) + 1 :] + "/"
        files = {name[len(prefix) :]: bucket.get(name) for name in bucket.names(prefix)}
    else:
        files = files_of(source)
    fill(place, files, bucket)
    return files


@pytest.mark.parametrize("engine", [None, pytest.param("threads", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("way", ["folder to bucket", "bucket to folder", "bucket to bucket", "folder to folder"])
def test_a_copy_is_verified_and_its_damage_found(bucket, tmp_path, way, engine):
    places = {
        "folder": [str(tmp_path / "one"), str(tmp_path / "two")],
        "bucket": [f"{bucket.url}/one", f"{bucket.url}/two"],
    }
    source, place = places[way.split()[0]][0], places[way.split()[-1]][1]
    penstock.from_arrays({"x": list(range(1000)), "labels": ["a", "b"] * 500}, source, progress=False)
    files = copy(source, place, bucket)
    assert penstock.load(place, read_only=True).verify(engine=engine).ok
    name = max((name for name in files if name.endswith(".lance")), key=lambda name: len(files[name]))
    content = bytearray(files[name])
    if source.startswith(bucket.url):  # the tag of the bucket says nothing elsewhere, but the size does
        del content[len(content) // 2]
    else:
        content[len(content) // 3] ^= 255
    fill(place, {name: bytes(content)}, bucket)
    assert not penstock.load(place, read_only=True).verify(engine=engine).ok
