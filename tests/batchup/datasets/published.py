"""Small files in the formats the standard datasets are published in, and a server that gives them."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

NAMES_100 = [f"fine {number}" for number in range(100)]
NAMES_20 = [f"coarse {number}" for number in range(20)]
STL_NAMES = ["airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck"]


def pixels(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def idx(array):
    head = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes())


def archive(files, folder):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        top = tarfile.TarInfo(folder)
        top.type = tarfile.DIRTYPE
        tar.addfile(top)
        for name, content in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def python2_pickle(entries):
    """A dictionary as Python 2 pickled it with protocol 2, arrays as numpy 1 did."""
    return b"\x80\x02}(" + b"".join(_pickled(key) + _pickled(value) for key, value in entries.items()) + b"u."


def _pickled(value):
    if isinstance(value, str | bytes):
        raw = value.encode() if isinstance(value, str) else value
        return b"T" + struct.pack("<i", len(raw)) + raw
    if isinstance(value, list):
        return b"](" + b"".join(_pickled(one) for one in value) + b"e"
    if isinstance(value, np.ndarray):
        made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        shape = b"(" + b"".join(_pickled(int(size)) for size in value.shape) + b"t"
        return made + b"(K\x01" + shape + dtype + b"\x89" + _pickled(value.tobytes()) + b"tb"
    return b"J" + struct.pack("<i", value)


def mat(images, labels):
    from scipy.io import savemat

    out = io.BytesIO()
    savemat(out, {"X": images.transpose(2, 3, 1, 0), "y": labels.reshape(-1, 1)}, do_compression=True)
    return out.getvalue()


def h5(arrays):
    import h5py

    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for name, array in arrays.items():
            file[f"usps/{name}"] = array
    return out.getvalue()


def columns_first(images):
    return images.transpose(0, 1, 3, 2).tobytes()


@contextmanager
def served(files, *, cut_after=None, ranges=True, status=200):
    """Serve contents by path on loopback; yields the address and the list of (path, Range) that were asked for.

    With `cut_after` each answer ends after that many bytes though it says it is longer.
    """
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range")
            asked.append((self.path, wanted))
            content = files.get(self.path)
            if content is None or status != 200:
                self.send_error(status if status != 200 else 404)
                return
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and ranges else 0
            if start >= len(content) and start:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:] if cut_after is None else content[start : start + cut_after])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def small(dataset, contents, address):
    """The class with files of these contents, at this address."""
    from penstock.batchup.datasets import SourceFile

    files = tuple(
        SourceFile(name, hashlib.sha256(content).hexdigest(), (f"{address}/{name}",))
        for name, content in contents.items()
    )
    return type(f"Small{dataset.__name__}", (dataset,), {"files": files})


def at_root(contents):
    return {f"/{name}": content for name, content in contents.items()}


def mnist_files(num_train=7, num_test=3):
    return {
        "train-images-idx3-ubyte.gz": idx(pixels(1, num_train, 28, 28)),
        "train-labels-idx1-ubyte.gz": idx(np.arange(num_train, dtype=np.uint8) % 10),
        "t10k-images-idx3-ubyte.gz": idx(pixels(2, num_test, 28, 28)),
        "t10k-labels-idx1-ubyte.gz": idx(np.arange(num_test, dtype=np.uint8)[::-1] % 10),
    }


def cifar10_files():
    def batch(seed, labels):
        return python2_pickle(
            {
                "batch_label": "a batch",
                "labels": labels,
                "data": pixels(seed, len(labels), 3072),
                "filenames": ["a.png"],
            }
        )

    members = {f"data_batch_{number}": batch(number, [number, 9 - number]) for number in range(1, 6)}
    members |= {"batches.meta": python2_pickle({"label_names": ["x"]}), "test_batch": batch(6, [4, 2, 0])}
    return {"cifar-10-python.tar.gz": archive(members, "cifar-10-batches-py")}


def cifar100_files():
    def batch(seed, fine, coarse):
        return python2_pickle({"fine_labels": fine, "coarse_labels": coarse, "data": pixels(seed, len(fine), 3072)})

    names = python2_pickle({"fine_label_names": NAMES_100, "coarse_label_names": NAMES_20})
    members = {"meta": names, "test": batch(2, [7], [3]), "train": batch(1, [99, 0, 50], [19, 0, 10])}
    return {"cifar-100-python.tar.gz": archive(members, "cifar-100-python")}


def svhn_files():
    train, test = np.array([1, 10, 9, 10], np.uint8), np.array([10, 5], np.uint8)
    return {
        "train_32x32.mat": mat(pixels(1, 4, 3, 32, 32), train),
        "test_32x32.mat": mat(pixels(2, 2, 3, 32, 32), test),
    }


def svhn_extra_files():
    return {"extra_32x32.mat": mat(pixels(3, 3, 3, 32, 32), np.array([2, 10, 3], np.uint8))}


def stl_files():
    folds = "0 1\n2 3\n1 4\n"
    members = {
        "test_X.bin": columns_first(pixels(2, 2, 3, 96, 96)),
        "test_y.bin": bytes([10, 1]),
        "train_X.bin": columns_first(pixels(1, 5, 3, 96, 96)),
        "train_y.bin": bytes([1, 2, 3, 4, 5]),
        "unlabeled_X.bin": columns_first(pixels(3, 3, 3, 96, 96)),
        "class_names.txt": ("\n".join(STL_NAMES) + "\n").encode(),
        "fold_indices.txt": folds.encode(),
    }
    return {"stl10_binary.tar.gz": archive(members, "stl10_binary")}


def usps_files():
    values = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 1, 16, 16)
    return {
        "usps.h5": h5(
            {
                "train_X": np.concatenate([values, 1 - values, values]),
                "train_y": np.array([5, 0, 9], np.int32),
                "test_X": values,
                "test_y": np.array([3], np.int32),
            }
        )
    }
