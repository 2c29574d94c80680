"""Standard datasets under BatchUp's names: ``mnist.MNIST``, ``cifar10.CIFAR10`` and so on; downloaded when missing."""

import lazy_loader as _lazy

__getattr__, __dir__, _ = _lazy.attach(
    __name__,
    submodules=["cifar10", "cifar100", "fashion_mnist", "mnist", "stl", "svhn", "usps"],
    submod_attrs={
        "files._float_images": ["ImageArrayUInt8ToFloat32"],
        "files._sources": ["SourceFile"],
        "_standard": ["standard"],
        "_standard_set": ["StandardSet"],
    },
)

__all__ = [
    "ImageArrayUInt8ToFloat32",
    "SourceFile",
    "StandardSet",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "mnist",
    "standard",
    "stl",
    "svhn",
    "usps",
]
