"""See, label and weigh image data, and train on exactly what the chart showed."""

import lazy_loader as _lazy

__version__ = "0.1.0.dev0"

__getattr__, __dir__, _ = _lazy.attach(
    __name__,
    submodules=["batchup", "dataset", "errors", "importers", "plots", "sampling", "tql", "widgets"],
    submod_attrs={
        "batchup.datasets": ["standard"],
        "tql": ["parse_sampling"],
        "dataset": ["Dataset", "View", "empty", "load"],
        "errors": ["PenstockError"],
        "importers": [
            "demo",
            "from_arrays",
            "from_coco",
            "from_deeplake",
            "from_folder",
            "from_huggingface",
            "from_table",
            "from_voc",
            "from_yolo",
            "import_report",
            "recognize",
        ],
        "tensors": ["link"],
        "widgets": ["Browser", "CoverageView", "Explorer", "LabelEditor", "QueryEditor", "WeightTuner", "explore"],
    },
)

__all__ = [
    "Browser",
    "CoverageView",
    "Dataset",
    "Explorer",
    "LabelEditor",
    "PenstockError",
    "QueryEditor",
    "View",
    "WeightTuner",
    "__version__",
    "batchup",
    "dataset",
    "demo",
    "empty",
    "errors",
    "explore",
    "from_arrays",
    "from_coco",
    "from_deeplake",
    "from_folder",
    "from_huggingface",
    "from_table",
    "from_voc",
    "from_yolo",
    "import_report",
    "importers",
    "link",
    "load",
    "parse_sampling",
    "plots",
    "recognize",
    "sampling",
    "standard",
    "tql",
    "widgets",
]
